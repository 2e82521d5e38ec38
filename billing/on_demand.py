"""On-demand credits on their way to Stripe: one invoice item for each closed span, asked for once.

The next invoice of a subscription takes the item. Where none comes soon, since a subscription is yearly, or
ended, the item gets an invoice of its own: see ``operations/on_demand_steps.py``.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.utils import timezone

from audit.models import ActorKind
from audit.services import Actor
from billing import gateway
from billing.models import (
    NOT_IN_FORCE,
    BillingAccount,
    OnDemandItem,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.operations.people import NOBODY
from credits.models import OnDemandCharge
from orgs.editions import CREDIT_CURRENCY
from orgs.models import Organization

# So long an item may wait for the invoice of a subscription: no monthly one keeps it longer.
SOON = timedelta(days=31)
TICK = timedelta(microseconds=1)


def let_charges_be_invoiced(organization: Organization) -> None:
    """Note that Stripe is to be asked for what it wasn't asked for yet, or what waits in vain for an invoice.

    Call it with the organization locked. What Stripe refused is left to support staff, until there is
    another customer.
    """
    charges = list(_to_be_asked_for(organization))
    if not charges:
        return
    account = BillingAccount.objects.locked(organization)
    comes_soon = is_invoiced_soon(Subscription.objects.for_org(organization))
    for charge in charges if account.has_customer else []:
        if charge.last_state != OperationState.DONE or not comes_soon:  # type: ignore[attr-defined] # annotated
            ask_for_item(account, charge, actor=Actor.system())


def _to_be_asked_for(organization: Organization) -> Iterable[OnDemandCharge]:
    """Each with ``last_state``: of the last operation that asked for it; None: there was none."""
    asked = StripeOperation.objects.for_org(organization).filter(charge=OuterRef("pk"))
    last = asked.annotate(customer=KT("params__customer")).order_by("-created_at")
    waiting = OnDemandItem.objects.for_org(organization).unbilled().filter(since=OuterRef("since"))
    return (
        OnDemandCharge.objects.for_org(organization)
        .exclude(amount=0)
        .annotate(customer=F("organization__billing_account__stripe_customer_id"))
        .exclude(customer=None)
        .annotate(
            last_state=Subquery(last.values("state")[:1]),
            last_customer=Subquery(last.values("customer")[:1]),
        )
        .filter(
            Q(last_state=None)
            | Q(Exists(waiting), last_state=OperationState.DONE)
            | Q(last_state=OperationState.FAILED) & ~Q(last_customer=F("customer"))
        )
        .order_by("since")
    )


def ask_for_item(account: BillingAccount, charge: OnDemandCharge, *, actor: Actor) -> StripeOperation:
    """Note that Stripe is to be asked. Call it with the account locked; it must have a customer."""
    before = StripeOperation.objects.for_org(account.organization_id).filter(charge=charge).count()
    operation = StripeOperation(
        organization_id=account.organization_id,
        kind=OperationKind.INVOICE_ON_DEMAND,
        charge=charge,
        idempotency_key=_key_of(charge, before),
        actor_kind=ActorKind(actor.kind),
        actor_id=actor.id or NOBODY,
        actor_name=actor.name,
    )
    operation.params = {
        "customer": account.stripe_customer_id,
        "item": {
            "customer": account.stripe_customer_id,
            "amount": charge.amount,
            "currency": CREDIT_CURRENCY,
            "description": _description_of(charge),
            "period": {"start": int(charge.since.timestamp()), "end": int(charge.until.timestamp())},
            "metadata": {
                **gateway.tags(charge.organization_id, operation.pk),
                **gateway.on_demand_metadata(charge.since, charge.until, charge.credits),
            },
        },
    }
    operation.save(force_insert=True)
    return operation


def span_of(charge: OnDemandCharge) -> dict[str, str]:
    """As the audit log keeps it."""
    return {"since": charge.since.isoformat(), "until": charge.until.isoformat()}


def is_invoiced_soon(subscriptions: Iterable[Subscription]) -> bool:
    """Whether an invoice of a subscription will take what waits: that of its next period, or its last one."""
    latest = timezone.now() + SOON
    return any(
        one.status not in {*NOT_IN_FORCE, "paused"}
        and one.currency == CREDIT_CURRENCY
        and one.period_end is not None
        and one.period_end <= latest
        for one in subscriptions
    )


def _key_of(charge: OnDemandCharge, asked_before: int) -> str:
    """Two workers can't ask for one span at once, nor after each other without knowing."""
    again = f"-{asked_before + 1}" if asked_before else ""
    return f"portal-on-demand-{charge.organization_id}-{charge.since:%Y%m%dT%H%M%S}{again}"


def _description_of(charge: OnDemandCharge) -> str:
    """The invoice's line. In English, as Stripe's own lines about prices are."""
    price = f"{charge.price.normalize():f}"
    return f"On-demand credits, {_span(charge)} (UTC): {charge.credits:,} credits at ${price}"


def _span(charge: OnDemandCharge) -> str:
    first, last = charge.since, charge.until - TICK
    if not (_is_midnight(charge.since) and _is_midnight(charge.until)):
        return f"{_day(first)}, {first:%H:%M} – {_day(charge.until)}, {charge.until:%H:%M}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_day(last)}" if first.day != last.day else _day(last)
    return f"{_day(first)} – {_day(last)}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _is_midnight(at: datetime) -> bool:
    return (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
