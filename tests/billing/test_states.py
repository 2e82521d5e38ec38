"""Each state of Stripe's has words of its own. ``docs/stripe-states.md`` shows the same tables."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing import invoice_states, subscription_states
from billing.invoice_states import InvoiceState
from billing.subscription_states import SubscriptionState
from tests.billing.factories import InvoiceFactory, SubscriptionFactory

LATER = datetime(2100, 1, 1, tzinfo=UTC)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)

SUBSCRIPTIONS: list[tuple[dict[str, Any], bool, SubscriptionState, bool]] = [
    ({"status": "active"}, True, SubscriptionState.ACTIVE, True),
    ({"status": "active"}, False, SubscriptionState.ACTIVE, True),
    ({"status": "trialing"}, True, SubscriptionState.TRIAL, True),
    ({"status": "trialing", "trial_without_method": "cancel"}, True, SubscriptionState.TRIAL, True),
    ({"status": "trialing", "trial_without_method": "cancel"}, False, SubscriptionState.TRIAL_ENDS, False),
    ({"status": "trialing", "trial_without_method": "pause"}, False, SubscriptionState.TRIAL_PAUSES, False),
    ({"status": "trialing", "trial_without_method": "create_invoice"}, False, SubscriptionState.TRIAL, True),
    ({"status": "trialing", "cancel_at_period_end": True}, True, SubscriptionState.ENDING, True),
    ({"status": "active", "cancel_at_period_end": True}, True, SubscriptionState.ENDING, True),
    ({"status": "active", "cancel_at": LATER}, True, SubscriptionState.ENDING, True),
    ({"status": "past_due"}, True, SubscriptionState.OVERDUE, True),
    ({"status": "past_due", "cancel_at_period_end": True}, True, SubscriptionState.OVERDUE, True),
    ({"status": "unpaid"}, True, SubscriptionState.UNPAID, False),
    ({"status": "incomplete"}, True, SubscriptionState.INCOMPLETE, False),
    ({"status": "incomplete_expired"}, True, SubscriptionState.NOT_STARTED, False),
    ({"status": "paused"}, True, SubscriptionState.PAUSED, False),
    ({"status": "canceled"}, True, SubscriptionState.ENDED, False),
    ({"status": "something new"}, True, SubscriptionState.UNKNOWN, False),
    *(
        ({"status": status, "pause_behavior": behavior}, True, SubscriptionState.COLLECTION_PAUSED, False)
        for status in ("active", "trialing", "past_due")
        for behavior in ("keep_as_draft", "mark_uncollectible", "void")
    ),
]


@pytest.mark.parametrize(("fields", "is_covered", "state", "charges"), SUBSCRIPTIONS)
def test_a_subscription_is_called_what_it_is(
    fields: dict[str, Any], is_covered: bool, state: SubscriptionState, charges: bool
) -> None:
    found = subscription_states.state_of(SubscriptionFactory.build(**fields), is_covered=is_covered)
    assert (found, found.charges) == (state, charges)


INVOICES: list[tuple[dict[str, Any], InvoiceState, bool]] = [
    ({"status": "draft"}, InvoiceState.DRAFT, False),
    ({"status": "open"}, InvoiceState.DUE, True),
    ({"status": "open", "due_at": LATER}, InvoiceState.DUE, True),
    ({"status": "open", "due_at": BEFORE}, InvoiceState.OVERDUE, True),
    ({"status": "open", "amount_paid": 100}, InvoiceState.PARTLY_PAID, True),
    ({"status": "open", "payment_status": "processing"}, InvoiceState.ON_ITS_WAY, False),
    ({"status": "open", "payment_status": "processing", "due_at": BEFORE}, InvoiceState.ON_ITS_WAY, False),
    ({"status": "open", "payment_status": "requires_action"}, InvoiceState.NEEDS_CONFIRMATION, True),
    ({"status": "open", "payment_status": "failed"}, InvoiceState.FAILED, True),
    ({"status": "paid"}, InvoiceState.PAID, False),
    ({"status": "paid", "amount_due": 0}, InvoiceState.COVERED, False),
    ({"status": "paid", "total": 0, "amount_due": 0}, InvoiceState.NOTHING_DUE, False),
    ({"status": "paid", "total": -500, "amount_due": 0}, InvoiceState.TO_BALANCE, False),
    ({"status": "paid", "refunded": 5825}, InvoiceState.REFUNDED, False),
    ({"status": "paid", "refunded": 5000, "credited": 825}, InvoiceState.REFUNDED, False),
    ({"status": "paid", "refunded": 100}, InvoiceState.PARTLY_REFUNDED, False),
    ({"status": "paid", "credited": 5825}, InvoiceState.CREDITED, False),
    ({"status": "paid", "credited": 100}, InvoiceState.PARTLY_CREDITED, False),
    ({"status": "uncollectible"}, InvoiceState.WRITTEN_OFF, False),
    ({"status": "uncollectible", "payment_status": "failed"}, InvoiceState.WRITTEN_OFF, False),
    ({"status": "uncollectible", "payment_status": "processing"}, InvoiceState.ON_ITS_WAY, False),
    ({"status": "void"}, InvoiceState.VOID, False),
]


@pytest.mark.parametrize(("fields", "state", "is_owed"), INVOICES)
def test_an_invoice_is_called_what_it_is(fields: dict[str, Any], state: InvoiceState, is_owed: bool) -> None:
    found = invoice_states.state_of(InvoiceFactory.build(**fields))
    assert (found, found.is_owed) == (state, is_owed)


def test_every_state_has_a_label() -> None:
    assert all(str(state.label) for state in [*InvoiceState, *SubscriptionState])
