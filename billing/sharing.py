"""What comes next of several subscriptions of one customer, who has one balance and waiting items for all.

Each of Stripe's previews spends the whole balance and bills all that waits for an invoice of the customer, as
if it were the only one to come. The first to come does, and the others find the rest:
https://docs.stripe.com/billing/customer/balance, https://docs.stripe.com/api/invoiceitems/create
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from billing.sums import sums_to_due
from billing.upcoming import Upcoming

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class _Taken:
    """What earlier charges take: the items that they bill; and by currency the balance that they leave."""

    items: set[str] = field(default_factory=set)
    balances: dict[str, int] = field(default_factory=dict)


def take_once(upcoming: Iterable[Upcoming]) -> list[Upcoming]:
    """In the order of their charges, each with what those before it leave."""
    taken = _Taken()
    return [_after(taken, one) for one in sorted(upcoming, key=lambda one: one.at or NEVER)]


def _after(taken: _Taken, one: Upcoming) -> Upcoming:
    preview = one.subscription.preview
    if one.amount is None or preview is None:
        return one
    document, due = preview["document"], one.amount
    earlier = sum(line["net"] for line in document["lines"] if line["item"] in taken.items)
    total = preview["total"] - earlier
    starting = taken.balances.get(one.currency, document["starting_balance"])
    if earlier or starting != document["starting_balance"]:
        due = max(0, total + starting)
        left = {**document, "starting_balance": starting}
        one = replace(one, amount=due, rows=sums_to_due(left, total=total, amount_due=due, earlier=earlier))
    taken.items |= {line["item"] for line in document["lines"] if line["item"]}
    taken.balances[one.currency] = starting + total - due
    return one
