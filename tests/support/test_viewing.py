"""Staff see the portal as a person sees it: how it begins and ends, and whom it concerns."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import ActorKind, AuditEvent
from audit.services import Actor
from orgs.models import Membership
from orgs.policy import StaffRole
from outbox.models import OutgoingEmail
from support.links import organization_url
from support.models import StaffRequest, StaffSession
from support.services import end_sessions, set_staff_roles
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.races import at_once
from tests.support.factories import staff_member, with_session
from tests.support.viewing import STOP, WHY, view_as, viewer
from tests.world import signed_in, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    return staff_member(StaffRole.SUPPORT)


@pytest.fixture
def browser(staff: User) -> Client:
    """The staff member's, with a staff session open."""
    return with_session(signed_in(staff), staff)


def dashboard(membership: Membership) -> str:
    return reverse("dashboard", args=[membership.organization.slug])


def why(client: Client, membership: Membership) -> str:
    """Why the portal isn't seen any more."""
    answer = client.get(dashboard(membership))
    assert answer.status_code == 403
    return str(answer.context["why"])


def test_staff_see_what_the_person_sees(browser: Client, billing_manager: Membership) -> None:
    url = reverse("admin:act_view_as", args=[billing_manager.pk])
    assert f"View the portal as {billing_manager.user.name}?" in browser.get(url).content.decode()
    answer = view_as(browser, billing_manager)
    slug = billing_manager.organization.slug
    assert answer["Location"] == reverse("billing", args=[slug])
    page = browser.get(answer["Location"]).content.decode()
    assert f"You see what <strong>{billing_manager.user.name}</strong> sees. Nothing can be changed." in page
    assert "Each page that you open is written down." in page
    assert STOP in page
    # Which no billing manager may see.
    assert browser.get(reverse("members", args=[slug])).status_code == 403


def test_the_organization_reads_who_was_viewed_and_why(browser: Client, member: Membership) -> None:
    view_as(browser, member, ticket="48214", reason="Says that a page is empty")
    event = AuditEvent.objects.for_org(member.organization_id).get()
    assert (event.actor_kind, str(event)) == (
        ActorKind.STAFF,
        f"Support staff saw the portal as {member.user.name}",
    )
    assert (event.ticket, event.reason) == ("48214", "Says that a page is empty")
    assert event.actor_id == StaffSession.objects.get().pk


def test_each_page_is_written_down_with_the_person(browser: Client, member: Membership) -> None:
    viewer(browser, member)
    browser.get(dashboard(member) + "?month=2026-10")
    browser.post(reverse("leave", args=[member.organization.slug]))
    seen = StaffRequest.objects.filter(viewed_as=member.user_id).order_by("id")
    assert list(seen.values_list("method", "path")) == [
        ("GET", dashboard(member) + "?month=2026-10"),
        ("POST", reverse("leave", args=[member.organization.slug])),
    ]


def test_it_is_neither_a_sign_in_of_the_person_nor_of_the_staff(
    browser: Client, staff: User, member: Membership
) -> None:
    longer_ago = timezone.now() - timedelta(days=3)
    User.objects.update(last_login=longer_ago)
    of_staff = UserSession.objects.create(user=staff, ip="127.0.0.1", session_key=browser.session.session_key)
    viewer(browser, member).get(dashboard(member))
    browser.post(STOP)
    assert set(User.objects.values_list("last_login", flat=True)) == {longer_ago}
    assert not OutgoingEmail.objects.exists()
    # Of the person there is none.
    assert UserSession.objects.get().pk == of_staff.pk


def test_signing_in_is_noted_as_ever(member: Membership, client: Client) -> None:
    """Django's own receiver is the one that hijack unhooks for a while, in all threads."""
    assert not user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")
    client.post(reverse("account_login"), {"login": member.user.email, "password": PASSWORD})
    assert User.objects.get(pk=member.user_id).last_login is not None


def test_stopping_gives_the_staff_member_their_session_back(
    browser: Client, staff: User, member: Membership
) -> None:
    before = dict(browser.session.items())
    keys = {browser.session.session_key}
    viewer(browser, member)
    keys.add(browser.session.session_key)
    answer = browser.post(STOP)
    keys.add(browser.session.session_key)
    assert answer["Location"] == organization_url(member.organization_id)
    assert dict(browser.session.items()) == before
    # A key that was known before opens nothing.
    assert len(keys) == 3
    assert [row.session_key for row in Session.objects.all()] == [browser.session.session_key]
    page = browser.get("/admin/")
    assert (page.status_code, page.wsgi_request.user) == (200, staff)
    assert f"You no longer see what {member.user.name} sees." in page.content.decode()


def test_a_form_of_before_has_no_valid_token_any_more(staff: User, member: Membership) -> None:
    signed = with_session(signed_in(staff), staff)
    browser = Client(enforce_csrf_checks=True)
    browser.cookies[settings.SESSION_COOKIE_NAME] = signed.session.session_key
    url = reverse("admin:act_view_as", args=[member.pk])
    token = browser.get(url).context["csrf_token"]
    form = {"user_pk": str(member.user_id), **WHY, "csrfmiddlewaretoken": str(token)}
    assert browser.post(url, form).status_code == 302
    assert browser.post(STOP, {"csrfmiddlewaretoken": str(token)}).status_code == 403
    token = browser.get(dashboard(member)).context["csrf_token"]
    assert browser.post(STOP, {"csrfmiddlewaretoken": str(token)}).status_code == 302


@pytest.mark.parametrize(
    "kind",
    [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}],
    ids=lambda kind: next(iter(kind)),
)
def test_some_are_never_viewed(kind: dict[str, bool], browser: Client) -> None:
    assert_refused(browser, MembershipFactory(user=UserFactory(**kind)))


def test_nobody_views_themselves(browser: Client, staff: User) -> None:
    assert_refused(browser, MembershipFactory(user=staff))


def assert_refused(browser: Client, membership: Membership) -> None:
    answer = view_as(browser, membership)
    assert (answer.status_code, answer["Location"]) == (302, organization_url(membership.organization_id))
    assert "viewing" not in browser.session
    assert not AuditEvent.objects.for_org(membership.organization_id).exists()


def test_the_form_names_the_person_whom_its_page_showed(browser: Client, member: Membership) -> None:
    view_as(browser, member, user_pk=str(MembershipFactory().user_id))
    assert "viewing" not in browser.session
    assert view_as(browser, member, user_pk="x").status_code == 422
    assert view_as(browser, member, reason="").status_code == 422


def test_who_has_left_is_not_found(browser: Client, billing_manager: Membership) -> None:
    Membership.objects.filter(pk=billing_manager.pk).update(
        last_day=timezone.now().date() - timedelta(days=2)
    )
    assert view_as(browser, billing_manager).status_code == 404
    assert browser.get(reverse("admin:act_view_as", args=["x"])).status_code == 404


def test_a_viewer_views_nobody_else_from_there(browser: Client, member: Membership) -> None:
    viewer(browser, member)
    assert view_as(browser, MembershipFactory()).status_code == 403
    assert browser.session["viewing"]["slug"] == member.organization.slug


def test_nothing_to_stop_is_not_found(browser: Client) -> None:
    assert browser.post(STOP).status_code == 404


def test_it_ends_with_the_staff_session(browser: Client, staff: User, member: Membership) -> None:
    viewer(browser, member)
    end_sessions(user=staff)
    assert why(browser, member) == "ended"
    assert browser.get(dashboard(member), headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert browser.post(reverse("leave", args=[member.organization.slug])).status_code == 403
    assert browser.post(STOP)["Location"] == organization_url(member.organization_id)
    # Which asks for another session first.
    assert browser.get("/admin/")["Location"].startswith(reverse("admin:staff_session"))


def test_it_ends_after_the_hour(browser: Client, member: Membership) -> None:
    viewer(browser, member)
    opened = timezone.now() - timedelta(minutes=61)
    StaffSession.objects.update(opened_at=opened, expires_at=opened + timedelta(minutes=60))
    assert why(browser, member) == "ended"


def test_it_ends_with_the_role_and_with_the_second_factor(
    browser: Client, staff: User, member: Membership
) -> None:
    viewer(browser, member)
    factors = list(Authenticator.objects.filter(user=staff))
    Authenticator.objects.filter(user=staff).delete()
    assert why(browser, member) == "ended"
    Authenticator.objects.bulk_create(factors)
    assert browser.get(dashboard(member)).status_code == 200
    set_staff_roles(user_id=staff.pk, roles=[], actor=Actor.system())
    assert why(browser, member) == "ended"


def test_it_ends_with_the_staff_members_password(browser: Client, staff: User, member: Membership) -> None:
    viewer(browser, member)
    staff.set_password("another horse battery")
    staff.save()
    assert why(browser, member) == "ended"
    browser.post(STOP)
    assert not browser.get("/admin/").wsgi_request.user.is_authenticated


def test_staff_end_it_from_another_browser(browser: Client, staff: User, member: Membership) -> None:
    UserSession.objects.create(user=staff, ip="127.0.0.1", session_key=browser.session.session_key)
    viewer(browser, member)
    UserSession.objects.get(user=staff).end()
    assert browser.get(dashboard(member))["Location"].startswith(reverse("account_login"))


def test_it_ends_where_the_person_can_sign_in_no_more(browser: Client, member: Membership) -> None:
    viewer(browser, member)
    User.objects.filter(pk=member.user_id).update(is_active=False)
    assert browser.get(dashboard(member))["Location"].startswith(reverse("account_login"))


def test_billing_support_view_too(member: Membership) -> None:
    assert viewer(staff_with(StaffRole.BILLING_SUPPORT), member).get(dashboard(member)).status_code == 200


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_page_is_seen_after_the_session_has_ended(
    staff: User, browser: Client, member: Membership
) -> None:
    """Whichever of the two came first."""
    for _round in range(5):
        with_session(browser, staff)
        at_once(lambda: end_sessions(user=staff), lambda: view_as(browser, member))
        if "viewing" in browser.session:
            assert why(browser, member) == "ended"
            browser.post(STOP)
        else:
            assert browser.get("/admin/")["Location"].startswith(reverse("admin:staff_session"))
