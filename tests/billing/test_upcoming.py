"""What comes next: Stripe's figure, or none and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.methods import Method
from billing.models import Subscription
from billing.sums import INCLUDED
from billing.upcoming import NoFigure, Upcoming, next_charges_of, upcoming_of
from tests.billing.factories import SubscriptionFactory, document, line

CARD = Method(id="pm_customer", name="Visa ending 4242", is_card=True, valid_until=None)
OWN = {
    "id": "pm_own",
    "kind": "card",
    "brand": "mastercard",
    "last4": "4444",
    "exp_month": 1,
    "exp_year": 2040,
}


def subscription(**fields: Any) -> Subscription:
    made: Subscription = SubscriptionFactory.build(**fields)
    return made


def upcoming(customer_pays: Method | None = CARD, **fields: Any) -> Upcoming:
    return upcoming_of(subscription(**fields), customer_pays=customer_pays, confirmed_at=None)


def preview(amount: int, *, at: str = "2026-12-01T01:00:00+00:00", currency: str = "usd") -> dict[str, Any]:
    return {
        "missing": "",
        "currency": currency,
        "at": at,
        "total": amount,
        "amount_due": amount,
        "document": document([line("Seats", amount)]),
    }


NONE_TO_COME = {**preview(0), "missing": "invoice_upcoming_none", "document": None}


def test_the_figure_is_the_previews_and_not_quantity_times_price() -> None:
    assert upcoming(preview=preview(90_000)).amount == 90_000


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"preview": None}, NoFigure.NOT_ASKED),
        ({"preview": NONE_TO_COME}, NoFigure.NONE_TO_COME),
        ({"preview": NONE_TO_COME, "cancel_at_period_end": True}, NoFigure.ENDS),
        ({"preview": {**NONE_TO_COME, "missing": "another_code"}}, NoFigure.NOT_SAID),
        ({"pause_behavior": "void"}, NoFigure.NOT_CHARGED),
        *(({"status": status}, NoFigure.NOT_CHARGED) for status in ["paused", "incomplete", "unpaid", "new"]),
    ],
)
def test_without_a_preview_that_is_charged_there_is_no_figure(
    fields: dict[str, Any], reason: NoFigure
) -> None:
    one = upcoming(**fields)
    assert (one.amount, one.at, one.rows, one.no_figure) == (None, None, [], reason)


def test_a_price_by_use_alone_has_no_figure() -> None:
    metered = [{**subscription().items[0], "metered": True, "unit_amount": ""}]
    assert upcoming(items=metered).no_figure is NoFigure.BY_USE


def test_of_a_fixed_and_a_metered_price_the_figure_still_grows() -> None:
    fixed = subscription().items[0]
    one = upcoming(items=[fixed, {**fixed, "metered": True}])
    assert (one.amount, one.grows) == (20_000, True)


@pytest.mark.parametrize(
    ("fields", "customer_pays", "name"),
    [
        ({"pays": OWN}, CARD, "Mastercard ending 4444"),
        ({}, CARD, "Visa ending 4242"),
        ({"pays": OWN}, None, "Mastercard ending 4444"),
        ({}, None, None),
        ({"charged_automatically": False}, CARD, None),
    ],
)
def test_what_a_subscription_has_of_its_own_pays_before_the_customers(
    fields: dict[str, Any], customer_pays: Method | None, name: str | None
) -> None:
    found = upcoming(customer_pays, **fields).pays
    assert (found.name if found else None) == name


def test_what_is_charged_the_same_day_is_summed_by_currency() -> None:
    several = [
        upcoming(preview=preview(5000)),
        upcoming(preview=preview(20_000, at="2026-12-01T23:00:00+00:00")),
        upcoming(preview=preview(700, currency="eur"), currency="eur"),
        upcoming(preview=preview(9900, at="2026-12-02T00:00:00+00:00")),
        upcoming(preview=None),
    ]
    charges = next_charges_of(several)
    assert [(one.currency, one.amount, len(one.parts)) for one in charges] == [
        ("eur", 700, 1),
        ("usd", 25_000, 2),
    ]
    assert charges[0].at == datetime(2026, 12, 1, 1, tzinfo=UTC)


def test_without_a_figure_nothing_is_announced() -> None:
    assert next_charges_of([upcoming(preview=None), upcoming(status="paused")]) == []


def charged(*amounts: int, due: int, total: int, **fields: Any) -> dict[str, Any]:
    lines = [line(f"Line {number}", amount) for number, amount in enumerate(amounts)]
    return {**preview(due), "total": total, "document": document(lines, **fields)}


@pytest.mark.parametrize(
    ("known", "parts"),
    [
        (charged(500, due=500, total=500), []),
        (charged(300, 200, due=500, total=500), []),
        (charged(600, due=500, total=500, discounts=[{"name": "X", "amount": 100}]), ["discount"]),
        (
            charged(400, 200, due=500, total=500, discounts=[{"name": "X", "amount": 100}]),
            ["subtotal", "discount"],
        ),
        (charged(600, due=500, total=600, starting_balance=-100), ["total", "applied_balance"]),
        (charged(-600, due=0, total=-600), ["total", "to_balance"]),
    ],
)
def test_from_the_lines_to_the_amount_no_sum_is_said_twice(known: dict[str, Any], parts: list[str]) -> None:
    one = upcoming(preview=known)
    assert [row.part for row in one.steps] == parts
    added = sum(line["amount"] for line in one.lines) + sum(
        row.amount for row in one.steps if not row.is_result and row.part not in INCLUDED
    )
    assert added == one.amount
