"""A customer that was paid for in a wrongly made organization moves to the right one, after a dry run."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, Invoice, PaymentMethod, StripeCustomer, Subscription
from billing.tasks import reconcile_due
from billing.webhooks import handle
from orgs.models import Organization
from orgs.policy import StaffRole
from support.models import StaffSession
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    PaymentLinkFactory,
    SubscriptionFactory,
)
from tests.billing.on_demand import charge_of
from tests.billing.world import StripeWorld, deliver
from tests.factories import OrganizationFactory
from tests.races import at_once
from tests.support.acts.pressing import act, dialog, done, press, said, shown, url_of
from tests.world import copy_of, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Client:
    return staff_with(StaffRole.BILLING_SUPPORT)


@pytest.fixture
def wrong(db: None) -> Organization:
    """Made by mistake, and paid for."""
    account = BillingAccountFactory(
        organization=OrganizationFactory(name="Acme 2", edition_code="team-pro", seats=10)
    )
    SubscriptionFactory(organization=account.organization)
    InvoiceFactory(organization=account.organization, total=2000)
    return account.organization


@pytest.fixture
def right(db: None) -> Organization:
    return OrganizationFactory(name="Acme", slug="acme", edition_code="team-growth")


def key(source: Organization, owner: Organization) -> str:
    return f"{source.pk}~{owner.pk}"


def owners() -> set[object]:
    rows = (StripeCustomer, Subscription, Invoice, PaymentMethod)
    return {pk for model in rows for pk in model.objects.values_list("organization", flat=True)}


def terms(organization: Organization) -> tuple[str, int | None]:
    organization.refresh_from_db()
    return organization.edition_code, organization.seats


def test_the_way_there_asks_whose_it_is(staff: Client, wrong: Organization, right: Organization) -> None:
    page = f"/admin/merge/{wrong.pk}/"
    assert "Acme 2" in staff.get(page).content.decode()
    assert staff.get(page, {"owner": "ACME "})["Location"] == url_of("merge-customer", key(wrong, right))
    answer = staff.get(page, {"owner": "nobody"})
    assert answer.status_code == 422
    assert "no organization of this name" in answer.content.decode()


def test_first_it_shows_what_would_move_and_changes_nothing(
    staff: Client, wrong: Organization, right: Organization
) -> None:
    account = BillingAccount.objects.get()
    page = dialog(staff, "merge-customer", key(wrong, right))
    for told in (account.stripe_customer_id, "sub_test", "1 invoice: $20.00.", "Acme 2 goes on without"):
        assert str(told) in page
    assert owners() == {wrong.pk}


def test_then_all_of_it_moves(staff: Client, wrong: Organization, right: Organization) -> None:
    customer_id = BillingAccount.objects.get().stripe_customer_id
    tomorrow = timezone.now() + timedelta(days=1)
    BillingAccountFactory(organization=right, stripe_customer_id=None)
    BillingAccount.objects.update(next_attempt_at=tomorrow)
    assert "Moved the customer to Acme." in act(staff, "merge-customer", key(wrong, right))
    accounts = {one.organization_id: one for one in BillingAccount.objects.all()}
    assert accounts[wrong.pk].stripe_customer_id is None
    assert accounts[right.pk].stripe_customer_id == customer_id
    assert accounts[right.pk].is_due
    assert owners() == {right.pk}
    assert (terms(wrong), terms(right)) == (("team-growth", None), ("team-pro", 10))
    moved = AuditEvent.objects.filter(actor_kind="staff").order_by("id")
    assert {(event.organization_id, event.action) for event in moved} == {
        (wrong.pk, "billing.customer_moved_away"),
        (right.pk, "billing.customer_moved_here"),
    }
    assert len(done()) == 2


def test_a_second_press_moves_nothing_back(staff: Client, wrong: Organization, right: Organization) -> None:
    seen = shown(staff, "merge-customer", key(wrong, right))
    press(staff, "merge-customer", key(wrong, right), shown=seen)
    assert "has changed since" in said(press(staff, "merge-customer", key(wrong, right), shown=seen))
    assert owners() == {right.pk}
    assert len(done()) == 2


def test_what_has_changed_since_the_dry_run_is_shown_again(
    staff: Client, wrong: Organization, right: Organization
) -> None:
    seen = shown(staff, "merge-customer", key(wrong, right))
    InvoiceFactory(organization=wrong, total=1)
    assert "has changed since" in said(press(staff, "merge-customer", key(wrong, right), shown=seen))
    assert owners() == {wrong.pk}
    assert done() == []


def subscribe(organization: Organization) -> object:
    return SubscriptionFactory(organization=organization)


OBSTACLES: dict[str, tuple[Callable[[Organization, Organization], object], str]] = {
    "the owner subscribes": (lambda _wrong, right: subscribe(right), "has a subscription that goes on"),
    "under way there": (
        lambda wrong, _right: CardSetupFactory(organization=wrong, actor_id=uuid.uuid4()),
        "Something is asked of Stripe",
    ),
    "under way here": (
        lambda _wrong, right: CardSetupFactory(organization=right, actor_id=uuid.uuid4()),
        "Something is asked of Stripe",
    ),
    "no customer": (
        lambda wrong, _right: BillingAccount.objects.filter(organization=wrong).update(customer_deleted=True),
        "no customer at Stripe",
    ),
    "another customer": (
        lambda wrong, _right: StripeCustomer.objects.create(stripe_id="cus_old", organization=wrong),
        "had another customer before",
    ),
    "bought": (
        lambda wrong, _right: CardSetupFactory(
            organization=wrong, kind="buy_credits", state="failed", stripe_id="in_1", actor_id=uuid.uuid4()
        ),
        "Credits were bought or charged",
    ),
    "on demand": (lambda wrong, _right: charge_of(wrong), "Credits were bought or charged"),
    "a link": (lambda wrong, _right: PaymentLinkFactory(organization=wrong), "A payment link"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_stands_in_the_way_is_said_before_and_after_the_press(
    name: str, staff: Client, wrong: Organization, right: Organization
) -> None:
    obstruct, told = OBSTACLES[name]
    obstruct(wrong, right)
    asked = dialog(staff, "merge-customer", key(wrong, right))
    assert told in asked
    assert 'name="ticket"' not in asked
    assert 'type="submit"' not in asked
    assert told in act(staff, "merge-customer", key(wrong, right))
    assert BillingAccount.objects.get(organization=wrong).stripe_customer_id is not None
    assert done() == []


def test_an_organization_is_not_merged_with_itself(staff: Client, wrong: Organization) -> None:
    assert "the same organization" in act(staff, "merge-customer", key(wrong, wrong))
    assert done() == []


def test_the_owners_own_former_customer_keeps_its_invoices(
    staff: Client, wrong: Organization, right: Organization
) -> None:
    before = BillingAccountFactory(organization=right)
    invoice = InvoiceFactory(organization=right, customer_id=before.stripe_customer_id)
    SubscriptionFactory(organization=right, status="canceled")
    act(staff, "merge-customer", key(wrong, right))
    account = BillingAccount.objects.get(organization=right)
    assert account.ever_had(str(before.stripe_customer_id))
    assert account.stripe_customer_id != before.stripe_customer_id
    invoice.refresh_from_db()
    assert invoice.organization_id == right.pk


def test_neither_other_support_nor_an_ended_session_moves_it(
    staff: Client, wrong: Organization, right: Organization
) -> None:
    seen = shown(staff, "merge-customer", key(wrong, right))
    others = staff_with(StaffRole.SUPPORT)
    assert others.get(f"/admin/merge/{wrong.pk}/").status_code == 403
    assert press(others, "merge-customer", key(wrong, right), shown=seen).status_code == 403
    StaffSession.objects.update(ended_at=timezone.now())
    answer = press(staff, "merge-customer", key(wrong, right), shown=seen)
    assert answer["Location"].startswith("/admin/session/")
    assert owners() == {wrong.pk}


@pytest.mark.parametrize("odd", ["x", "x~y", "~"])
def test_what_is_not_there_is_not_found(odd: str, staff: Client, wrong: Organization) -> None:
    for name in (odd, f"{wrong.pk}", f"{wrong.pk}~{uuid.uuid4()}"):
        assert staff.get(url_of("merge-customer", name)).status_code == 404


def paid_by_mistake(stripe: StripeWorld, wrong: Organization) -> BillingAccount:
    account = stripe.account_for(wrong)
    stripe.attach_default(account)
    price = stripe.price(lookup_key="team-pro-seat-monthly")
    items = [{"price": price, "quantity": 4}]
    stripe.api.subscriptions.create({"customer": account.stripe_customer_id, "items": items})
    reconcile(wrong)
    return account


@pytest.mark.slow
def test_what_stripe_tells_afterwards_is_told_to_the_owner(
    staff: Client, right: Organization, stripe: StripeWorld
) -> None:
    wrong = OrganizationFactory()
    account = paid_by_mistake(stripe, wrong)
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[-1]
    deliver(event)
    act(staff, "merge-customer", key(wrong, right))
    handle(event["id"])
    owner = BillingAccount.objects.get(organization=right)
    assert owner.name == "Renamed"
    assert reconcile(right).total == 0
    assert reconcile(wrong).total == 0
    assert (terms(wrong), terms(right)) == (("team-growth", None), ("team-pro", 4))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_applied_while_it_moves_ends_right(
    staff: Client, right: Organization, stripe: StripeWorld
) -> None:
    wrong = OrganizationFactory()
    account = paid_by_mistake(stripe, wrong)
    seen = shown(staff, "merge-customer", key(wrong, right))
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    event = stripe.events("customer.updated")[-1]
    deliver(event)
    browsers = [copy_of(staff), copy_of(staff)]
    at_once(
        lambda: handle(event["id"]),
        *[lambda one=one: press(one, "merge-customer", key(wrong, right), shown=seen) for one in browsers],
    )
    reconcile_due()
    assert len(done()) == 2
    assert owners() == {right.pk}
    assert BillingAccount.objects.get(organization=right).name == "Renamed"
    assert reconcile(right).total == 0
