"""What a change of the plan costs, as Stripe says: shown to a person, and accepted as a whole or not at all.

A page shows an offer and keeps nothing. Signed, it comes back with the press, so that what is accepted is
what was shown; it becomes an operation of the offer's own id, so that it is accepted once.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateway
from billing.gateway.records import Preview
from billing.models import Subscription
from billing.plans import Plan, is_larger, planned_changes, version_of
from billing.sealing import seal, unseal
from billing.sums import Row, steps_of, sums_to_due
from orgs.dates import day
from orgs.editions import Edition
from orgs.errors import Refused
from orgs.models import Membership

SALT = "billing.plan_offers"


class Charge(NamedTuple):
    """What an invoice comes to, in minor units. ``amount_due``: after the balance."""

    total: int
    amount_due: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A change of the plan at its price. Amounts in minor units, taxes included.

    ``version``: of the subscription, see ``plans.version_of``. ``old``, ``new``: edition and seats, see
    ``terms``. ``at_once``: else it counts from the period's end. ``in_trial``: at once and without a charge,
    and the trial goes on. ``at``: in seconds, the moment from which it is counted. ``replaces``: the id of
    the item and of the price that give way. ``total``, ``amount_due``: of the invoice that comes of it at
    once. ``period_total``: of each whole period from then on. ``managers``: the memberships of the billing
    managers who were shown, where not all of them may stay.
    """

    id: str
    membership: str
    subscription: str
    version: str
    old: dict[str, Any]
    new: dict[str, Any]
    at_once: bool
    in_trial: bool = False
    at: int
    replaces: dict[str, str]
    price: str
    quantity: int | None
    interval: str
    currency: str
    total: int
    amount_due: int
    period_total: int
    managers: list[str]

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def charge(self) -> Charge:
        """What the change is invoiced at: at once, or for the first period that it counts for.

        The balance of that day is nobody's to foresee.
        """
        if self.at_once:
            return Charge(self.total, self.amount_due, self.currency)
        return Charge(self.period_total, self.period_total, self.currency)

    @property
    def bought(self) -> dict[str, Any]:
        """What stands in place of the item that gives way."""
        return bought(self.price, self.quantity)

    @property
    def items(self) -> list[dict[str, Any]]:
        return [{"id": self.replaces["item"], **self.bought}]

    @property
    def sealed(self) -> str:
        return seal(self, salt=SALT)


@dataclass(frozen=True)
class Bill:
    """How Stripe comes to an amount, line by line."""

    lines: Sequence[Mapping[str, Any]]
    steps: Sequence[Row]


@dataclass(frozen=True)
class Offered:
    """An offer and how Stripe came to it. ``now``: None where nothing is charged at once.

    ``renews``: the day (UTC) from which whole periods are charged.
    """

    offer: Offer
    edition: Edition
    now: Bill | None
    period: Bill
    renews: date
    told_at: datetime


@dataclass(frozen=True)
class ItemPrice:
    """The price at which something is bought, by its id at Stripe. ``interval``: month or year."""

    id: str
    currency: str
    interval: str
    metered: bool


def bought(price: str, quantity: int | None) -> dict[str, Any]:
    """As Stripe takes it; ``quantity``: None for what is metered."""
    return {"price": price} if quantity is None else {"price": price, "quantity": quantity}


def terms(edition: Edition, seats: int | None) -> dict[str, Any]:
    """A plan as codes; ``seats``: None where none are sold."""
    return {"edition": edition.code, "seats": seats}


def ask_for_offer(
    reader: Membership,
    plan: Plan,
    edition: Edition,
    *,
    seats: int | None,
    price: ItemPrice,
    managers: list[str],
) -> Offered:
    """Ask Stripe what the change costs. More counts at once; less, and what would be paid back, later.

    In a trial nothing was paid, and everything counts at once. What is planned gives way to what counts
    later; it has to be undone before something can count at once.

    Raises Refused, and what the gateway raises.
    """
    subscription, now = plan.subscription, timezone.now()
    if price.currency != subscription.currency:
        raise Refused(_("%(edition)s is not sold in the currency of your plan.") % {"edition": edition.name})
    quantity = None if price.metered else seats or 1
    shown: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "membership": str(reader.pk),
        "subscription": subscription.stripe_id,
        "version": version_of(subscription),
        "old": terms(plan.edition, plan.seats),
        "new": terms(edition, seats),
        "replaces": {"item": plan.item["id"], "price": plan.item["price_id"]},
        "price": price.id,
        "quantity": quantity,
        "interval": price.interval,
        "currency": price.currency,
        "managers": managers,
    }
    items = [{"id": plan.item["id"], **bought(price.id, quantity)}]
    period = gateway.preview_of_period(subscription.stripe_id, items=items)
    shown["period_total"] = period.total
    each_period = bill_of(period, amount_due=period.total)
    counts_more = is_larger(edition, plan.edition) or (seats or 0) > (plan.seats or 0)
    if counts_more or subscription.status == "trialing":
        _refuse_what_is_planned(subscription)
    if subscription.status == "trialing":
        _ensure_first_charge(period.total, subscription.stripe_id, items)
        offer = Offer(**shown, at_once=True, in_trial=True, at=int(now.timestamp()), total=0, amount_due=0)
        return Offered(offer, edition, None, each_period, plan.period_end.date(), now)
    if counts_more:
        at = int(now.timestamp())
        charge = gateway.preview_of_change(subscription.stripe_id, items=items, at=at)
        if charge.total >= 0:
            offer = Offer(**shown, at_once=True, at=at, total=charge.total, amount_due=charge.amount_due)
            now_bill = bill_of(charge, amount_due=charge.amount_due)
            renews = max((line["period_end"] for line in now_bill.lines), default="")
            renewal = date.fromisoformat(renews) if renews else plan.period_end.date()
            return Offered(offer, edition, now_bill, each_period, renewal, now)
    offer = Offer(**shown, at_once=False, at=int(plan.period_end.timestamp()), total=0, amount_due=0)
    return Offered(offer, edition, None, each_period, plan.period_end.date(), now)


def _refuse_what_is_planned(subscription: Subscription) -> None:
    """Both could not be taken to Stripe in one step: a payment that is declined would leave neither."""
    planned = planned_changes(subscription)
    if planned:
        raise Refused(
            _("This would count at once, and a change is planned for %(day)s. Undo that first.")
            % {"day": day(planned[0].at)}
        )


def _ensure_first_charge(total: int, subscription_id: str, items: list[dict[str, Any]]) -> None:
    """Raises Refused where Stripe's preview of the charge after the trial isn't what each period costs."""
    following = gateway.preview_after_trial(subscription_id, items=items)
    lines = following.document.lines if following.document else []
    if sum(line.net for line in lines if not line.item) != total:
        raise Refused(_("Stripe does not tell for certain what this costs after the trial. Ask support."))


def bill_of(preview: Preview, *, amount_due: int) -> Bill:
    """How Stripe's preview comes to ``amount_due``."""
    document = asdict(preview)["document"]
    rows = sums_to_due(document, total=preview.total, amount_due=amount_due)
    return Bill(document["lines"], steps_of(rows, lines=len(document["lines"])))


def offer_in(sealed: str, *, reader: Membership) -> Offer:
    """The offer that this person was shown within the last hour. Raises PageOutdated."""
    return unseal(Offer, sealed, salt=SALT, reader=reader)
