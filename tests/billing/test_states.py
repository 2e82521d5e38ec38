"""Each state of Stripe's has words of its own. ``docs/stripe-states.md`` shows the same tables."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from billing import invoice_states, subscription_states
from billing.invoice_states import InvoiceState
from billing.subscription_states import SubscriptionState
from tests.billing.factories import InvoiceFactory, SubscriptionFactory

LATER = datetime(2100, 1, 1, tzinfo=UTC)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "stripe-states.md"

# At Stripe, as the document says it; what of that we keep; the state; whether it charges, or is owed.
SUBSCRIPTIONS: list[tuple[str, dict[str, Any], bool, SubscriptionState, bool]] = [
    ("`active`", {"status": "active"}, True, SubscriptionState.ACTIVE, True),
    ("`active`, nothing saved that pays", {"status": "active"}, False, SubscriptionState.ACTIVE, True),
    ("`trialing`", {"status": "trialing"}, True, SubscriptionState.TRIAL, True),
    (
        "`trialing`, `missing_payment_method: cancel`",
        {"status": "trialing", "trial_without_method": "cancel"},
        True,
        SubscriptionState.TRIAL,
        True,
    ),
    (
        "`trialing`, `missing_payment_method: cancel`, nothing saved that pays",
        {"status": "trialing", "trial_without_method": "cancel"},
        False,
        SubscriptionState.TRIAL_ENDS,
        False,
    ),
    (
        "`trialing`, `missing_payment_method: pause`, nothing saved that pays",
        {"status": "trialing", "trial_without_method": "pause"},
        False,
        SubscriptionState.TRIAL_PAUSES,
        False,
    ),
    (
        "`trialing`, `missing_payment_method: create_invoice`, nothing saved that pays",
        {"status": "trialing", "trial_without_method": "create_invoice"},
        False,
        SubscriptionState.TRIAL,
        True,
    ),
    (
        "`trialing`, `cancel_at_period_end`",
        {"status": "trialing", "cancel_at_period_end": True},
        True,
        SubscriptionState.ENDING,
        True,
    ),
    (
        "`active`, `cancel_at_period_end`",
        {"status": "active", "cancel_at_period_end": True},
        True,
        SubscriptionState.ENDING,
        True,
    ),
    (
        "`active`, `cancel_at` a day",
        {"status": "active", "cancel_at": LATER},
        True,
        SubscriptionState.ENDING,
        True,
    ),
    ("`past_due`", {"status": "past_due"}, True, SubscriptionState.OVERDUE, True),
    (
        "`past_due`, `cancel_at_period_end`",
        {"status": "past_due", "cancel_at_period_end": True},
        True,
        SubscriptionState.OVERDUE,
        True,
    ),
    ("`unpaid`", {"status": "unpaid"}, True, SubscriptionState.UNPAID, False),
    ("`incomplete`", {"status": "incomplete"}, True, SubscriptionState.INCOMPLETE, False),
    ("`incomplete_expired`", {"status": "incomplete_expired"}, True, SubscriptionState.NOT_STARTED, False),
    ("`paused`", {"status": "paused"}, True, SubscriptionState.PAUSED, False),
    ("`canceled`", {"status": "canceled"}, True, SubscriptionState.ENDED, False),
    ("a status that we don't know", {"status": "something new"}, True, SubscriptionState.UNKNOWN, False),
    *(
        (
            f"`{status}`, `pause_collection: {behavior}`",
            {"status": status, "pause_behavior": behavior},
            True,
            SubscriptionState.COLLECTION_PAUSED,
            False,
        )
        for status in ("active", "trialing", "past_due")
        for behavior in ("keep_as_draft", "mark_uncollectible", "void")
    ),
]


@pytest.mark.parametrize(("_words", "fields", "is_covered", "state", "charges"), SUBSCRIPTIONS)
def test_a_subscription_is_called_what_it_is(
    _words: str, fields: dict[str, Any], is_covered: bool, state: SubscriptionState, charges: bool
) -> None:
    found = subscription_states.state_of(SubscriptionFactory.build(**fields), is_covered=is_covered)
    assert (found, found.charges) == (state, charges)


INVOICES: list[tuple[str, dict[str, Any], InvoiceState, bool]] = [
    ("`draft`", {"status": "draft"}, InvoiceState.DRAFT, False),
    ("`open`", {"status": "open"}, InvoiceState.DUE, True),
    ("`open`, before its due date", {"status": "open", "due_at": LATER}, InvoiceState.DUE, True),
    ("`open`, after its due date", {"status": "open", "due_at": BEFORE}, InvoiceState.OVERDUE, True),
    ("`open`, paid in part", {"status": "open", "amount_paid": 100}, InvoiceState.PARTLY_PAID, True),
    (
        "`open`, payment `processing`",
        {"status": "open", "payment_status": "processing"},
        InvoiceState.ON_ITS_WAY,
        False,
    ),
    (
        "`open`, payment `processing`, after its due date",
        {"status": "open", "payment_status": "processing", "due_at": BEFORE},
        InvoiceState.ON_ITS_WAY,
        False,
    ),
    (
        "`open`, payment `requires_action`",
        {"status": "open", "payment_status": "requires_action"},
        InvoiceState.NEEDS_CONFIRMATION,
        True,
    ),
    (
        "`open`, payment failed (`requires_payment_method` with an error)",
        {"status": "open", "payment_status": "failed"},
        InvoiceState.FAILED,
        True,
    ),
    ("`paid`", {"status": "paid"}, InvoiceState.PAID, False),
    (
        "`paid`, nothing was due: balance, credit note, or too small to charge",
        {"status": "paid", "amount_due": 0},
        InvoiceState.COVERED,
        False,
    ),
    ("`paid`, of zero", {"status": "paid", "total": 0, "amount_due": 0}, InvoiceState.NOTHING_DUE, False),
    (
        "`paid`, of less than zero",
        {"status": "paid", "total": -500, "amount_due": 0},
        InvoiceState.TO_BALANCE,
        False,
    ),
    ("`paid`, refunded in whole", {"status": "paid", "refunded": 5825}, InvoiceState.REFUNDED, False),
    (
        "`paid`, refunded in part and the rest credited",
        {"status": "paid", "refunded": 5000, "credited": 825},
        InvoiceState.REFUNDED,
        False,
    ),
    ("`paid`, refunded in part", {"status": "paid", "refunded": 100}, InvoiceState.PARTLY_REFUNDED, False),
    (
        "`paid`, credited in whole, to the balance or outside Stripe",
        {"status": "paid", "credited": 5825},
        InvoiceState.CREDITED,
        False,
    ),
    ("`paid`, credited in part", {"status": "paid", "credited": 100}, InvoiceState.PARTLY_CREDITED, False),
    ("`uncollectible`", {"status": "uncollectible"}, InvoiceState.WRITTEN_OFF, False),
    (
        "`uncollectible`, payment failed",
        {"status": "uncollectible", "payment_status": "failed"},
        InvoiceState.WRITTEN_OFF,
        False,
    ),
    (
        "`uncollectible`, payment `processing`",
        {"status": "uncollectible", "payment_status": "processing"},
        InvoiceState.ON_ITS_WAY,
        False,
    ),
    ("`void`", {"status": "void"}, InvoiceState.VOID, False),
]


@pytest.mark.parametrize(("_words", "fields", "state", "is_owed"), INVOICES)
def test_an_invoice_is_called_what_it_is(
    _words: str, fields: dict[str, Any], state: InvoiceState, is_owed: bool
) -> None:
    found = invoice_states.state_of(InvoiceFactory.build(**fields))
    assert (found, found.is_owed) == (state, is_owed)


def test_the_document_shows_the_same_tables() -> None:
    rows = [
        tuple(cell.strip() for cell in row.strip("|").split("|"))
        for row in DOCUMENT.read_text().splitlines()
        if row.startswith("|") and not row.startswith(("|---", "| at Stripe"))
    ]
    subscriptions = [(words, state, charges) for words, _fields, _covered, state, charges in SUBSCRIPTIONS]
    told = [*subscriptions, *((words, state, is_owed) for words, _fields, state, is_owed in INVOICES)]
    assert rows == [(words, str(state.label), "yes" if money else "no") for words, state, money in told]


def test_every_state_has_a_label() -> None:
    assert all(str(state.label) for state in [*InvoiceState, *SubscriptionState])
