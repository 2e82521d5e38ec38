"""What is sold, with what one's own use of the last month would cost at each edition's rate."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from billing.models import Subscription
from billing.money import format_money
from billing.offers import Offer, offers
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY, Edition
from orgs.models import Membership
from usage.selectors import usage_of_days


@dataclass(frozen=True)
class Use:
    """Credits consumed in the last calendar month (UTC), by our own count."""

    month: date
    credits: int


@dataclass(frozen=True)
class EditionRow:
    """An edition that is sold. ``own``: it is the organization's now. ``chosen``: the person has chosen it.

    ``cost``: of the credits of last month beyond those that are free, at today's rate, as people read it;
    empty where none were used or credits aren't sold. Nothing of it is known to be paid ahead.
    """

    offer: Offer
    own: bool
    chosen: bool
    cost: str


@dataclass(frozen=True)
class EditionsPage:
    """``as_of``: when Stripe told the oldest of the prices; None: it has told none."""

    rows: list[EditionRow]
    use: Use
    subscribed: bool

    @property
    def as_of(self) -> datetime | None:
        told = (row.offer.as_of for row in self.rows)
        return min(filter(None, told), default=None)


def editions_page(membership: Membership, *, chosen: str = "") -> EditionsPage:
    """``chosen``: the code of an edition, or anything else."""
    organization = membership.organization
    use = _use_of_last_month(membership)
    return EditionsPage(
        rows=[
            EditionRow(
                offer,
                own=offer.edition.code == organization.edition_code,
                chosen=offer.edition.code == chosen,
                cost=_cost(offer.edition, use.credits),
            )
            for offer in offers()
        ],
        use=use,
        subscribed=Subscription.objects.for_org(organization).current().exists(),
    )


def _use_of_last_month(membership: Membership) -> Use:
    this_month = timezone.now().date().replace(day=1)
    month = (this_month - timedelta(days=1)).replace(day=1)
    consumed, _now = usage_of_days(membership.organization_id, month, this_month)
    return Use(month, consumed)


def _cost(edition: Edition, consumed: int) -> str:
    if edition.credit_price is None or not consumed:
        return ""
    beyond = max(0, consumed - edition.free_credits)
    return format_money(in_minor_units(beyond * edition.credit_price, CREDIT_CURRENCY), CREDIT_CURRENCY)
