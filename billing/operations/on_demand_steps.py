"""Putting on-demand credits on an invoice: the item first, then an invoice of its own where none comes soon.

Stripe is asked for the span's item before it is made, whoever made it and whatever key it remembers.
"""

from typing import Any

from django.db import transaction

from audit.services import record
from billing import gateway
from billing.actions import ON_DEMAND_INVOICED
from billing.gateway import records
from billing.mirror.on_demand import write_on_demand_item
from billing.mirror.rows import next_fetch_number
from billing.models import (
    BillingAccount,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.models.operations import FIRST_STEP
from billing.on_demand import is_invoiced_soon, span_of
from billing.operations.life import fail, finish, key_expired, register, renew_key
from billing.operations.people import person_of
from credits.models import OnDemandCharge
from orgs.editions import CREDIT_CURRENCY

INVOICE_STEP = "invoice"
OTHER_CURRENCY = "other_currency"


def _create(operation: StripeOperation) -> None:
    """Make the item, or find the one that there is."""
    if _pays_in_another_currency(operation):
        fail(operation, {"outcome": OTHER_CURRENCY})
        return
    item = _found(operation)
    if item is None:
        if key_expired(operation):
            renew_key(operation)
        item = gateway.create_on_demand_item(
            params=operation.params["item"], idempotency_key=operation.idempotency_key
        )
    operation.renew(stripe_id=item.id, step=INVOICE_STEP)


def _pays_in_another_currency(operation: StripeOperation) -> bool:
    current = Subscription.objects.for_org(operation.organization_id).current()
    return current.exclude(currency=CREDIT_CURRENCY).exists()


def _found(operation: StripeOperation) -> records.OnDemandItem | None:
    charge = _charge_of(operation)
    # It was made once the span was over.
    listed = gateway.on_demand_items(operation.params["customer"], since=charge.until)
    return next((item for item in listed.all if item.since == charge.since), None)


def _invoice(operation: StripeOperation) -> None:
    """Leave the item to the invoice that takes it, or make one that does."""
    number = next_fetch_number()
    item = gateway.on_demand_item(operation.stripe_id)
    subscriptions = Subscription.objects.for_org(operation.organization_id)
    if not item.invoice_id and not is_invoiced_soon(subscriptions):
        _make_invoice(operation)
        number = next_fetch_number()
        item = gateway.on_demand_item(operation.stripe_id)
    _note(operation, item, number)


def _make_invoice(operation: StripeOperation) -> None:
    """An invoice that Stripe charges or sends by itself. What else waits for the customer goes with it."""
    if "invoice" not in operation.result:
        operation.renew(result={"invoice": _params_of_invoice(operation)})
    if key_expired(operation):
        renew_key(operation)
    gateway.create_invoice(
        params=operation.result["invoice"], idempotency_key=f"{operation.idempotency_key}-invoice"
    )


def _params_of_invoice(operation: StripeOperation) -> dict[str, Any]:
    """Taxed and collected as the invoices of the organization's latest subscription."""
    latest = Subscription.objects.for_org(operation.organization_id).order_by("-created_at").first()
    return {
        **(gateway.terms_of_invoice(latest.stripe_id) if latest else {}),
        "customer": operation.params["customer"],
        "currency": CREDIT_CURRENCY,
        "auto_advance": True,
        "pending_invoice_items_behavior": "include",
        "metadata": gateway.tags(operation.organization_id, operation.pk),
    }


@transaction.atomic
def _note(operation: StripeOperation, item: records.OnDemandItem, number: int) -> None:
    account = BillingAccount.objects.locked_of(operation.organization_id)
    write_on_demand_item(account, item, number)
    charge = _charge_of(operation)
    if not charge.operations.filter(state=OperationState.DONE).exists():
        record(
            ON_DEMAND_INVOICED,
            actor=person_of(operation),
            organization=account.organization,
            amount={"amount": item.amount, "currency": item.currency},
            span=span_of(charge),
        )
    kept = {"amount": item.amount, "currency": item.currency, "invoice_id": item.invoice_id}
    finish(operation, state=OperationState.DONE, result={**operation.result, **kept})


def _charge_of(operation: StripeOperation) -> OnDemandCharge:
    if operation.charge is None:
        raise ValueError("It asks for no credits.")
    return operation.charge


register(OperationKind.INVOICE_ON_DEMAND, steps={FIRST_STEP: _create, INVOICE_STEP: _invoice})
