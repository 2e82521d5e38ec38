"""Billing support gives credits, once for each press, and takes back what is left of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credits.models import Grant, Ledger, Voiding
from orgs.models import Organization
from orgs.policy import StaffRole
from support.models import StaffSession
from tests.credits.months import grant
from tests.factories import OrganizationFactory
from tests.races import at_once
from tests.support.acts.pressing import act, dialog, done, press, said, shown, url_of
from tests.world import copy_of, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Client:
    return staff_with(StaffRole.BILLING_SUPPORT)


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory(edition_code="team-growth")


def in_days(days: int) -> str:
    return (timezone.now().date() + timedelta(days=days)).isoformat()


def test_credits_are_given_until_the_end_of_a_day(staff: Client, organization: Organization) -> None:
    assert "Gave 5,000 credits" in act(
        staff, "give-credits", organization.pk, amount="5000", last_day=in_days(10)
    )
    given = Grant.objects.get()
    end = datetime.fromisoformat(in_days(11)).replace(tzinfo=UTC)
    assert (given.kind, given.credits, given.expires_at, given.is_given) == ("promotional", 5000, end, True)
    assert Ledger.objects.get().is_due
    assert done() == ["credits.given"]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"amount": "0"}, 422),
        ({"amount": "1000000001"}, 422),
        ({"amount": "1.5"}, 422),
        ({"last_day": "soon"}, 422),
        ({"shown": "x"}, 422),
        ({"reason": ""}, 422),
        ({"last_day": in_days(-1)}, 302),
        ({"last_day": in_days(367)}, 302),
    ],
)
def test_what_can_not_be_given_is_not(
    wrong: dict[str, str], status: int, staff: Client, organization: Organization
) -> None:
    sound = {"shown": shown(staff, "give-credits", organization.pk), "amount": "5", "last_day": in_days(1)}
    assert press(staff, "give-credits", organization.pk, **{**sound, **wrong}).status_code == status
    assert not Grant.objects.exists()
    assert done() == []


def test_an_edition_without_credits_gets_none(staff: Client) -> None:
    without = OrganizationFactory(edition_code="team-pro")
    asked = dialog(staff, "give-credits", without.pk)
    assert "counts no credits" in asked
    assert 'type="submit"' not in asked
    answer = act(staff, "give-credits", without.pk, amount="5", last_day=in_days(1))
    assert "counts no credits" in answer
    assert not Grant.objects.exists()


def test_a_second_press_gives_nothing_more(staff: Client, organization: Organization) -> None:
    form = {"shown": shown(staff, "give-credits", organization.pk), "amount": "5", "last_day": in_days(1)}
    press(staff, "give-credits", organization.pk, **form)
    again = said(press(staff, "give-credits", organization.pk, **form))
    assert "Nothing more was given" in again
    assert Grant.objects.count() == 1
    assert done() == ["credits.given"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_presses_at_once_give_once(staff: Client, organization: Organization) -> None:
    form = {"shown": shown(staff, "give-credits", organization.pk), "amount": "5", "last_day": in_days(1)}
    browsers = [copy_of(staff) for _press in range(5)]
    at_once(*[lambda one=one: press(one, "give-credits", organization.pk, **form) for one in browsers])
    assert Grant.objects.count() == 1
    assert done() == ["credits.given"]


def test_what_is_left_of_given_credits_is_taken_back_once(staff: Client, organization: Organization) -> None:
    act(staff, "give-credits", organization.pk, amount="5000", last_day=in_days(10))
    given = Grant.objects.get()
    assert "the 5,000 credits" in dialog(staff, "void-credits", given.pk)
    act(staff, "void-credits", given.pk)
    assert Voiding.objects.get().grant == given
    assert "Nothing is left" in act(staff, "void-credits", given.pk)
    assert done() == ["credits.given", "credits.given_voided"]


def test_the_organizations_menu_leads_to_what_was_given(staff: Client, organization: Organization) -> None:
    home = f"/admin/organizations/{organization.pk}/"
    page = staff.get(home).content.decode()
    assert f'href="{home}credits/"' in page
    assert f'href="/admin/merge/{organization.pk}/"' in page
    assert "Support gave no credits yet" in staff.get(f"{home}credits/").content.decode()
    act(staff, "give-credits", organization.pk, amount="5000", last_day=in_days(10))
    take_back = url_of("void-credits", Grant.objects.get().pk)
    assert take_back in staff.get(f"{home}credits/").content.decode()
    act(staff, "void-credits", Grant.objects.get().pk)
    page = staff.get(f"{home}credits/").content.decode()
    assert "Taken back" in page
    assert take_back not in page


def test_what_has_expired_is_not_taken_back(staff: Client, organization: Organization) -> None:
    since = timezone.now() - timedelta(days=9)
    expired = grant(
        organization, 5, source="staff:1", effective_at=since, expires_at=since + timedelta(days=1)
    )
    assert "Nothing is left" in act(staff, "void-credits", expired.pk)
    assert not Voiding.objects.exists()


def test_credits_that_support_did_not_give_are_not_theirs_to_take(
    staff: Client, organization: Organization
) -> None:
    for source in ("invoice:in_1", "period:2026-11-01T00:00:00+00:00"):
        bought = grant(organization, 5, source=source)
        assert staff.get(url_of("void-credits", bought.pk)).status_code == 404


def test_neither_other_support_nor_an_ended_session_gives_any(
    staff: Client, organization: Organization
) -> None:
    form = {"shown": shown(staff, "give-credits", organization.pk), "amount": "5", "last_day": in_days(1)}
    others = staff_with(StaffRole.SUPPORT)
    assert press(others, "give-credits", organization.pk, **form).status_code == 403
    StaffSession.objects.update(ended_at=timezone.now())
    answer = press(staff, "give-credits", organization.pk, **form)
    assert answer["Location"].startswith("/admin/session/")
    assert not Grant.objects.exists()
