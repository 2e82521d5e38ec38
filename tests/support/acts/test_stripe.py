"""Billing support applies what Stripe told again, tries operations again, gives them up, and compares."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from billing.models import BillingAccount, StripeEvent, StripeOperation
from billing.operations.life import resume
from billing.tasks import reconcile_due
from billing.webhooks import handle
from orgs.policy import StaffRole
from outbox.models import OutgoingEmail
from support.models import StaffSession
from tests.billing.factories import BillingAccountFactory
from tests.billing.world import StripeWorld
from tests.factories import MembershipFactory, OrganizationFactory
from tests.races import at_once
from tests.support.acts.pressing import act, dialog, done, press, said, shown, url_of
from tests.world import copy_of, signed_in, staff_with
from work.models import LeaseLost

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)


@pytest.fixture
def staff(db: None) -> Client:
    return staff_with(StaffRole.BILLING_SUPPORT)


@pytest.fixture
def account(db: None) -> BillingAccount:
    return BillingAccountFactory()


def event_of(account: BillingAccount | None, **fields: Any) -> StripeEvent:
    usual = {"event_id": "evt_1", "type": "customer.updated", "livemode": False}
    usual["payload"] = {"data": {"object": {}}}
    customer = account.stripe_customer_id if account else "cus_of_nobody"
    event = StripeEvent.objects.create(**{**usual, "customer_id": customer, **fields})
    event.refresh_from_db()
    return event


def operation_of(account: BillingAccount, **fields: Any) -> StripeOperation:
    person = MembershipFactory(organization=account.organization, role="billing_manager")
    usual = {"kind": "rename_customer", "idempotency_key": "key", "actor_name": "Mira"}
    usual |= {"organization": account.organization, "actor_id": person.user_id}
    operation = StripeOperation.objects.create(**{**usual, **fields})
    operation.refresh_from_db()
    return operation


@pytest.mark.parametrize(
    "before", [{"state": "failed", "attempts": 20, "error": "No."}, {"state": "done"}, {"state": "ignored"}]
)
def test_a_message_that_came_to_its_end_is_applied_again(
    before: dict[str, Any], staff: Client, stripe: StripeWorld
) -> None:
    account = stripe.account_for(OrganizationFactory())
    event = event_of(account, **before, handled_at=timezone.now())
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    assert "applied again now" in act(staff, "replay-event", event.pk)
    event.refresh_from_db()
    assert (event.state, event.attempts, event.error, event.handled_at) == ("received", 0, "", None)
    handle(event.pk)
    event.refresh_from_db()
    account.refresh_from_db()
    assert (event.state, account.name) == ("done", "Renamed")
    assert done() == ["billing.event_replayed"]


def test_a_second_press_finds_that_the_page_is_old(staff: Client, account: BillingAccount) -> None:
    event = event_of(account, state="failed", attempts=20)
    seen = shown(staff, "replay-event", event.pk)
    press(staff, "replay-event", event.pk, shown=seen)
    assert "tried meanwhile" in said(press(staff, "replay-event", event.pk, shown=seen))
    assert done() == ["billing.event_replayed"]


def test_what_a_worker_is_at_is_left_to_it(staff: Client, account: BillingAccount) -> None:
    soon = timezone.now() + SOON
    event = event_of(account, attempts=1, leased_until=soon)
    operation = operation_of(account, attempts=1, leased_until=soon)
    for name, key in (("replay-event", event.pk), ("retry-operation", operation.pk)):
        assert "right now" in act(staff, name, key)
    assert "right now" in act(staff, "give-up-operation", operation.pk)
    assert done() == []


def test_a_message_of_no_organization_is_not_applied(staff: Client) -> None:
    event = event_of(None, state="ignored")
    assert "can&#x27;t be applied" in dialog(staff, "replay-event", event.pk)
    assert "Nothing was done" in act(staff, "replay-event", event.pk)
    event.refresh_from_db()
    assert event.state == "ignored"


def test_an_operation_is_tried_at_once(staff: Client, account: BillingAccount) -> None:
    operation = operation_of(
        account, attempts=3, error="Stripe is down.", next_attempt_at=timezone.now() + SOON
    )
    assert "The last attempt failed: Stripe is down." in dialog(staff, "retry-operation", operation.pk)
    seen = shown(staff, "retry-operation", operation.pk)
    press(staff, "retry-operation", operation.pk, shown=seen)
    assert "tried meanwhile" in said(press(staff, "retry-operation", operation.pk, shown=seen))
    operation.refresh_from_db()
    assert (operation.is_due, operation.attempts) == (True, 3)
    assert done() == ["billing.act_retried"]


@pytest.mark.parametrize(
    ("before", "code", "warning"),
    [
        ({"attempts": 0}, "ended_by_support", "Stripe was asked for nothing yet"),
        ({"attempts": 2}, "ended_by_support_unknown", "does not know what Stripe did"),
        (
            {"attempts": 2, "kind": "pay_invoice", "step": "check"},
            "ended_by_support",
            "Stripe was asked for nothing yet",
        ),
        (
            {"attempts": 2, "kind": "pay_invoice", "step": "tell", "result": {"answer": "accepted"}},
            "ended_by_support_unknown",
            "does not know what Stripe did",
        ),
    ],
)
def test_giving_up_says_what_is_known_and_tells_as_any_failure_does(
    before: dict[str, Any], code: str, warning: str, staff: Client, account: BillingAccount
) -> None:
    operation = operation_of(account, **before)
    page = dialog(staff, "give-up-operation", operation.pk)
    assert warning in page.replace("\n", " ")
    assert "no longer tries to" in act(staff, "give-up-operation", operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.leased_until, operation.failed_unseen) == ("failed", None, True)
    assert done() == ["billing.act_given_up"]
    failed = AuditEvent.objects.get(action="billing.act_failed")
    assert (failed.actor_name, failed.data["outcome"]["code"]) == ("Mira", code)
    assert "since support ended it" in failed.sentence
    assert OutgoingEmail.objects.filter(kind="act_failed").count() == 1


def test_who_waits_for_it_reads_that_support_ended_it(staff: Client, account: BillingAccount) -> None:
    operation = operation_of(account, kind="start_subscription", step="follow", attempts=1)
    act(staff, "give-up-operation", operation.pk)
    admin = MembershipFactory(organization=account.organization, role="admin")
    under_way = f"/orgs/{account.organization.slug}/settings/billing/under-way/"
    answer = signed_in(admin.user).get(under_way, {"operation": str(operation.pk)})
    assert said(answer).startswith(
        "You asked to start a subscription. It was not finished, since support ended it"
    )


def test_a_worker_whose_lease_ran_out_writes_nothing_more(staff: Client, account: BillingAccount) -> None:
    operation = operation_of(account)
    late = StripeOperation.objects.pending().lease(operation.pk)
    assert late is not None
    StripeOperation.objects.update(leased_until=timezone.now() - SOON)
    act(staff, "give-up-operation", operation.pk)
    with pytest.raises(LeaseLost):
        late.renew(step="pay")
    assert resume(operation.pk).state == "failed"


def test_what_waits_for_a_person_is_not_given_up(staff: Client, account: BillingAccount) -> None:
    waiting = operation_of(account, kind="set_up_card", state="waiting")
    assert "Let it wait." in act(staff, "give-up-operation", waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == "waiting"


def test_what_has_ended_is_neither_tried_nor_given_up(staff: Client, account: BillingAccount) -> None:
    ended = operation_of(account, state="done")
    for name in ("retry-operation", "give-up-operation"):
        assert "It has ended." in act(staff, name, ended.pk)
    assert done() == []


def test_an_organization_is_compared_now_once(staff: Client, stripe: StripeWorld) -> None:
    account = stripe.account_for(OrganizationFactory())
    BillingAccount.objects.update(next_attempt_at=timezone.now() + SOON, name="Wrong")
    act(staff, "reconcile", account.organization_id)
    assert "right now" in act(staff, "reconcile", account.organization_id)
    assert done() == ["billing.reconcile_asked"]
    reconcile_due()
    account.refresh_from_db()
    assert account.reconciled_at is not None
    assert account.name != "Wrong"


def test_without_a_customer_there_is_nothing_to_compare(staff: Client) -> None:
    organization = OrganizationFactory()
    assert "nothing to compare" in act(staff, "reconcile", organization.pk)
    assert not BillingAccount.objects.exists()


def acts_on(account: BillingAccount) -> list[tuple[str, object]]:
    operation = operation_of(account)
    return [
        ("replay-event", event_of(account, state="failed").pk),
        ("retry-operation", operation.pk),
        ("give-up-operation", operation.pk),
        ("reconcile", account.organization_id),
    ]


def test_support_for_people_may_none_of_it(account: BillingAccount) -> None:
    client = staff_with(StaffRole.SUPPORT)
    for name, key in acts_on(account):
        assert client.get(url_of(name, key)).status_code == 403
        assert press(client, name, key).status_code == 403
    assert done() == []


def test_after_the_session_ended_nothing_is_done(staff: Client, account: BillingAccount) -> None:
    acts = [(name, key, shown(staff, name, key)) for name, key in acts_on(account)]
    StaffSession.objects.update(ended_at=timezone.now())
    for name, key, seen in acts:
        assert press(staff, name, key, shown=seen)["Location"].startswith("/admin/session/")
    assert done() == []
    assert StripeOperation.objects.get().state == "pending"


def test_what_is_not_there_is_not_found(staff: Client) -> None:
    for name in ("replay-event", "retry-operation", "give-up-operation", "reconcile"):
        for key in ("x", "00000000-0000-0000-0000-000000000000"):
            assert staff.get(url_of(name, key)).status_code == 404


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_giving_up_waits_for_a_worker_that_takes_it_right_then(
    staff: Client, account: BillingAccount
) -> None:
    operation = operation_of(account)
    seen = shown(staff, "give-up-operation", operation.pk)
    taken = threading.Event()

    def take() -> None:
        with transaction.atomic():
            StripeOperation.objects.select_for_update().get(pk=operation.pk).begin()
            taken.set()
            time.sleep(0.5)

    def give_up() -> str:
        taken.wait()
        return said(press(staff, "give-up-operation", operation.pk, shown=seen))

    assert "right now" in str(at_once(take, give_up)[1])
    operation.refresh_from_db()
    assert (operation.state, done()) == ("pending", [])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_presses_at_once_give_up_once(staff: Client, account: BillingAccount) -> None:
    operation = operation_of(account)
    seen = shown(staff, "give-up-operation", operation.pk)
    browsers = [copy_of(staff) for _press in range(3)]
    at_once(*[lambda one=one: press(one, "give-up-operation", operation.pk, shown=seen) for one in browsers])
    assert done() == ["billing.act_given_up"]
    assert AuditEvent.objects.filter(action="billing.act_failed").count() == 1
