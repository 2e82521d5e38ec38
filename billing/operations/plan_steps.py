"""The steps of changing the plan: now, when the period ends, or not after all.

Right before each attempt the plan and the price must be those that the person accepted. Stripe is asked for a
charge only within the hour of the press: after that it is looked up whether it was made, and given up if not.
"""

from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from audit.registry import Action
from audit.services import record
from billing import gateway
from billing.actions import PLAN_CHANGE_PLANNED, PLAN_CHANGE_UNDONE, PLAN_CHANGED
from billing.change_outcomes import ASKS_THE_PERSON, Outcome
from billing.gateway.records import Invoice, Subscription
from billing.mirror.invoices import write_invoices
from billing.mirror.rows import next_fetch_number
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.notices import tell_of_plan_change
from billing.operations.life import fail, finish, key_expired, register, renew_key
from billing.operations.people import person_of, still_may
from billing.plan_comparison import difference
from billing.plan_offers import Charge, Offer
from billing.plans import planned_at_stripe, version_of
from orgs.policy import Permission

PATIENCE = timedelta(hours=1)


class Step(models.TextChoices):
    CHANGE = "change"
    CHANGE_IN_TRIAL = "change_in_trial"
    BEGIN_SCHEDULE = "begin_schedule"
    PLAN = "plan"
    RELEASE = "release"
    FOLLOW = "follow"


def offer_of(operation: StripeOperation) -> Offer:
    return Offer(**operation.params["offer"])


def _change(operation: StripeOperation) -> None:
    """Change the plan, unless that was done already and we never heard so."""
    offer = offer_of(operation)
    found = gateway.subscription(offer.subscription)
    invoice_id = ""
    if found.operation_id == str(operation.pk):
        invoice_id = gateway.invoice_of_change(offer.subscription)
    elif _is_too_late(operation):
        fail(operation, {"outcome": Outcome.TOO_LATE})
    elif _is_as_accepted(operation, offer, found):
        invoice_id = _charge(operation, offer, found)
    if invoice_id:
        operation.renew(step=Step.FOLLOW, stripe_id=invoice_id, result={"outcome": Outcome.MADE})


def _change_in_trial(operation: StripeOperation) -> None:
    """Change the plan without a charge, unless that was done already."""
    offer = offer_of(operation)
    found = gateway.subscription(offer.subscription)
    if found.operation_id != str(operation.pk):
        if _is_too_late(operation):
            fail(operation, {"outcome": Outcome.TOO_LATE})
            return
        if not _is_as_accepted(operation, offer, found):
            return
        if found.schedule is not None:
            _let_go(operation, found.schedule.id)
        gateway.change_in_trial(
            offer.subscription,
            items=offer.items,
            metadata=operation.params["metadata"],
            idempotency_key=operation.idempotency_key,
        )
    operation.renew(step=Step.FOLLOW, result={"outcome": Outcome.MADE})


def _is_too_late(operation: StripeOperation) -> bool:
    return key_expired(operation) or timezone.now() - operation.created_at > PATIENCE


def _is_as_accepted(operation: StripeOperation, offer: Offer, found: Subscription) -> bool:
    """Whether plan, price and the person's right are as they were; if not, the operation has failed."""
    if not still_may(operation, Permission.BILLING_SUBSCRIPTION_UPDATE):
        fail(operation, {"outcome": Outcome.NOT_ALLOWED})
        return False
    if version_of(found) != offer.version:
        sync_subscriptions(BillingAccount.objects.get(organization=operation.organization_id))
        fail(operation, {"outcome": Outcome.CHANGED})
        return False
    if not _costs_as_accepted(offer):
        fail(operation, {"outcome": Outcome.PRICE_CHANGED})
        return False
    return True


def _costs_as_accepted(offer: Offer) -> bool:
    if offer.in_trial:
        period = gateway.preview_of_period(offer.subscription, items=offer.items)
        return period.total == offer.period_total
    if offer.at_once:
        charge = gateway.preview_of_change(offer.subscription, items=offer.items, at=offer.at)
        return (charge.total, charge.amount_due) == (offer.total, offer.amount_due)
    return True


def _charge(operation: StripeOperation, offer: Offer, found: Subscription) -> str:
    """The id of the invoice; empty: the bank refused, and the operation has failed.

    A schedule that has nothing left to change is let go first.
    """
    if found.schedule is not None:
        _let_go(operation, found.schedule.id)
    try:
        return gateway.change_subscription(
            offer.subscription,
            items=offer.items,
            at=offer.at,
            metadata=operation.params["metadata"],
            idempotency_key=operation.idempotency_key,
        )
    except gateway.GatewayDeclined as error:
        asks = error.code in ASKS_THE_PERSON
        outcome = Outcome.CONFIRMATION if asks else Outcome.DECLINED
        fail(operation, {"outcome": outcome, "reason": error.code}, error=error.code)
        return ""


def _begin_schedule(operation: StripeOperation) -> None:
    """Let a schedule manage the subscription, if none does. What that plans gives way in the next step."""
    offer = offer_of(operation)
    found = gateway.subscription(offer.subscription)
    if not _is_as_accepted(operation, offer, found):
        return
    if found.schedule is not None:
        schedule_id = found.schedule.id
    else:
        if key_expired(operation):
            renew_key(operation)
        schedule_id = gateway.begin_schedule(offer.subscription, idempotency_key=operation.idempotency_key)
    operation.renew(step=Step.PLAN, stripe_id=schedule_id)


def _let_go(operation: StripeOperation, schedule_id: str) -> None:
    gateway.release_schedule(schedule_id, idempotency_key=f"{operation.idempotency_key}-{schedule_id}")


def _plan(operation: StripeOperation) -> None:
    offer = offer_of(operation)
    if key_expired(operation):
        renew_key(operation)
    try:
        gateway.plan_change(
            operation.stripe_id,
            ends=offer.at,
            replaced=offer.replaces["price"],
            bought=offer.bought,
            interval=offer.interval,
            metadata=operation.params["metadata"],
            idempotency_key=f"{operation.idempotency_key}-plan",
        )
    except gateway.GatewayRefused:
        # What was planned before stays so; a schedule that plans nothing goes.
        if not planned_at_stripe(gateway.subscription(offer.subscription)):
            _let_go(operation, operation.stripe_id)
        raise
    operation.renew(step=Step.FOLLOW, result={"outcome": Outcome.PLANNED})


def _release(operation: StripeOperation) -> None:
    schedule_id = operation.params["schedule"]
    if key_expired(operation):
        renew_key(operation)
    try:
        gateway.release_schedule(schedule_id, idempotency_key=operation.idempotency_key)
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused:
        found = gateway.subscription(operation.params["subscription"])
        if found.schedule is not None and found.schedule.id == schedule_id:
            raise
    operation.renew(step=Step.FOLLOW, result={"outcome": Outcome.UNDONE})


def _follow(operation: StripeOperation) -> None:
    """Write down what Stripe has made of it, and tell of it.

    What can't be read was made all the same; reconciliation writes it down.
    """
    problem, result = "", dict(operation.result)
    try:
        sync_subscriptions(BillingAccount.objects.get(organization=operation.organization_id))
        if operation.kind == OperationKind.CHANGE_PLAN and not offer_of(operation).in_trial:
            invoice = _write_invoice(operation)
            invoiced = Charge(invoice.total, invoice.amount_due, invoice.currency)
            accepted = offer_of(operation).charge
            result |= difference(operation, invoice.id, accepted=accepted, invoiced=invoiced)
    except gateway.GatewayRefused as error:
        problem = str(error)
    with transaction.atomic():
        current = BillingAccount.objects.locked_of(operation.organization_id)
        action, facts = _told(operation)
        record(
            action,
            actor=person_of(operation),
            organization=current.organization,
            target=(operation.pk, ""),
            **facts,
        )
        tell_of_plan_change(current.organization, operation)
        finish(operation, state=OperationState.DONE, result=result, error=problem)


def _write_invoice(operation: StripeOperation) -> Invoice:
    """The invoice that came of the change."""
    number = next_fetch_number()
    invoice = gateway.invoice(operation.stripe_id)
    with transaction.atomic():
        write_invoices(BillingAccount.objects.locked_of(operation.organization_id), [invoice], number)
    return invoice


def _told(operation: StripeOperation) -> tuple[Action, dict[str, Any]]:
    if operation.kind == OperationKind.UNDO_CHANGE:
        return PLAN_CHANGE_UNDONE, {"day": operation.params["day"]}
    offer = offer_of(operation)
    facts: dict[str, Any] = {"old": offer.old, "new": offer.new}
    if offer.at_once:
        return PLAN_CHANGED, facts
    return PLAN_CHANGE_PLANNED, {**facts, "day": offer.moment.date().isoformat()}


register(
    OperationKind.CHANGE_PLAN,
    steps={Step.CHANGE: _change, Step.CHANGE_IN_TRIAL: _change_in_trial, Step.FOLLOW: _follow},
)
register(
    OperationKind.SCHEDULE_CHANGE,
    steps={
        Step.BEGIN_SCHEDULE: _begin_schedule,
        Step.PLAN: _plan,
        Step.FOLLOW: _follow,
    },
)
register(OperationKind.UNDO_CHANGE, steps={Step.RELEASE: _release, Step.FOLLOW: _follow})
