"""What was invoiced, beside what a person accepted for it: the same, or it is told."""

from typing import Any

import structlog

from billing.models import Invoice, OperationKind, OperationState, StripeOperation, Subscription
from billing.plan_offers import Charge, Offer

logger = structlog.get_logger(__name__)


def difference(
    operation: StripeOperation, invoice_id: str, *, accepted: Charge, invoiced: Charge
) -> dict[str, Any]:
    """What goes into the operation's result: nothing, or somebody must look at it, and is alerted."""
    if invoiced == accepted:
        return {}
    logger.error(
        "preview_differs_from_invoice",
        operation=str(operation.pk),
        invoice=invoice_id,
        accepted=accepted._asdict(),
        invoiced=invoiced._asdict(),
    )
    return {"difference": invoiced._asdict()}


def compare_first_period(invoice: Invoice) -> None:
    """If it is the first one of a planned change, as soon as it is issued. Call it with the account locked.

    What else it has, such as use that waited for an invoice, was not part of what was accepted.
    """
    operation = _planned_by(invoice)
    if operation is None or "invoice" in operation.result:
        return
    offer = Offer(**operation.params["offer"])
    begins = offer.moment.date().isoformat()
    lines = [one for one in invoice.document["lines"] if not one["item"] and one["period_start"] == begins]
    if lines:
        total = sum(line["net"] for line in lines)
        invoiced = Charge(total, total, invoice.currency)
        operation.result |= {
            "invoice": invoice.stripe_id,
            **difference(operation, invoice.stripe_id, accepted=offer.charge, invoiced=invoiced),
        }
        operation.save(update_fields=["result"])


def _planned_by(invoice: Invoice) -> StripeOperation | None:
    """What planned the subscription's present schedule last: one that was undone has let go of it."""
    subscription = (
        Subscription.objects.filter(stripe_id=invoice.subscription_id).exclude(schedule=None).first()
    )
    if subscription is None or subscription.schedule is None:
        return None
    return (
        StripeOperation.objects.for_org(invoice.organization_id)
        .filter(
            kind=OperationKind.SCHEDULE_CHANGE,
            state=OperationState.DONE,
            stripe_id=subscription.schedule["id"],
        )
        .order_by("-finished_at")
        .first()
    )
