"""What a reconciliation confirms is not written, and no late answer undoes it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from bench.statements import sent_statements
from billing import gateway
from billing.gateway import records
from billing.mirror.invoices import sync_invoice
from billing.mirror.reconciliation import (
    Drift,
    reconcile,
)
from billing.models import BillingAccount, Invoice, InvoiceStatus, Subscription
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.world import StripeWorld, a_life
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_reconciling_what_has_not_changed_writes_nothing_but_that_it_was_done(
    admin: Membership, stripe: StripeWorld, account: BillingAccount
) -> None:
    a_life(stripe, account)
    organization = account.organization
    reconcile(organization)

    def rows() -> list[Any]:
        kinds = (Invoice, Subscription, AuditEvent, OutgoingEmail)
        return [list(kind.objects.order_by("pk").values()) for kind in kinds]

    before = rows()
    assert all(before[:3])
    account.refresh_from_db()
    last_time = account.synced_at
    with sent_statements() as statements:
        assert reconcile(organization) == Drift()
    writes = [sql for sql in statements if not sql.startswith("SELECT")]
    assert len(writes) == 1
    assert writes[0].startswith('UPDATE "billing_billingaccount" SET')
    few = len(statements)
    # The ledger of credits, its last period, whether credits on demand were charged, and what could not be
    # read the last time are among them.
    assert few <= 14, statements
    assert rows() == before
    account.refresh_from_db()
    assert last_time is not None
    assert account.synced_at is not None
    assert account.synced_at > last_time
    for _number in range(5):
        stripe.invoice(account)
    reconcile(organization)
    with sent_statements() as statements:
        reconcile(organization)
    assert len(statements) == few


def test_only_what_has_changed_is_written(stripe: StripeWorld, account: BillingAccount) -> None:
    paid, untouched = stripe.invoice(account), stripe.invoice(account)
    reconcile(account.organization)
    stripe.attach_default(account)
    stripe.api.invoices.pay(paid.id)
    with sent_statements() as statements:
        assert reconcile(account.organization) == Drift(customers=1, invoices=1)
    assert len([sql for sql in statements if sql.startswith('UPDATE "billing_invoice"')]) == 1
    paid_row, untouched_row = (Invoice.objects.get(stripe_id=one.id) for one in (paid, untouched))
    assert paid_row.status == InvoiceStatus.PAID
    assert paid_row.fetched_seq > untouched_row.fetched_seq


def test_new_addresses_alone_are_no_change_but_renewed_before_they_wear_out(
    stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = stripe.invoice(account)
    real = gateway.invoices
    fetches = iter(range(100))

    def with_new_addresses(customer_id: str) -> gateway.Listed[records.Invoice]:
        address = f"https://stripe.test/{next(fetches)}"
        (one,) = real(customer_id).all
        return gateway.Listed([replace(one, hosted_url=address, pdf_url=f"{address}.pdf")], {})

    monkeypatch.setattr(gateway, "invoices", with_new_addresses)
    for _time in range(2):
        reconcile(account.organization)
    row = Invoice.objects.get(stripe_id=invoice.id)
    assert row.hosted_url == "https://stripe.test/0"
    Invoice.objects.update(synced_at=timezone.now() - timedelta(days=8))
    assert reconcile(account.organization) == Drift()
    row.refresh_from_db()
    assert row.hosted_url == "https://stripe.test/2"


class Late:
    def __init__(self) -> None:
        self.answered, self.go_on = threading.Event(), threading.Event()

    def meanwhile(self, slow: Callable[[], object], act: Callable[[], object]) -> None:
        """Begin the slow call, act while it waits for its answer, and let it end."""

        def run() -> None:
            try:
                slow()
            finally:
                connection.close()

        thread = threading.Thread(target=run, name="slow")
        thread.start()
        assert self.answered.wait(10)
        act()
        self.go_on.set()
        thread.join(10)


def answer_late(monkeypatch: pytest.MonkeyPatch, name: str, spoil: Callable[[Any], Any]) -> Late:
    """Let a call to Stripe, in the slow thread, come back late, with what is no longer so."""
    real, late = getattr(gateway, name), Late()

    def slowly(identifier: str) -> Any:
        found = real(identifier)
        if threading.current_thread().name != "slow":
            return found
        late.answered.set()
        assert late.go_on.wait(10)
        return spoil(found)

    monkeypatch.setattr(gateway, name, slowly)
    return late


def uncollectible(invoice: records.Invoice) -> records.Invoice:
    return replace(invoice, status="uncollectible")


@pytest.mark.django_db(transaction=True)
def test_an_answer_from_before_a_reconciliation_that_found_no_change_comes_too_late(
    stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = stripe.invoice(account)
    reconcile(account.organization)
    late = answer_late(monkeypatch, "invoice", uncollectible)
    late.meanwhile(lambda: sync_invoice(account, invoice.id), lambda: reconcile(account.organization))
    assert Invoice.objects.get().status == InvoiceStatus.OPEN


@pytest.mark.parametrize("overtaken_by", ["a-webhook", "another"])
@pytest.mark.django_db(transaction=True)
def test_a_reconciliation_that_is_overtaken_writes_nothing_old(
    overtaken_by: str, stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = stripe.invoice(account)
    reconcile(account.organization)
    late = answer_late(
        monkeypatch, "invoices", lambda found: gateway.Listed([uncollectible(one) for one in found.all], {})
    )

    def overtake() -> None:
        if overtaken_by == "another":
            reconcile(account.organization)
        else:
            sync_invoice(account, invoice.id)

    late.meanwhile(lambda: reconcile(account.organization), overtake)
    assert Invoice.objects.get().status == InvoiceStatus.OPEN


def test_an_invoice_is_shown_as_of_the_last_reconciliation(
    billing_manager: Membership, stripe: StripeWorld, account: BillingAccount, sign_in: SignIn
) -> None:
    stripe.invoice(account)
    reconcile(account.organization)
    Invoice.objects.update(synced_at=timezone.now() - timedelta(days=400))
    reconcile(account.organization)
    account.refresh_from_db()
    invoice = Invoice.objects.get()
    assert invoice.as_of == account.reconciled_at
    url = reverse("invoice", args=[account.organization.slug, invoice.pk])
    page = sign_in(billing_manager).get(url).content.decode()
    assert account.reconciled_at is not None
    assert f'As Stripe had it\n<time datetime="{account.reconciled_at:%Y-%m-%dT%H:%M}' in page


def test_an_invoice_that_was_fetched_since_is_shown_as_of_then() -> None:
    invoice = InvoiceFactory()
    assert invoice.as_of == invoice.synced_at
    account = BillingAccountFactory(organization=invoice.organization)
    assert invoice.as_of == invoice.synced_at
    account.reconciled_at = invoice.synced_at - timedelta(hours=1)
    assert invoice.as_of == invoice.synced_at
