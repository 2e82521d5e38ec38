"""Billing support gives more time to pay: the plan stays until a day, whatever its subscription does."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from billing.graces import end_graces
from billing.mirror.subscriptions import let_terms_follow
from billing.models import BillingAccount, Subscription
from orgs.models import Organization
from orgs.policy import Role, StaffRole
from support.models import StaffSession
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.factories import MembershipFactory, OrganizationFactory
from tests.support.acts.pressing import act, dialog, done, press, said, shown
from tests.world import signed_in, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Client:
    return staff_with(StaffRole.BILLING_SUPPORT)


@pytest.fixture
def account(db: None) -> BillingAccount:
    """Of an organization that is past due."""
    account = BillingAccountFactory(organization=OrganizationFactory(edition_code="team-pro", seats=10))
    SubscriptionFactory(organization=account.organization, status="past_due")
    return account


def in_days(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


def extend(staff: Client, account: BillingAccount, until: date) -> str:
    return act(staff, "extend-grace", account.organization_id, until=until.isoformat())


def stripe_gives_up(account: BillingAccount) -> None:
    Subscription.objects.update(status="canceled")
    account.refresh_from_db()
    let_terms_follow(account, Subscription.objects.for_org(account.organization_id))


def terms(account: BillingAccount) -> tuple[str, int | None]:
    organization = Organization.objects.get(pk=account.organization_id)
    return organization.edition_code, organization.seats


def test_the_plan_stays_until_the_day_and_then_goes_by_itself(staff: Client, account: BillingAccount) -> None:
    assert "Everything keeps working until" in extend(staff, account, in_days(14))
    stripe_gives_up(account)
    end_graces()
    assert terms(account) == ("team-pro", 10)
    BillingAccount.objects.update(grace_until=in_days(-1))
    end_graces()
    assert terms(account) == ("team-growth", None)
    account.refresh_from_db()
    assert account.grace_until is None
    assert done() == ["billing.grace_extended"]


def test_without_it_the_plan_goes_with_the_subscription(account: BillingAccount) -> None:
    stripe_gives_up(account)
    assert terms(account) == ("team-growth", None)


def test_a_subscription_that_goes_on_is_followed_meanwhile(staff: Client, account: BillingAccount) -> None:
    extend(staff, account, in_days(14))
    account.refresh_from_db()
    row = Subscription.objects.get()
    row.items[0]["quantity"] = 3
    let_terms_follow(account, [row])
    assert terms(account) == ("team-pro", 3)


@pytest.mark.parametrize("days", [0, -1, 31])
def test_at_most_thirty_days_more_than_now(days: int, staff: Client, account: BillingAccount) -> None:
    assert "Choose a day from" in extend(staff, account, in_days(days))
    account.refresh_from_db()
    assert account.grace_until is None
    assert done() == []


def test_it_is_put_off_from_its_present_end(staff: Client, account: BillingAccount) -> None:
    extend(staff, account, in_days(30))
    stripe_gives_up(account)
    assert "At most until" in dialog(staff, "extend-grace", account.organization_id)
    assert "Choose a day from" in extend(staff, account, in_days(61))
    assert "Everything keeps working until" in extend(staff, account, in_days(60))
    account.refresh_from_db()
    assert account.grace_until == in_days(60)


def test_a_second_press_finds_that_the_page_is_old(staff: Client, account: BillingAccount) -> None:
    form = {"shown": shown(staff, "extend-grace", account.organization_id), "until": in_days(5).isoformat()}
    press(staff, "extend-grace", account.organization_id, **form)
    form["until"] = in_days(9).isoformat()
    assert "meanwhile" in said(press(staff, "extend-grace", account.organization_id, **form))
    account.refresh_from_db()
    assert account.grace_until == in_days(5)


def test_who_owes_nothing_needs_no_time(staff: Client) -> None:
    account = BillingAccountFactory()
    SubscriptionFactory(organization=account.organization, status="active")
    assert "Nothing is past due" in extend(staff, account, in_days(5))
    without = OrganizationFactory()
    answer = act(staff, "extend-grace", without.pk, until=in_days(5).isoformat())
    assert "Nothing is past due" in answer
    assert not BillingAccount.objects.filter(organization=without).exists()


def test_people_read_it_where_they_read_what_is_owed(staff: Client, account: BillingAccount) -> None:
    admin = MembershipFactory(organization=account.organization, role=Role.ADMIN)
    InvoiceFactory(organization=account.organization, status="open", payment_status="failed")
    url = f"/orgs/{account.organization.slug}/settings/billing/"
    browser = signed_in(admin.user)
    assert "Support gave more time" not in browser.get(url).content.decode()
    extend(staff, account, in_days(14))
    assert "Support gave more time" in browser.get(url).content.decode()


def test_neither_other_support_nor_an_ended_session_gives_time(
    staff: Client, account: BillingAccount
) -> None:
    form = {"shown": "", "until": in_days(5).isoformat()}
    others = staff_with(StaffRole.SUPPORT)
    assert press(others, "extend-grace", account.organization_id, **form).status_code == 403
    StaffSession.objects.update(ended_at=timezone.now())
    answer = press(staff, "extend-grace", account.organization_id, **form)
    assert answer["Location"].startswith("/admin/session/")
    account.refresh_from_db()
    assert account.grace_until is None
