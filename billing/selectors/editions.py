"""What is sold, with what one's own use of the last month, or any use, would cost at each edition's rate."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from billing.models import Subscription
from billing.money import format_money
from billing.offers import Offer, offers
from billing.selectors.estimates import AVERAGE_MONTH_HOURS, CreditCost, Month, credit_cost
from orgs.editions import CREDIT_CURRENCY, Edition
from orgs.models import Membership
from usage.selectors import ResourcesNow, usage_of_days


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
    ``estimate``: of the month that the page reckons with, as far as there is one.
    """

    offer: Offer
    own: bool
    chosen: bool
    cost: str
    estimate: CreditCost | None


@dataclass(frozen=True)
class EditionsPage:
    """``month``: what the estimates are of; None: nobody has said, and nothing was counted.

    ``as_of``: when Stripe told the oldest of the prices; None: it has told none.
    """

    rows: list[EditionRow]
    use: Use
    month: Month | None
    subscribed: bool

    @property
    def as_of(self) -> datetime | None:
        told = (row.offer.as_of for row in self.rows)
        return min(filter(None, told), default=None)


def editions_page(
    membership: Membership,
    *,
    chosen: str = "",
    resources: int | None = None,
    hours: int = AVERAGE_MONTH_HOURS,
) -> EditionsPage:
    """``chosen``: the code of an edition, or anything else.

    ``resources``, ``hours``: to estimate a month by; without ``resources`` those in the last counted hour.
    """
    organization = membership.organization
    use, now = _use_of_last_month(membership)
    if resources is None and now:
        resources = now.resources
    month = Month(resources, hours) if resources is not None else None
    return EditionsPage(
        rows=[
            EditionRow(
                offer,
                own=offer.edition.code == organization.edition_code,
                chosen=offer.edition.code == chosen,
                cost=_cost(offer.edition, use.credits),
                estimate=credit_cost(offer.edition, month.credits) if month else None,
            )
            for offer in offers()
        ],
        use=use,
        month=month,
        subscribed=Subscription.objects.for_org(organization).current().exists(),
    )


def _use_of_last_month(membership: Membership) -> tuple[Use, ResourcesNow | None]:
    this_month = timezone.now().date().replace(day=1)
    month = (this_month - timedelta(days=1)).replace(day=1)
    consumed, now = usage_of_days(membership.organization_id, month, this_month)
    return Use(month, consumed), now


def _cost(edition: Edition, consumed: int) -> str:
    cost = credit_cost(edition, consumed)
    return format_money(cost.amount, CREDIT_CURRENCY) if cost and consumed else ""
