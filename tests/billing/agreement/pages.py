"""Whether what people read is what Stripe would charge, and to what."""

from collections import Counter
from typing import Any

from billing.invoice_states import InvoiceState, state_of
from billing.models import Invoice, InvoiceStatus
from billing.selectors import billing_page
from billing.selectors.saved_methods import methods_page
from billing.sums import Part
from billing.upcoming import Upcoming
from orgs.models import Membership
from stripe_simulator.collection import payment_method_for
from stripe_simulator.simulator import Simulator
from tests.billing.test_sums import adds_up
from tests.billing.world import StripeWorld


def assert_pages_are_true(stripe: StripeWorld, simulator: Simulator, reader: Membership) -> None:
    invoices = {row.stripe_id: simulator.store.get(row.stripe_id) or {} for row in Invoice.objects.issued()}
    _assert_billing_is_true(stripe, simulator, reader, invoices)
    _assert_methods_are_true(simulator, reader)
    for row in Invoice.objects.issued():
        _assert_it_adds_up(row, invoices[row.stripe_id])


def _assert_billing_is_true(
    stripe: StripeWorld, simulator: Simulator, reader: Membership, invoices: dict[str, dict[str, Any]]
) -> None:
    """What comes next, what pays it and what is owed are what Stripe would charge."""
    page = billing_page(reader)
    known = sorted((one for one in page.upcoming if one.at is not None), key=lambda one: str(one.at))
    for place, one in enumerate(known):
        # Each preview spends the customer's whole balance: of several, only the first charge does.
        _assert_upcoming_is_true(one, stripe, simulator, is_first=place == 0)
    owed = {sum_.currency: sum_.amount for sum_ in page.owed.sums} if page.owed else {}
    there: Counter[str] = Counter()
    for invoice in Invoice.objects.open():
        body = invoices[invoice.stripe_id]
        if state_of(invoice) is not InvoiceState.ON_ITS_WAY:
            there[body["currency"]] += body["amount_remaining"]
    assert owed == there


def _assert_upcoming_is_true(
    one: Upcoming, stripe: StripeWorld, simulator: Simulator, *, is_first: bool
) -> None:
    if one.amount is None or one.at is None:
        return
    preview = stripe.api.invoices.create_preview({"subscription": one.subscription.stripe_id})
    assert one.currency == preview.currency
    assert one.amount == preview.amount_due or not is_first
    assert one.at.timestamp() == (preview.next_payment_attempt or preview.period_end)
    assert adds_up(one.rows)
    assert Part.ADJUSTMENT not in {row.part for row in one.rows}
    if one.subscription.charged_automatically:
        with simulator.store.transaction():
            charged = payment_method_for(simulator, preview.to_dict())
        assert (one.pays.id if one.pays else None) == (charged["id"] if charged else None)


def _assert_methods_are_true(simulator: Simulator, reader: Membership) -> None:
    """*Payment methods* lists what Stripe has, and what would be charged can't be removed."""
    rows = methods_page(reader.organization).rows
    for row in rows:
        found = simulator.store.get(row.method.id)
        assert found is not None
        assert found["customer"] is not None
    subscriptions = simulator.store.select("subscription")
    going_on = [one for one in subscriptions if one["status"] not in {"canceled", "incomplete_expired"}]
    charged = {one["default_payment_method"] for one in going_on} - {None}
    assert charged <= {row.method.id for row in rows}
    assert not charged & {row.method.id for row in rows if row.can_be_removed}


def _assert_it_adds_up(row: Invoice, body: dict[str, Any]) -> None:
    assert (row.total, row.amount_due) == (body["total"], body["amount_due"])
    assert row.amount_remaining == body["amount_remaining"]
    rows = row.sums
    assert adds_up(rows)
    assert Part.ADJUSTMENT not in {part.part for part in rows}
    owed = row.status in {InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE}
    assert rows[-1].amount == (body["amount_remaining"] if owed else 0)
