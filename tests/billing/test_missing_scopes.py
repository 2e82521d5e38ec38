"""A restricted key that lacks a scope: staff learn which, the person whom to ask; nothing is tried blindly.

Stripe's words: https://docs.stripe.com/keys/restricted-api-keys
"""

from collections.abc import MutableMapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import gateway
from billing.card_outcomes import Outcome, outcome_of
from billing.mirror.reconciliation import reconcile, reconcile_due_accounts
from billing.models import BillingAccount, EventState, OperationState, StripeEvent, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from billing.webhooks import handle
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import StaffRole
from tests.billing.world import StripeWorld, deliver, finished_at_stripe, sweep_everything
from tests.world import staff_with

pytestmark = pytest.mark.django_db

KEY_END = "Kgd3xQ"


@pytest.fixture
def staff() -> Client:
    return staff_with(StaffRole.SUPPORT)


def withhold(stripe: StripeWorld, scope: str, *, method: str = "GET", path: str) -> None:
    message = (
        f"The provided key 'rk_test_{'*' * 20}{KEY_END}' does not have the required permissions for this "
        f"endpoint on account 'acct_1PJBLEBBLEfV'. Having the '{scope}' permission would allow this request "
        "to continue."
    )
    body = {"error": {"type": "invalid_request_error", "message": message}}
    stripe.control.fail(403, body=body, method=method, path=path, count=1000)


def errors_in(logs: Sequence[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in logs if line["log_level"] in {"error", "critical"}]


def test_a_missing_scope_is_no_outage_and_no_refusal_of_what_was_asked(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    withhold(stripe, "rak_subscription_read", path="/v1/subscriptions")
    with pytest.raises(gateway.GatewayForbidden) as raised:
        gateway.subscriptions(str(account.stripe_customer_id))
    assert raised.value.scope == "rak_subscription_read"
    assert KEY_END not in str(raised.value)


def test_other_prohibitions_are_told_in_stripes_words(stripe: StripeWorld, account: BillingAccount) -> None:
    message = "Your account cannot currently make live charges."
    stripe.control.fail(403, body={"error": {"type": "invalid_request_error", "message": message}})
    with pytest.raises(gateway.GatewayForbidden, match="cannot currently make live charges") as raised:
        gateway.subscriptions(str(account.stripe_customer_id))
    assert raised.value.scope == ""


def test_a_card_that_may_not_be_read_is_not_told_as_no_card(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    """Stripe is asked once: the same customer without its card would be one with none."""
    stripe.attach_default(account)
    withhold(stripe, "rak_payment_method_read", path="/v1/customers/*")
    stripe.control.forget_requests()
    with pytest.raises(gateway.GatewayForbidden):
        gateway.customer(str(account.stripe_customer_id))
    assert len(stripe.calls("GET", "/v1/customers")) == 1


def test_an_event_is_given_up_at_once_and_names_the_scope(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.invoice(account)
    (event, *_others) = stripe.events("invoice.finalized")
    withhold(stripe, "rak_invoice_read", path="/v1/invoices/*")
    deliver(event)
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        handle(event["id"])
        sweep_everything()
    kept = StripeEvent.objects.get(pk=event["id"])
    assert (kept.state, kept.attempts) == (EventState.FAILED, 1)
    assert kept.error == "forbidden: Stripe's key lacks the scope rak_invoice_read."
    (line,) = errors_in(logs)
    assert (line["event"], line["scope"]) == ("stripe_forbidden", "rak_invoice_read")
    assert line["stripe_event"] == event["id"]
    assert KEY_END not in str(line)


def test_an_account_is_reconciled_again_on_the_next_day(stripe: StripeWorld, account: BillingAccount) -> None:
    withhold(stripe, "rak_invoice_read", path="/v1/invoices")
    before = timezone.now()
    with structlog.testing.capture_logs() as logs:
        reconcile_due_accounts()
    account.refresh_from_db()
    assert "rak_invoice_read" in account.error
    assert account.leased_until is None
    assert account.next_attempt_at > before + timedelta(hours=23)
    assert [line["event"] for line in errors_in(logs)] == ["stripe_forbidden"]


def test_the_scope_of_a_deleted_customers_lists_is_missed_too(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.api.customers.delete(account.stripe_customer_id)
    withhold(stripe, "rak_subscription_read", path="/v1/subscriptions")
    with pytest.raises(gateway.GatewayForbidden):
        reconcile(account.organization)


@pytest.mark.parametrize(
    ("scope", "path"),
    [("rak_customer_write", "/v1/customers"), ("rak_checkout_session_write", "/v1/checkout/sessions")],
)
def test_the_person_reads_that_support_must_act(
    scope: str, path: str, admin: Membership, stripe: StripeWorld, settings: LazySettings
) -> None:
    withhold(stripe, scope, method="POST", path=path)
    with pytest.raises(Refused) as refused:
        start_card_setup(actor=admin)
    words = str(refused.value.message)
    assert f"only support can add it: write to {settings.SUPPORT_EMAIL}." in words
    assert "does not answer" not in words
    failed = StripeOperation.objects.get(state=OperationState.FAILED)
    assert (failed.attempts, failed.result) == (1, {"missing_scope": scope})
    assert scope in failed.error


def test_a_scope_that_was_granted_meanwhile_is_enough(admin: Membership, stripe: StripeWorld) -> None:
    withhold(stripe, "rak_checkout_session_write", method="POST", path="/v1/checkout/sessions")
    with pytest.raises(Refused):
        start_card_setup(actor=admin)
    stripe.control.clear_faults()
    assert start_card_setup(actor=admin)


def test_a_card_that_may_not_be_made_the_default_is_not_blamed(
    admin: Membership, stripe: StripeWorld
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    withhold(stripe, "rak_customer_write", method="POST", path="/v1/customers/*")
    operation = resume(operation_id)
    assert operation.state == OperationState.FAILED
    assert "rak_customer_write" in operation.error
    assert outcome_of(operation) == Outcome.FORBIDDEN
    account = BillingAccount.objects.get()
    assert (account.chosen_payment_method_id, stripe.cards_of(account)) == ("", set())


def test_a_former_card_that_may_not_be_detached_takes_nothing_back(
    admin: Membership, stripe: StripeWorld
) -> None:
    resume(finished_at_stripe(stripe, admin))
    operation_id = finished_at_stripe(stripe, admin, "5555555555554444")
    withhold(stripe, "rak_payment_method_write", method="POST", path="/v1/payment_methods/*")
    operation = resume(operation_id)
    assert (operation.state, outcome_of(operation)) == (OperationState.DONE, Outcome.UPDATED)
    assert "rak_payment_method_write" in operation.error
    assert len(stripe.cards_of(BillingAccount.objects.get())) == 2


def test_how_far_the_person_came_may_not_be_read(admin: Membership, stripe: StripeWorld) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    (event, *_others) = stripe.events("checkout.session.completed")
    withhold(stripe, "rak_checkout_session_read", path="/v1/checkout/sessions/*")
    deliver(event)
    handle(event["id"])
    assert StripeEvent.objects.get().state == EventState.FAILED
    operation = StripeOperation.objects.get(pk=operation_id)
    assert (operation.state, outcome_of(operation)) == (OperationState.FAILED, Outcome.FORBIDDEN)
    assert "rak_checkout_session_read" in operation.error


def test_support_staff_are_told_on_their_first_page(
    stripe: StripeWorld, account: BillingAccount, staff: Client
) -> None:
    stripe.invoice(account)
    (event, *_others) = stripe.events("invoice.finalized")
    withhold(stripe, "rak_invoice_read", path="/v1/invoices*")
    deliver(event)
    handle(event["id"])
    reconcile_due_accounts()
    told = "Stripe&#x27;s key lacks the scope rak_invoice_read."
    assert staff.get(reverse("admin:index")).content.decode().count(told) == 1
    stripe.control.clear_faults()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=2))
    reconcile(account.organization)
    assert told not in staff.get(reverse("admin:index")).content.decode()


def test_a_key_that_stripe_does_not_know_keeps_the_work_and_is_told_to_staff(
    stripe: StripeWorld, account: BillingAccount, settings: LazySettings
) -> None:
    """Whoever puts the right key in loses nothing that was asked for before."""
    settings.STRIPE_SECRET_KEY = "sk_test_of_another_account"
    with structlog.testing.capture_logs() as logs, pytest.raises(gateway.GatewayUnavailable):
        gateway.subscriptions(str(account.stripe_customer_id))
    assert [line["event"] for line in errors_in(logs)] == ["stripe_key_refused"]
