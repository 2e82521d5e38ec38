"""What comes next of several subscriptions that share one customer's balance.

Each of Stripe's previews spends the whole balance, as if it were the only one to come. It is spent once, by
what is charged first: https://docs.stripe.com/billing/customer/balance
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from billing.sums import sums_to_due
from billing.upcoming import Upcoming

NEVER = datetime.max.replace(tzinfo=UTC)


def spend_balance_once(upcoming: Iterable[Upcoming]) -> list[Upcoming]:
    """In the order of their charges, each with what those before it leave of the balance."""
    left: dict[str, int] = {}
    return [_with_balance(one, left) for one in sorted(upcoming, key=lambda one: one.at or NEVER)]


def _with_balance(one: Upcoming, left: dict[str, int]) -> Upcoming:
    """``left``: the balance in each currency that the charges before it had, brought up to date."""
    preview = one.subscription.preview
    if one.amount is None or preview is None:
        return one
    document, total, due = preview["document"], preview["total"], one.amount
    starting = left.get(one.currency, document["starting_balance"])
    if starting != document["starting_balance"]:
        due = max(0, total + starting)
        rows = sums_to_due({**document, "starting_balance": starting}, total=total, amount_due=due)
        one = replace(one, amount=due, rows=rows)
    left[one.currency] = starting + total - due
    return one
