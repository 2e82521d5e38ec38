"""Whether our pages, our mirror and Stripe say the same, and nobody was told a false word."""

from collections import Counter
from typing import Any

from audit.models import AuditEvent
from billing import gateway, payment_outcomes
from billing.actions import ACT_ABANDONED, ACT_FAILED, INVOICE_PAID, PAYMENT_STARTED
from billing.card_outcomes import Outcome
from billing.invoice_states import InvoiceState, state_of
from billing.mirror.rows import values_of
from billing.models import (
    ENDING_KINDS,
    PLAN_CHANGES,
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    OperationState,
    StripeEvent,
    StripeOperation,
    Subscription,
)
from billing.models.operations import SET_UPS
from billing.selectors import billing_page
from billing.sums import Part
from billing.upcoming import Upcoming
from orgs.editions import STARTING_EDITION
from orgs.models import Membership
from outbox.models import OutgoingEmail
from stripe_simulator.collection import payment_method_for
from stripe_simulator.simulator import Simulator
from tests.billing.test_sums import adds_up
from tests.billing.world import StripeWorld

# Of a payment that may still come through.
UNDECIDED = {InvoiceState.ON_ITS_WAY, InvoiceState.NEEDS_CONFIRMATION}
TOLD_CHANGES = {"subscription.plan_changed", "subscription.change_planned", "subscription.change_undone"}
ADDRESSES = {"hosted_url", "pdf_url"}


def assert_all_work_is_finished() -> None:
    assert not StripeEvent.objects.filter(StripeEvent.unfinished).exists()
    assert not StripeEvent.objects.filter(state="failed").exists()
    assert not StripeOperation.objects.filter(StripeOperation.unfinished).exists()


def assert_mirror_equals_stripe(account: BillingAccount) -> None:
    customer = gateway.customer(str(account.stripe_customer_id))
    assert account.customer_deleted == customer.deleted
    assert account.payment_method_id == (customer.pays.id if customer.pays else "")
    if not customer.deleted:
        assert (account.name, account.email) == (customer.name, customer.email)
    subscriptions = gateway.subscriptions(customer.id)
    invoices = gateway.invoices(customer.id)
    assert not subscriptions.unreadable | invoices.unreadable
    listed = {one.id: values_of(one) for one in subscriptions.all}
    # Of what ended with its customer, no more is asked.
    there = {} if customer.deleted else listed
    rows = Subscription.objects.all()
    assert {row.stripe_id: _as_in(row, there) for row in rows if row.stripe_id in there} == there
    assert not rows.current().exclude(stripe_id__in=there).exists()
    there = {one.id: _but_addresses(values_of(one)) for one in invoices.all}
    invoices_here = Invoice.objects.exclude(status=InvoiceStatus.DELETED)
    assert {row.stripe_id: _as_in(row, there) for row in invoices_here if row.stripe_id in there} == there


def _as_in(row: Subscription | Invoice, there: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in there.get(row.stripe_id, {})}


def _but_addresses(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ADDRESSES}


def assert_page_is_true(stripe: StripeWorld, simulator: Simulator, membership: Membership) -> None:
    """What comes next, what pays it and what is owed are what Stripe would charge."""
    page = billing_page(membership)
    known = sorted((one for one in page.upcoming if one.at is not None), key=lambda one: str(one.at))
    for place, one in enumerate(known):
        # Each preview spends the customer's whole balance: of several, only the first charge does.
        _assert_upcoming_is_true(one, stripe, simulator, is_first=place == 0)
    owed = {sum_.currency: sum_.amount for sum_ in page.owed.sums} if page.owed else {}
    there: Counter[str] = Counter()
    for invoice in Invoice.objects.open():
        body = stripe.api.invoices.retrieve(invoice.stripe_id)
        if state_of(invoice) is not InvoiceState.ON_ITS_WAY:
            there[body.currency] += body.amount_remaining
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


def assert_invoices_add_up(stripe: StripeWorld) -> None:
    for row in Invoice.objects.issued():
        body = stripe.api.invoices.retrieve(row.stripe_id)
        assert (row.total, row.amount_due) == (body.total, body.amount_due)
        assert row.amount_remaining == body.amount_remaining
        rows = row.sums
        assert adds_up(rows)
        assert Part.ADJUSTMENT not in {part.part for part in rows}
        owed = row.status in {InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE}
        assert rows[-1].amount == (body.amount_remaining if owed else 0)


# The statuses of a subscription that gives its organization what it sells.
IN_FORCE = {"active", "trialing", "past_due", "unpaid", "paused"}


def assert_terms_are_the_subscriptions(
    stripe: StripeWorld, account: BillingAccount, editions: dict[str, str]
) -> None:
    """``editions``: by the lookup key of their price."""
    organization = account.organization
    organization.refresh_from_db()
    listed = stripe.api.subscriptions.list({"customer": account.stripe_customer_id, "status": "all"}).data
    in_force = [one for one in listed if one.status in IN_FORCE]
    newest_first = sorted(in_force, key=lambda one: (one.created, one.id), reverse=True)
    sold = [
        (editions[item.price.lookup_key], item.quantity)
        for one in newest_first
        for item in one["items"].data
        if item.price.lookup_key in editions
    ]
    if sold:
        edition, quantity = sold[0]
        seats = quantity if organization.edition.per_seat else None
        assert (organization.edition_code, organization.seats) == (edition, seats)
    # What nobody heard of before it was gone changed nothing.
    elif listed and not in_force and Subscription.objects.exists():
        assert organization.edition_code == STARTING_EDITION


def assert_plan_changes_are_true(people: int) -> None:
    """What was charged is what was accepted, nothing failed that was made, and each is told of once."""
    changes = list(StripeOperation.objects.filter(kind__in=PLAN_CHANGES))
    for operation in changes:
        assert "difference" not in operation.result
        made = operation.result.get("outcome") in {"made", "planned", "undone"}
        assert made == (operation.state == OperationState.DONE), operation.result
        offer = operation.params.get("offer", {})
        if operation.kind == "change_plan" and made and not offer["in_trial"]:
            invoice = Invoice.objects.get(stripe_id=operation.stripe_id)
            assert (invoice.total, invoice.amount_due) == (offer["total"], offer["amount_due"])
    done = [operation for operation in changes if operation.state == OperationState.DONE]
    charged = [one.stripe_id for one in done if one.kind == "change_plan" and one.stripe_id]
    assert len(set(charged)) == len(charged)
    assert OutgoingEmail.objects.filter(kind="plan_changed").count() == people * len(done)
    told = AuditEvent.objects.filter(action__in=TOLD_CHANGES)
    assert told.count() == len(done)


def assert_failures_are_told() -> None:
    """Each act that came to nothing has its row, and only those."""
    told = AuditEvent.objects.filter(action__in=[ACT_FAILED.code, ACT_ABANDONED.code])
    rows = Counter(told.values_list("target_id", flat=True))
    failed = StripeOperation.objects.filter(state=OperationState.FAILED)
    # A card that may not be saved has a row of its own.
    refused = failed.filter(kind__in=SET_UPS, result__outcome=Outcome.NOT_ALLOWED)
    assert rows == Counter(str(one.pk) for one in failed.exclude(pk__in=refused))


def assert_payments_are_told() -> None:
    """Each press has its row; what was told as paid was received, once."""
    presses = StripeOperation.objects.filter(kind=OperationKind.PAY_INVOICE)
    assert AuditEvent.objects.filter(action=PAYMENT_STARTED.code).count() == presses.count()
    for press in presses:
        paid = AuditEvent.objects.filter(action=INVOICE_PAID.code, target_id=press.params["invoice"])
        if payment_outcomes.outcome_of(press) is payment_outcomes.Outcome.PAID:
            assert paid.count() == 1


def assert_mails_are_true(stripe: StripeWorld, people: int) -> None:
    """A mail of failure for each attempt that failed, as far as it was seen, and for none other."""
    failed = {
        (event["data"]["object"]["id"], event["data"]["object"]["attempt_count"])
        for event in stripe.events("invoice.payment_failed")
    }
    stripe_ids = {str(row.pk): row.stripe_id for row in Invoice.objects.all()}
    mails = OutgoingEmail.objects.filter(kind="payment_failed")
    each = Counter(mail.dedupe_key.removeprefix("payment_failed:").rsplit(":", 1)[0] for mail in mails)
    told = {":".join(attempt.split(":")[:2]) for attempt in each}
    assert {mail.params["invoice_id"] for mail in mails} <= stripe_ids.keys()
    assert told <= {f"{invoice}:{attempt}" for invoice, attempt in failed}
    # One of them may have pressed, and read it on the page.
    assert set(each.values()) <= {people, people - 1}
    for row in Invoice.objects.open():
        if (row.stripe_id, row.attempt_count) in failed and state_of(row) not in UNDECIDED:
            assert f"{row.stripe_id}:{row.attempt_count}" in told
    saved = [one for one in StripeOperation.objects.all() if one.result.get("outcome") == Outcome.UPDATED]
    assert OutgoingEmail.objects.filter(kind="card_updated").count() == people * len(saved)


def assert_purchases_are_as_told(stripe: StripeWorld, people: int) -> None:
    """Of what was bought there is an operation, and it says whether the subscription stayed."""
    purchases = StripeOperation.objects.filter(kind=OperationKind.START_SUBSCRIPTION)
    ends = {str(one.pk): one for one in purchases}
    for body in stripe.api.subscriptions.list({"status": "all", "limit": 100}).data:
        operation = ends.get(body.metadata.to_dict().get("portal_operation", ""))
        if operation is not None and operation.state == OperationState.FAILED:
            assert body.status == "canceled"
            assert "outcome" in operation.result
    started = [one for one in ends.values() if one.state == OperationState.DONE]
    assert AuditEvent.objects.filter(action="subscription.started").count() == len(started)
    assert OutgoingEmail.objects.filter(kind="subscription_started").count() == people * len(started)
    changed = StripeOperation.objects.filter(kind__in=ENDING_KINDS, state=OperationState.DONE).count()
    told = AuditEvent.objects.filter(action__in=["subscription.ending", "subscription.kept"])
    assert told.count() == changed
