"""What a person reads before a subscription ends, or is kept."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.endings import Ending, ending_of, stamp
from billing.models import Subscription
from billing.money import format_money
from billing.offers import period_words
from orgs.capacity import taken_by
from orgs.editions import STARTING_EDITION, Edition, edition_for_price, edition_of
from orgs.models import Membership
from orgs.policy import Role


@dataclass(frozen=True)
class EndingPage:
    """``name``: of what is sold. ``shown_end``: what the form carries of it.

    ``still_due``: lines that wait for the invoice at the end of the period, as Stripe last previewed it.
    ``grows``: a part depends on use, or credits are sold by use. ``costs``: the price of a period, before
    discounts and tax, empty where it has no one figure. ``after``: the edition that the organization has
    afterwards; None: another subscription goes on. ``surplus``: how many billing managers there are, where
    that one has room for fewer.
    """

    subscription: Subscription
    name: str
    ending: Ending
    still_due: list[dict[str, Any]]
    grows: bool
    costs: str
    after: Edition | None
    surplus: int | None

    @property
    def shown_end(self) -> str:
        return stamp(self.subscription.period_end)

    @property
    def ends(self) -> datetime | None:
        return self.subscription.period_end


def ending_page(membership: Membership, subscription_id: uuid.UUID) -> EndingPage:
    """Raises Subscription.DoesNotExist for one that has ended, or is another organization's."""
    pages = ending_pages(membership)
    page = next((one for one in pages if one.subscription.pk == subscription_id), None)
    if page is None:
        raise Subscription.DoesNotExist
    return page


def ending_pages(membership: Membership) -> list[EndingPage]:
    """Of each subscription that hasn't ended."""
    current = list(Subscription.objects.for_org(membership.organization_id).current())
    return [_page(membership, one, is_only=len(current) == 1) for one in current]


def _page(membership: Membership, subscription: Subscription, *, is_only: bool) -> EndingPage:
    after = _edition_afterwards(subscription) if is_only else None
    return EndingPage(
        subscription=subscription,
        name=_name_of(subscription),
        ending=ending_of(subscription),
        still_due=_lines_that_wait(subscription),
        grows=any(item["metered"] for item in subscription.items) or _sells_credits(subscription),
        costs=_costs_of(subscription),
        after=after,
        surplus=_surplus(membership, after) if after else None,
    )


def _edition_afterwards(subscription: Subscription) -> Edition:
    return edition_of(STARTING_EDITION, on=(subscription.period_end or subscription.synced_at).date())


def _surplus(membership: Membership, after: Edition) -> int | None:
    taken = taken_by(membership.organization, Role.BILLING_MANAGER)
    limit = after.billing_managers
    return taken if limit is not None and taken > limit else None


def _sold_by(subscription: Subscription) -> list[Edition]:
    day = subscription.synced_at.date()
    sold = (edition_for_price(item["lookup_key"], on=day) for item in subscription.items)
    return [edition for edition in sold if edition is not None]


def _name_of(subscription: Subscription) -> str:
    return ", ".join(dict.fromkeys(edition.name for edition in _sold_by(subscription)))


def _sells_credits(subscription: Subscription) -> bool:
    return any(edition.credit_price is not None for edition in _sold_by(subscription))


def _lines_that_wait(subscription: Subscription) -> list[dict[str, Any]]:
    preview = subscription.preview
    if preview is None or preview["missing"]:
        return []
    return [line for line in preview["document"]["lines"] if line["item"]]


def _costs_of(subscription: Subscription) -> str:
    """What all items cost in a period of theirs; "$6,000.00 a year"."""
    items = subscription.items
    periods = {(item["interval"], item["interval_count"]) for item in items}
    if len(periods) != 1 or any(item["metered"] or not item["unit_amount"] for item in items):
        return ""
    total = sum(Decimal(item["unit_amount"]) * item["quantity"] for item in items)
    amount = format_money(int(total.to_integral_value()), subscription.currency)
    return f"{amount} {period_words(*periods.pop())}"
