"""Reconciling once a day: nothing is forgotten, nobody waits for another's trouble, no needless work."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from billing import gateway, tasks
from billing.mirror import reconciliation
from billing.mirror.reconciliation import (
    MAX_UNANSWERED,
    reconcile,
    reconcile_due_accounts,
)
from billing.models import BillingAccount, Invoice, InvoiceStatus, Subscription
from tests.billing.factories import BillingAccountFactory
from tests.billing.mishaps import Killed
from tests.billing.world import StripeWorld, a_life
from tests.factories import OrganizationFactory
from tests.races import ROUNDS, at_once
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

SECONDS = timedelta(seconds=5)


def let_time_pass(account: BillingAccount) -> None:
    """Until the account is due again."""
    BillingAccount.objects.filter(pk=account.pk).update(next_attempt_at=timezone.now(), leased_until=None)


def about(moment: datetime | None, expected: datetime) -> bool:
    return moment is not None and abs(moment - expected) < SECONDS


def asked_for(stripe: StripeWorld) -> Counter[str]:
    """How often each customer was asked for."""
    start = "/v1/customers/"
    ids = (request["path"].removeprefix(start) for request in stripe.calls("GET", start))
    return Counter(asked for asked in ids if "/" not in asked)


def test_the_task_heals_an_account_and_comes_back_a_day_later(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    tasks.reconcile_due()
    account.refresh_from_db()
    assert account.name == "Renamed"
    assert about(account.reconciled_at, timezone.now())
    assert about(account.next_attempt_at, timezone.now() + timedelta(days=1))
    stripe.control.forget_requests()
    tasks.reconcile_due()
    assert not stripe.control.requests()


def test_the_longest_overdue_come_first(stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [stripe.account_for(OrganizationFactory()) for _number in range(3)]
    for account, hours in zip(accounts, (1, 3, 2), strict=True):
        BillingAccount.objects.filter(pk=account.pk).update(
            next_attempt_at=timezone.now() - timedelta(hours=hours)
        )
    order = []
    monkeypatch.setattr(reconciliation, "reconcile", order.append)
    reconcile_due_accounts()
    assert order == [accounts[number].organization for number in (1, 2, 0)]


def test_no_account_is_begun_when_the_time_is_up(stripe: StripeWorld, account: BillingAccount) -> None:
    stripe.control.forget_requests()
    reconcile_due_accounts(seconds=0)
    assert not stripe.control.requests()
    assert BillingAccount.objects.due().get() == account


def test_who_has_no_customer_at_stripe_is_never_due() -> None:
    BillingAccountFactory(stripe_customer_id=None)
    assert not BillingAccount.objects.due().exists()


def test_what_is_due_is_found_by_its_index() -> None:
    for _number in range(3):
        BillingAccountFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    plan = BillingAccount.objects.due().order_by("next_attempt_at")[:1].explain()
    assert "Index Scan using billingaccount_reconcile" in plan


CALLS = [
    (gateway, "customer"),
    (gateway, "subscriptions"),
    (gateway, "invoices"),
    (reconciliation, "write_subscriptions"),
    (reconciliation, "write_invoices"),
    (reconciliation, "write_customer"),
    (reconciliation, "_note_success"),
]


@pytest.mark.parametrize(
    ("module", "name", "when"),
    sampled([(*at, when) for at in CALLS for when in ("before", "after")], every=3),
    ids=str,
)
def test_a_worker_killed_at_any_line_leaves_the_account_due(
    module: Any,
    name: str,
    when: str,
    stripe: StripeWorld,
    account: BillingAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_life(stripe, account)
    real = getattr(module, name)

    def killed(*arguments: Any) -> Any:
        if when == "after":
            real(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(Killed):
            reconcile_due_accounts()
    account.refresh_from_db()
    assert account.reconciled_at is None
    assert about(account.leased_until, timezone.now() + BillingAccount.WAITS.first)
    assert not Invoice.objects.exists()
    let_time_pass(account)
    reconcile_due_accounts()
    account.refresh_from_db()
    assert about(account.reconciled_at, timezone.now())
    assert Invoice.objects.count() == len(gateway.invoices(str(account.stripe_customer_id)).all)


def test_an_account_that_kills_its_workers_comes_up_later_each_time(account: BillingAccount) -> None:
    for minutes in (10, 20, 40, 80, 160, 320, 360, 360):
        assert BillingAccount.objects.due().lease(account.pk)
        account.refresh_from_db()
        assert about(account.leased_until, timezone.now() + timedelta(minutes=minutes))
        let_time_pass(account)


def test_a_worker_killed_over_a_deleted_draft_leaves_the_account_due(
    stripe: StripeWorld, account: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = stripe.invoice(account, finalize=False)
    reconcile(account.organization)
    stripe.api.invoices.delete(draft.id)
    let_time_pass(account)

    def killed(*_arguments: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("billing.mirror.invoices.sync_invoice", killed)
        with pytest.raises(Killed):
            reconcile_due_accounts()
    let_time_pass(account)
    reconcile_due_accounts()
    assert Invoice.objects.get().status == InvoiceStatus.DELETED


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_reconcile_each_account_once(rounds: int, stripe: StripeWorld) -> None:
    accounts = [stripe.account_for(OrganizationFactory()) for _number in range(4)]
    for _round in range(rounds):
        stripe.control.forget_requests()
        BillingAccount.objects.update(next_attempt_at=timezone.now(), leased_until=None)
        assert at_once(reconcile_due_accounts, reconcile_due_accounts) == [None, None]
        assert asked_for(stripe) == {str(account.stripe_customer_id): 1 for account in accounts}


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 400}, None], ids=["500", "400", "our-own"])
def test_one_account_that_always_fails_stops_no_other_and_is_tried_ever_later(
    fault: dict[str, Any] | None, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *sound = [stripe.account_for(OrganizationFactory()) for _number in range(3)]
    if fault:
        stripe.control.fail(**fault, path=f"/v1/customers/{broken.stripe_customer_id}", count=1000)
    else:
        real = reconciliation.write_customer

        def fails(account: BillingAccount, *arguments: Any) -> bool:
            if account == broken:
                raise ValueError("poison")
            return real(account, *arguments)

        monkeypatch.setattr(reconciliation, "write_customer", fails)
    BillingAccount.objects.filter(pk=broken.pk).update(next_attempt_at=timezone.now() - timedelta(days=1))
    waited = []
    for _attempt in range(8):
        reconcile_due_accounts()
        broken.refresh_from_db()
        waited.append(broken.next_attempt_at - timezone.now())
        let_time_pass(broken)
    expected = [min(timedelta(minutes=10) * 2**number, timedelta(hours=6)) for number in range(8)]
    assert all(abs(one - other) < SECONDS for one, other in zip(waited, expected, strict=True)), waited
    assert (broken.reconciled_at, broken.attempts) == (None, 8)
    for account in sound:
        account.refresh_from_db()
        assert about(account.reconciled_at, timezone.now())


def test_an_account_that_is_well_again_starts_counting_anew(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.control.fail(500, path="/v1/invoices*")
    reconcile_due_accounts()
    let_time_pass(account)
    reconcile_due_accounts()
    account.refresh_from_db()
    assert account.attempts == 0
    assert about(account.reconciled_at, timezone.now())


def test_stripe_being_down_is_not_hammered(stripe: StripeWorld) -> None:
    for _number in range(MAX_UNANSWERED + 2):
        stripe.account_for(OrganizationFactory())
    stripe.control.forget_requests()
    stripe.control.fail(503, path="*", count=1000)
    reconcile_due_accounts()
    assert len(stripe.control.requests()) == MAX_UNANSWERED
    assert BillingAccount.objects.due().count() == 2


def test_stripe_out_of_reach_changes_nothing_that_pages_show(
    settings: LazySettings, account: BillingAccount
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    before = account.synced_at
    tasks.reconcile_due()
    account.refresh_from_db()
    assert account.synced_at == before


@pytest.mark.parametrize("lists", ["answered", "refused"])
def test_of_a_customer_deleted_unheard_nothing_is_asked_again(
    lists: str, stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    stripe.subscribe(account)
    reconcile(account.organization)
    stripe.api.customers.delete(account.stripe_customer_id)
    if lists == "refused":
        stripe.control.fail(404, path="/v1/subscriptions*")
    let_time_pass(account)
    reconcile_due_accounts()
    account.refresh_from_db()
    assert (account.customer_deleted, account.payment_method_id) == (True, "")
    if lists == "answered":
        assert Subscription.objects.get().status == "canceled"
    let_time_pass(account)
    stripe.control.forget_requests()
    reconcile_due_accounts()
    assert not stripe.control.requests()
