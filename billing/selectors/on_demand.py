"""On-demand credits of a month, for support staff: what the ledger charges beside what Stripe has.

A span is of the month (UTC) in which it begins. Stripe's side is as the mirror saw it last: see ``Row``.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.failures import failure_words, outcome_in
from billing.models import Invoice, OnDemandItem, OperationState, StripeOperation
from credits.models import Entry, OnDemandCharge
from orgs.editions import CREDIT_CURRENCY
from orgs.rows import Key, beyond, key_text

PAGE = 50
# Those that fit no charge should be none at all.
MOST_STRANGE = 100
# A new charge may be on its way for so long; from then on the first page of support staff tells of it.
PATIENCE, LATELY = timedelta(days=2), timedelta(days=62)
BEGINNING: Key = (datetime.min.replace(tzinfo=UTC), uuid.UUID(int=0))

Items = Sequence[OnDemandItem]


class State(Enum):
    SAME = "same"
    NOTHING = "nothing"
    UNDER_WAY = "under_way"
    MISSING = "missing"
    NOT_INVOICED = "not_invoiced"
    NO_CUSTOMER = "no_customer"
    DIFFERS = "differs"
    NOT_OURS = "not_ours"

    @property
    def label(self) -> Promise:
        return LABELS[self]


LABELS = {
    State.SAME: _("Same"),
    State.NOTHING: _("Less than a cent"),
    State.UNDER_WAY: _("On its way"),
    State.MISSING: _("Missing"),
    State.NOT_INVOICED: _("On no invoice"),
    State.NO_CUSTOMER: _("No customer at Stripe"),
    State.DIFFERS: _("Differs"),
    State.NOT_OURS: _("Not ours"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """``ours``, ``at_stripe``: in cents of US dollars; None: there is none.

    ``why``: the last refusal, in words. ``invoice``: the number of the one that bills it, else its state.
    ``checked_at``: when Stripe's side was last seen to be so.
    """

    charge_id: uuid.UUID | None
    organization: str
    since: datetime
    until: datetime
    credits: int
    price: Decimal | None
    ours: int | None
    at_stripe: int | None
    state: State
    why: str
    item_id: str
    invoice: str
    checked_at: datetime | None

    @property
    def difference(self) -> int:
        return (self.at_stripe or 0) - (self.ours or 0)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``ours``, ``at_stripe``: the sums of the whole month. ``after``: the key of the next page, if any."""

    month: date
    rows: list[Row]
    strange: list[Row]
    charges: int
    ours: int
    at_stripe: int
    after: str

    @property
    def difference(self) -> int:
        return self.at_stripe - self.ours

    @property
    def missing(self) -> list[Row]:
        """Of which Stripe lacks the item, or its invoice."""
        return [row for row in self.rows if row.state in {State.MISSING, State.NOT_INVOICED}]

    @property
    def previous(self) -> date:
        return (self.month - timedelta(days=1)).replace(day=1)

    @property
    def following(self) -> date:
        return (self.month + timedelta(days=31)).replace(day=1)


def compare(month: date, *, after: Key | None, everything: bool) -> Comparison:
    """A page of the month of that day; without ``everything`` only what isn't the same. Six statements."""
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    of_month = {"since__gte": first, "since__lt": (first + timedelta(days=31)).replace(day=1)}
    charges = OnDemandCharge.objects.filter(**of_month)
    items = OnDemandItem.objects.at_stripe().filter(**of_month)
    found = list(_page(charges if everything else _unlike(charges), after))
    shown, strange = found[:PAGE], list(_strange(items)) if after is None else []
    by_span = _items_of(shown)
    numbers = _invoice_names([*(item for each in by_span.values() for item in each), *strange])
    ours = charges.aggregate(all=Count("pk"), total=Coalesce(Sum("amount"), 0))
    at_stripe = items.filter(currency=CREDIT_CURRENCY).aggregate(total=Coalesce(Sum("amount"), 0))
    return Comparison(
        month=first.date(),
        rows=[_row(charge, by_span[charge.organization_id, charge.since], numbers) for charge in shown],
        strange=[_strange_row(item, numbers) for item in strange],
        charges=ours["all"],
        ours=int(ours["total"]),
        at_stripe=int(at_stripe["total"]),
        after=key_text((shown[-1].since, shown[-1].pk)) if len(found) > PAGE else "",
    )


def missing_lately() -> int:
    return charges_missing_lately().count()


def charges_missing_lately() -> QuerySet[OnDemandCharge]:
    """The charges of late that are on no invoice, and not on their way to one."""
    now = timezone.now()
    charges = OnDemandCharge.objects.filter(since__gt=now - LATELY, created_at__lt=now - PATIENCE)
    return _unlike(charges).filter(organization__billing_account__stripe_customer_id__isnull=False)


def _page(charges: QuerySet[OnDemandCharge], after: Key | None) -> QuerySet[OnDemandCharge]:
    """With all that tells its state; ``counted``: what the ledger's entries add up to now."""
    entries = Entry.objects.filter(
        organization=OuterRef("organization"),
        grant=None,
        booked_at__gte=OuterRef("since"),
        booked_at__lt=OuterRef("until"),
    )
    asked = _asked()
    order = ("since", "id")
    return (
        charges.filter(beyond(after or BEGINNING, order))
        .select_related("organization")
        .annotate(
            counted=_sum_of(entries, "credits"),
            customer=F("organization__billing_account__stripe_customer_id"),
            last_state=Subquery(asked.values("state")[:1]),
            last_result=Subquery(asked.values("result")[:1]),
        )
        .order_by(*order)[: PAGE + 1]
    )


def _asked() -> QuerySet[StripeOperation]:
    """What asked for a charge, latest first."""
    return StripeOperation.objects.filter(charge=OuterRef("pk")).order_by("-created_at")


def _unlike(charges: QuerySet[OnDemandCharge]) -> QuerySet[OnDemandCharge]:
    """Those of which Stripe has another amount, or refused the invoice."""
    items = OnDemandItem.objects.at_stripe().filter(
        organization=OuterRef("organization"), since=OuterRef("since"), currency=CREDIT_CURRENCY
    )
    told = charges.annotate(told=Subquery(_asked().values("state")[:1]))
    refused = Q(Exists(items.unbilled()), told=OperationState.FAILED)
    return told.filter(~Q(amount=_sum_of(items, "amount")) | refused)


def _sum_of(rows: QuerySet[Any], name: str) -> Coalesce:
    summed = rows.order_by().values("organization").annotate(total=Sum(name)).values("total")
    return Coalesce(Subquery(summed, output_field=BigIntegerField()), 0)


def _strange(items: QuerySet[OnDemandItem]) -> QuerySet[OnDemandItem]:
    charged = OnDemandCharge.objects.filter(organization=OuterRef("organization"), since=OuterRef("since"))
    unknown = items.exclude(Exists(charged)).select_related("organization")
    return unknown.order_by("since", "id")[:MOST_STRANGE]


def _items_of(charges: Sequence[OnDemandCharge]) -> dict[tuple[uuid.UUID, datetime], list[OnDemandItem]]:
    found = OnDemandItem.objects.at_stripe().filter(
        organization__in={charge.organization_id for charge in charges},
        since__in={charge.since for charge in charges},
    )
    by_span = defaultdict(list)
    for item in found.order_by("since", "id"):
        by_span[item.organization_id, item.since].append(item)
    return by_span


def _invoice_names(items: Items) -> dict[str, str]:
    """A number, or the state where that says more."""
    invoices = Invoice.objects.filter(stripe_id__in={item.invoice_id for item in items if item.invoice_id})
    return {one.stripe_id: f"{one} ({one.get_status_display()})" for one in invoices}


def _row(charge: Any, items: Items, invoices: dict[str, str]) -> Row:
    at_stripe = sum(item.amount for item in items) if items else None
    is_whole = charge.counted == charge.credits and all(item.currency == CREDIT_CURRENCY for item in items)
    state = _state_of(charge, items) if is_whole else State.DIFFERS
    return Row(
        charge_id=charge.pk,
        organization=charge.organization.name,
        since=charge.since,
        until=charge.until,
        credits=charge.credits,
        price=charge.price,
        ours=charge.amount,
        at_stripe=at_stripe,
        state=state,
        why=_why(charge) if state in {State.MISSING, State.NOT_INVOICED} else "",
        item_id=", ".join(item.stripe_id for item in items),
        invoice=_names(items, invoices),
        checked_at=min((item.synced_at for item in items), default=None),
    )


def _state_of(charge: Any, items: Items) -> State:
    if not items:
        if not charge.amount:
            return State.NOTHING
        if charge.last_state == OperationState.PENDING:
            return State.UNDER_WAY
        return State.MISSING if charge.customer else State.NO_CUSTOMER
    if sum(item.amount for item in items) != charge.amount:
        return State.DIFFERS
    waits = any(not item.invoice_id for item in items)
    return State.NOT_INVOICED if waits and charge.last_state == OperationState.FAILED else State.SAME


def _why(charge: Any) -> str:
    if charge.last_state != OperationState.FAILED:
        return ""
    return failure_words(outcome_in(charge.last_result))


def _strange_row(item: OnDemandItem, invoices: dict[str, str]) -> Row:
    return Row(
        charge_id=None,
        organization=item.organization.name,
        since=item.since,
        until=item.until,
        credits=item.credits,
        price=None,
        ours=None,
        at_stripe=item.amount,
        state=State.NOT_OURS,
        why="",
        item_id=item.stripe_id,
        invoice=_names([item], invoices),
        checked_at=item.synced_at,
    )


def _names(items: Items, invoices: dict[str, str]) -> str:
    """Of an invoice that the mirror doesn't have yet, its id."""
    return ", ".join(invoices.get(item.invoice_id, item.invoice_id) for item in items if item.invoice_id)
