"""What comes next and why: of each current subscription what Stripe says that it charges, when, and by what.

The figures are those of Stripe's previews. Nothing here computes an amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing.endings import Ending, ending_of
from billing.methods import Method, method_of
from billing.models import Subscription
from billing.subscription_states import SubscriptionState, state_of
from billing.sums import Part, Row, steps_of, sums_to_due

# What Stripe answers where no invoice will follow: https://docs.stripe.com/error-codes
NONE_TO_COME = "invoice_upcoming_none"


class NoFigure(StrEnum):
    """Why there is no figure of what comes next. Pages word it."""

    NOT_CHARGED = "not_charged"
    ENDS = "ends"
    NONE_TO_COME = "none_to_come"
    BY_USE = "by_use"
    NOT_ASKED = "not_asked"
    NOT_SAID = "not_said"


@dataclass(frozen=True, kw_only=True)
class Upcoming:
    """The next charge of one subscription, or why none can be told.

    ``pays``: None where nothing is saved, and where invoices are sent. ``at``: also known of a charge that
    depends on use alone. ``amount``: in minor units; where it is None, ``no_figure`` says why. ``grows``: a
    part depends on use, and is counted so far. ``as_of``: when Stripe said so.
    """

    subscription: Subscription
    state: SubscriptionState
    pays: Method | None
    at: datetime | None
    amount: int | None
    currency: str
    rows: list[Row]
    lines: list[Mapping[str, Any]]
    grows: bool
    no_figure: NoFigure | None
    as_of: datetime | None

    @property
    def by_invoice(self) -> bool:
        """Nothing is charged: an invoice is sent."""
        return not self.subscription.charged_automatically

    @property
    def lacks_method(self) -> bool:
        return not self.by_invoice and self.pays is None

    @property
    def comes_to_nothing(self) -> bool:
        """It is known that nothing is charged; else a missing figure is only not known."""
        return (
            self.no_figure in {NoFigure.NOT_CHARGED, NoFigure.ENDS, NoFigure.NONE_TO_COME}
            and self.state is not SubscriptionState.UNKNOWN
        )

    @property
    def ending(self) -> Ending:
        """Whether a person can let it end, or keep it."""
        return ending_of(self.subscription)

    @property
    def name(self) -> str:
        """What it is for: of its prices, else of its lines; "" where Stripe has no words for it."""
        prices = [item["description"] for item in self.subscription.items if item["description"]]
        return ", ".join(prices) or next((line["description"] for line in self.lines), "")

    @property
    def steps(self) -> list[Row]:
        return steps_of(self.rows, lines=len(self.lines))


@dataclass(frozen=True)
class NextCharge:
    """What is charged on the day of the earliest charge, by currency: the sum of ``parts``."""

    at: datetime
    amount: int
    currency: str
    parts: list[Upcoming]

    @property
    def grows(self) -> bool:
        return any(part.grows for part in self.parts)

    @property
    def by_invoice(self) -> bool:
        """All of it is sent as invoices, nothing charged."""
        return all(part.by_invoice for part in self.parts)

    @property
    def includes_tax(self) -> bool:
        return any(row.part in {Part.TAX, Part.INCLUDED_TAX} for part in self.parts for row in part.rows)


def upcoming_of(
    subscription: Subscription, *, customer_pays: Method | None, confirmed_at: datetime | None
) -> Upcoming:
    """``customer_pays``: what pays where the subscription has nothing of its own.

    ``confirmed_at``: when all of the customer was last seen to be as it is here.
    """
    by_invoice = not subscription.charged_automatically
    pays = None if by_invoice else method_of(subscription.pays) or customer_pays
    state = state_of(subscription, is_covered=by_invoice or pays is not None)
    reason = _no_figure(subscription, state)
    known: dict[str, Any] | None = subscription.preview if reason is None else None
    expected: dict[str, Any] | None = subscription.preview if reason is NoFigure.BY_USE else known
    return Upcoming(
        subscription=subscription,
        state=state,
        pays=pays,
        at=datetime.fromisoformat(expected["at"]) if expected else None,
        amount=known["amount_due"] if known else None,
        currency=subscription.currency,
        rows=sums_to_due(known["document"], total=known["total"], amount_due=known["amount_due"])
        if known
        else [],
        lines=known["document"]["lines"] if known else [],
        grows=_is_metered(subscription),
        no_figure=reason,
        as_of=max(
            (moment for moment in (subscription.previewed_at, confirmed_at) if moment is not None),
            default=None,
        ),
    )


def _no_figure(subscription: Subscription, state: SubscriptionState) -> NoFigure | None:
    preview = subscription.preview
    if not state.charges:
        return NoFigure.NOT_CHARGED
    if preview is None:
        return NoFigure.NOT_ASKED
    if preview["missing"]:
        if subscription.ends_at is not None:
            return NoFigure.ENDS
        return NoFigure.NONE_TO_COME if preview["missing"] == NONE_TO_COME else NoFigure.NOT_SAID
    if subscription.items and all(item["metered"] for item in subscription.items):
        return NoFigure.BY_USE
    return None


def _is_metered(subscription: Subscription) -> bool:
    return any(item["metered"] for item in subscription.items)


def next_charges_of(upcoming: Iterable[Upcoming]) -> list[NextCharge]:
    """What is charged on the earliest day (UTC) on which something is, a sum for each currency.

    Where nothing will be charged, the day on which that is so; empty: nothing with a figure.
    """
    with_figure = [one for one in upcoming if one.amount is not None and one.at is not None]
    known = [one for one in with_figure if one.amount] or with_figure
    if not known:
        return []
    first = min(one.at for one in known if one.at is not None)
    same_day = [one for one in known if one.at is not None and one.at.date() == first.date()]
    return [
        NextCharge(
            at=first,
            amount=sum(one.amount or 0 for one in same_day if one.currency == currency),
            currency=currency,
            parts=[one for one in same_day if one.currency == currency],
        )
        for currency in sorted({one.currency for one in same_day})
    ]
