"""The mirror: whatever order events come in, however often, it ends up as Stripe is."""

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.translation import override
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from billing import gateway
from billing.declines import reason_of
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.mirror.reconciliation import Drift, reconcile
from billing.models import BillingAccount, FoundDrift, Invoice, InvoiceStatus, StripeEvent, Subscription
from billing.webhooks import handle
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.billing.factories import BillingAccountFactory
from tests.billing.world import StripeWorld, deliver
from tests.languages import use_catalogue

pytestmark = pytest.mark.django_db


def deliver_and_handle(events: list[dict[str, Any]]) -> None:
    """Those of a customer that are in the inbox are worked off together."""
    for event in events:
        assert deliver(event).status_code == 200
    for event in events:
        handle(event["id"])


def deliver_and_handle_each(events: list[dict[str, Any]]) -> None:
    """One after the other, each as if no other came."""
    for event in events:
        deliver_and_handle([event])


def as_at_stripe(stripe: StripeWorld, account: BillingAccount) -> dict[str, Any]:
    """The final state, read from Stripe afresh."""
    customer_id = str(account.stripe_customer_id)
    return {
        "customer": gateway.customer(customer_id),
        "subscriptions": {one.id: one.status for one in gateway.subscriptions(customer_id).all},
        "invoices": {
            one.id: (one.status, one.total, one.amount_paid, asdict(one.document))
            for one in gateway.invoices(customer_id).all
        },
    }


def as_mirrored(account: BillingAccount) -> dict[str, Any]:
    account.refresh_from_db()
    return {
        "subscriptions": dict(Subscription.objects.values_list("stripe_id", "status")),
        "invoices": {
            row.stripe_id: (row.status, row.total, row.amount_paid, row.document)
            for row in Invoice.objects.exclude(status=InvoiceStatus.DELETED)
        },
    }


def assert_mirror_is_right(stripe: StripeWorld, account: BillingAccount) -> None:
    there, here = as_at_stripe(stripe, account), as_mirrored(account)
    assert here["subscriptions"] == there["subscriptions"]
    assert here["invoices"] == there["invoices"]
    default = there["customer"].pays
    assert account.payment_method_id == (default.id if default else "")


def a_busy_month(stripe: StripeWorld, account: BillingAccount) -> None:
    """A card, a subscription that renews, another card, invoices: an open, a voided, a deleted draft."""
    stripe.attach_default(account)
    stripe.subscribe(account)
    stripe.control.advance(days=32)
    stripe.control.advance(hours=2)
    stripe.attach_default(account, "pm_card_mastercard")
    stripe.api.invoices.void_invoice(stripe.invoice(account).id)
    stripe.invoice(account)
    stripe.api.invoices.delete(stripe.invoice(account, finalize=False).id)


# In two groups, for two workers.
@pytest.mark.slow
@pytest.mark.parametrize(
    "orders",
    [
        pytest.param(1, id="1-order"),
        *(pytest.param(12, id=f"12-orders-{group}", marks=pytest.mark.slow) for group in (1, 2)),
    ],
)
def test_events_in_any_order_and_number_end_as_at_stripe(
    orders: int, stripe: StripeWorld, account: BillingAccount
) -> None:
    a_busy_month(stripe, account)
    events = stripe.events()
    assert len(events) > 15
    numbers = range(len(events))

    @settings(max_examples=orders, deadline=None, phases=[Phase.generate], database=None)
    @given(order=st.permutations(numbers), again=st.lists(st.sampled_from(numbers), max_size=3))
    def in_this_order(order: list[int], again: list[int]) -> None:
        for model in (StripeEvent, Invoice, Subscription):
            model.objects.all().delete()
        deliver_and_handle_each([events[number] for number in [*order, *again]])
        assert_mirror_is_right(stripe, account)

    in_this_order()


@pytest.mark.slow
def test_events_that_come_in_while_things_happen_end_as_at_stripe(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    """The last event of each object comes while the object is still changing, the others late."""
    a_busy_month(stripe, account)
    early = stripe.events()
    deliver_and_handle(early[len(early) // 2 :])
    stripe.control.advance(days=31)
    deliver_and_handle(early[: len(early) // 2])
    late = [event for event in stripe.events() if event not in early]
    deliver_and_handle(late[::-1])
    assert_mirror_is_right(stripe, account)


@pytest.mark.django_db(transaction=True)
def test_a_slow_answer_never_overwrites_a_later_one(
    stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Old"})
    real, answered, go_on = gateway.customer, threading.Event(), threading.Event()

    def slowly(customer_id: str) -> Any:
        found = real(customer_id)
        if threading.current_thread().name == "slow":
            answered.set()
            go_on.wait(10)
        return found

    monkeypatch.setattr(gateway, "customer", slowly)
    slow = threading.Thread(target=closing_connection(lambda: sync_customer(account)), name="slow")
    slow.start()
    assert answered.wait(10)
    stripe.api.customers.update(account.stripe_customer_id, {"name": "New"})
    sync_customer(account)
    go_on.set()
    slow.join(10)
    account.refresh_from_db()
    assert account.name == "New"


def closing_connection(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    return run


def test_an_invoice_with_many_lines_is_mirrored_whole(stripe: StripeWorld, account: BillingAccount) -> None:
    invoice = stripe.invoice(account, finalize=False)
    for number in range(24):
        stripe.api.invoice_items.create(
            {
                "customer": account.stripe_customer_id,
                "invoice": invoice.id,
                "amount": 100,
                "currency": "usd",
                "description": f"Item {number}",
            }
        )
    stripe.api.invoices.finalize_invoice(invoice.id)
    sync_invoice(account, invoice.id)
    row = Invoice.objects.get()
    lines = row.document["lines"]
    assert len(lines) == 25
    assert row.total == sum(line["amount"] for line in lines) == 1000 + 24 * 100


def test_a_paid_invoice_is_recorded_once_as_stripes_doing(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    invoice = stripe.invoice(account, amount=5825)
    stripe.api.invoices.pay(invoice.id)
    deliver_and_handle(stripe.events())
    event = AuditEvent.objects.get(action="invoice.paid")
    assert event.actor_name == "Stripe"
    number = Invoice.objects.get().number
    assert event.sentence == f"received $58.25 for invoice {number}"
    with use_catalogue({}), override("de"):
        assert event.sentence == f"received 58,25\xa0$ for invoice {number}"


def told(action: str) -> list[str]:
    return [event.sentence for event in AuditEvent.objects.filter(action=action).order_by("id")]


@pytest.mark.slow
def test_money_given_back_is_recorded_once_as_stripes_doing(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    invoice = stripe.invoice(account, amount=5825)
    stripe.api.credit_notes.create({"invoice": invoice.id, "amount": 825})
    stripe.api.invoices.pay(invoice.id)
    deliver_and_handle(stripe.events())
    number = Invoice.objects.get().number
    assert told("invoice.credited") == [f"credited $8.25 of invoice {number}"]
    assert told("invoice.paid") == [f"received $50.00 for invoice {number}"]
    stripe.api.credit_notes.create({"invoice": invoice.id, "amount": 1000, "refund_amount": 1000})
    stripe.api.credit_notes.create({"invoice": invoice.id, "amount": 500, "credit_amount": 500})
    (charge,) = stripe.api.charges.list({"customer": account.stripe_customer_id}).data
    stripe.api.refunds.create({"charge": charge.id, "amount": 200})
    deliver_and_handle(stripe.events())
    # All that happened since is told at once, and what comes again tells nothing.
    StripeEvent.objects.all().delete()
    deliver_and_handle(stripe.events())
    assert told("invoice.refunded") == [f"refunded $12.00 of invoice {number}"]
    assert told("invoice.credited")[1:] == [f"credited $5.00 of invoice {number}"]
    assert set(AuditEvent.objects.filter(action="invoice.refunded").values_list("actor_name", flat=True)) == {
        "Stripe"
    }


@pytest.mark.slow
def test_a_failed_payment_is_mailed_once_per_attempt_to_whoever_can_mend_it(
    admin: Membership,
    member: Membership,
    billing_manager: Membership,
    stripe: StripeWorld,
    account: BillingAccount,
) -> None:
    stripe.attach_default(account, "pm_card_chargeCustomerFail")
    invoice = stripe.invoice(account, amount=5825)
    for attempt in (1, 2):
        with pytest.raises(Exception, match="declined"):
            stripe.api.invoices.pay(invoice.id)
        # Stripe tells by the second when it was tried.
        stripe.control.advance(hours=1)
        deliver_and_handle(stripe.events())
        for event in stripe.events("invoice.payment_failed"):
            StripeEvent.objects.filter(event_id=event["id"]).delete()
        deliver_and_handle(stripe.events("invoice.payment_failed"))
        mails = OutgoingEmail.objects.filter(kind="payment_failed")
        assert mails.count() == 2 * attempt
    assert {mail.to for mail in mails} == {admin.user.email, billing_manager.user.email}
    assert {(mail.params["amount"], mail.params["currency"]) for mail in mails} == {(5825, "usd")}
    assert AuditEvent.objects.filter(action="invoice.payment_failed").count() == 2


@pytest.mark.slow
def test_a_payment_that_needs_a_person_is_mailed_once_per_attempt_and_not_as_failed(
    admin: Membership,
    member: Membership,
    billing_manager: Membership,
    stripe: StripeWorld,
    account: BillingAccount,
) -> None:
    stripe.attach_default(account)
    stripe.subscribe(account, amount=5825)
    stripe.attach_default(account, "pm_card_authenticationRequired")
    for attempt, days in enumerate([32, 4], 1):
        stripe.control.advance(days=days)
        for _delivery in range(2):
            deliver_and_handle(stripe.events())
            reconcile(account.organization)
        mails = OutgoingEmail.objects.filter(kind="confirmation_needed")
        assert mails.count() == 2 * attempt
    assert {mail.to for mail in mails} == {admin.user.email, billing_manager.user.email}
    told = AuditEvent.objects.filter(action="invoice.confirmation_needed")
    number = Invoice.objects.get(status="open").number
    assert [one.sentence for one in told] == [
        f"asked for a person to confirm the payment of $58.25 for invoice {number}"
    ] * 2
    assert not OutgoingEmail.objects.filter(kind="payment_failed").exists()


@pytest.mark.slow
def test_a_charge_that_found_nothing_to_pay_with_has_failed_too(
    admin: Membership, stripe: StripeWorld, account: BillingAccount
) -> None:
    card = stripe.attach_default(account)
    stripe.subscribe(account)
    stripe.api.payment_methods.detach(card)
    stripe.control.advance(days=32)
    deliver_and_handle(stripe.events())
    invoice = Invoice.objects.open().get()
    assert (invoice.payment_status, invoice.failure_code) == ("failed", "no_payment_method")
    mail = OutgoingEmail.objects.get(kind="payment_failed")
    assert (mail.to, mail.params["reason"]) == (admin.user.email, "no_payment_method")
    assert str(reason_of(mail.params["reason"])) == "nothing was saved that could pay"


@pytest.mark.slow
def test_what_an_invoice_takes_over_from_the_balance_is_paid_like_any_other(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    """A trial's first invoice is of nothing, and yet charges what the customer still owes."""
    stripe.attach_default(account, "pm_usBankAccount_success")
    customer = str(account.stripe_customer_id)
    stripe.api.customers.balance_transactions.create(customer, {"amount": 1500, "currency": "usd"})
    items = [{"price": stripe.price(), "quantity": 1}]
    stripe.api.subscriptions.create({"customer": customer, "items": items, "trial_period_days": 14})
    deliver_and_handle(stripe.events())
    invoice = Invoice.objects.get()
    assert (invoice.total, invoice.amount_due, invoice.payment_status) == (0, 1500, "processing")


@pytest.mark.slow
def test_a_changed_subscription_is_recorded_a_renewed_one_is_not(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscription = stripe.subscribe(account)
    deliver_and_handle(stripe.events())
    recorded = AuditEvent.objects.filter(action="subscription.changed")
    assert recorded.count() == 1
    stripe.control.advance(days=32)
    deliver_and_handle(stripe.events())
    assert recorded.count() == 1
    stripe.api.subscriptions.cancel(subscription.id)
    deliver_and_handle(stripe.events())
    assert recorded.count() == 2
    event = recorded.latest("id")
    assert event.sentence == "changed the subscription; it is canceled"
    with use_catalogue({"canceled": "gekündigt"}), override("de"):
        assert event.sentence == "changed the subscription; it is gekündigt"


@pytest.mark.slow
def test_charges_paused_and_resumed_at_stripe_are_recorded(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscription = stripe.subscribe(account).id
    deliver_and_handle(stripe.events())
    changes: list[dict[str, Any]] = [
        {"pause_collection": {"behavior": "void"}},
        {"pause_collection": {"behavior": "keep_as_draft"}},
        {"pause_collection": ""},
    ]
    for change in changes:
        stripe.api.subscriptions.update(subscription, change)
        deliver_and_handle(stripe.events())
    rows = AuditEvent.objects.filter(action__startswith="subscription.collection_").order_by("id")
    assert [str(row) for row in rows] == [
        "Stripe paused the charges of the subscription",
        "Stripe resumed the charges of the subscription",
    ]


def test_the_first_import_of_a_customer_with_a_past_is_nobodys_news(
    admin: Membership, stripe: StripeWorld
) -> None:
    account = stripe.account_for(admin.organization, synced=False)
    a_busy_month(stripe, account)
    (charge, *_others) = stripe.api.charges.list({"customer": account.stripe_customer_id}).data
    stripe.api.refunds.create({"charge": charge.id, "amount": 200})
    assert reconcile(admin.organization).total > 3
    assert Invoice.objects.filter(refunded=200).exists()
    assert not AuditEvent.objects.exists()
    assert not OutgoingEmail.objects.exists()
    assert not FoundDrift.objects.exists()
    assert_mirror_is_right(stripe, account)


@pytest.mark.slow
def test_reconcile_heals_what_lost_webhooks_left_and_counts_it(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    a_busy_month(stripe, account)
    deliver_and_handle(stripe.events())
    assert reconcile(account.organization) == Drift()
    stripe.control.advance(days=31)
    stripe.control.advance(hours=2)
    stripe.attach_default(account, "pm_card_amex")
    drift = reconcile(account.organization)
    assert drift.customers == 1
    assert drift.subscriptions == 1
    assert drift.invoices >= 1
    assert_mirror_is_right(stripe, account)
    assert reconcile(account.organization) == Drift()


def test_a_draft_deleted_unheard_is_healed_too(stripe: StripeWorld, account: BillingAccount) -> None:
    draft = stripe.invoice(account, finalize=False)
    reconcile(account.organization)
    FoundDrift.objects.all().delete()
    stripe.api.invoices.delete(draft.id)
    assert reconcile(account.organization) == Drift(invoices=1)
    found = FoundDrift.objects.for_org(account.organization).get()
    assert (found.invoices, found.customers) == (1, 0), "support is told"
    assert Invoice.objects.get().status == InvoiceStatus.DELETED


def test_one_organizations_trouble_does_not_stop_the_reconciling_of_others(
    stripe: StripeWorld, account: BillingAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    BillingAccountFactory(stripe_customer_id="cus_nobody", organization__slug="aaa-first")
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    with pytest.raises(CommandError, match="1 organizations"):
        call_command("reconcile")
    account.refresh_from_db()
    assert account.name == "Renamed"
