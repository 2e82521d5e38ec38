"""What a role may not know is in no byte of what its person can fetch: pages, partials, refusals, headers."""

import json
from collections.abc import Iterator

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from invitations.models import Kind
from orgs.checks import all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of
from tests.sampling import WHOLE, Part, in_parts
from tests.test_access import INSIDE
from tests.world import World, signed_in

pytestmark = pytest.mark.django_db


def canary(organization: Organization, role: Role, mark: str) -> Membership:
    user = UserFactory(name=f"Canary {mark} name", email=f"canary-{mark}@mail.test")
    return MembershipFactory(organization=organization, role=role, user=user)


@pytest.fixture
def world(world: World) -> World:
    """The world of the access table, with somebody of each role whose name and mail cannot be mistaken."""
    organization = world.organization
    admin = canary(organization, Role.ADMIN, "admin")
    canary(organization, Role.MEMBER, "member")
    canary(organization, Role.BILLING_MANAGER, "manager")
    InvitationFactory(organization=organization, inviter=admin, email="canary-pending@mail.test")
    InvitationFactory(organization=organization, inviter=admin, kind=Kind.LINK)
    return world


def body(response: HttpResponse) -> str:
    content = b"".join(response) if response.streaming else response.content
    return (
        content.decode(errors="replace") + json.dumps(dict(response.headers.items())) + str(response.cookies)
    )


def everything(client: Client, world: World, part: Part = WHOLE) -> Iterator[tuple[str, str]]:
    for route in part.of(all_routes()):
        if route.of_admin or (route.name or "").startswith(("dev_", "style")):
            continue
        url = world.url(route)
        for headers in ({}, {"HX-Request": "true"}):
            yield f"GET {url}", body(client.get(url, headers=headers))
        if route.name in INSIDE and route.name not in {"leave", "card"}:
            yield f"POST {url}", body(client.post(url, INSIDE[route.name].data))


# Who may manage managers sees more of them.
@pytest.mark.parametrize("delegated", [True, pytest.param(False, marks=pytest.mark.slow)])
@in_parts(12)
def test_a_billing_manager_learns_no_members_name_or_mail(part: Part, delegated: bool, world: World) -> None:
    Organization.objects.filter(pk=world.organization.pk).update(managers_manage_managers=delegated)
    client = world.clients[Role.BILLING_MANAGER]
    for where, text in everything(client, world, part):
        for secret in ("Canary admin name", "Canary member name", "canary-"):
            assert secret not in text, where


@pytest.mark.slow
def test_a_member_learns_nothing_of_billing_and_invitations(world: World) -> None:
    client = world.clients[Role.MEMBER]
    for where, text in everything(client, world):
        for secret in ("canary-pending", "canary-manager", "Canary manager name", "4242", "Own-0001"):
            assert secret not in text, where


@pytest.mark.slow
def test_an_admin_sees_all_of_it(world: World) -> None:
    """Else the tests above could not fail."""
    client = world.clients[Role.ADMIN]
    text = "".join(text for _, text in everything(client, world))
    for known in ("Canary admin name", "Canary member name", "Canary manager name", "4242", "Own-0001"):
        assert known in text, known
    for mark in ("admin", "member", "manager", "pending"):
        assert f"canary-{mark}@mail.test" in text, mark


def test_a_removed_persons_open_page_answers_nothing_any_more(world: World) -> None:
    membership = world.memberships[Role.BILLING_MANAGER]
    client = world.clients[Role.BILLING_MANAGER]
    world.clients[Role.ADMIN].post(
        reverse("manager_remove", args=["own", membership.pk]), INSIDE["manager_remove"].data
    )
    for name in ("dashboard", "billing", "invoices"):
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(reverse(name, args=["own"]), headers=headers)
            assert response.status_code == 404
            assert "Own" not in response.content.decode()


def test_an_inviter_is_named_to_whom_he_invited_and_to_nobody_else(world: World) -> None:
    """The one exception: whoever causes an invitation is named in it."""
    inviter = canary(OrganizationFactory(), Role.ADMIN, "inviter")
    invitation = InvitationFactory(organization=inviter.organization, inviter=inviter)
    invited = signed_in(UserFactory(email=invitation.email))
    assert "Canary inviter name" in invited.get(page_of(invitation)).content.decode()
    assert "canary-inviter@mail.test" not in invited.get(page_of(invitation)).content.decode()
    assert "Canary inviter" not in world.stranger.get("/orgs/").content.decode()


def test_mails_to_a_billing_manager_name_only_who_caused_them(
    world: World, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    manager = world.memberships[Role.BILLING_MANAGER]
    acting = world.clients[Role.ADMIN]
    Organization.objects.filter(pk=world.organization.pk).update(managers_manage_managers=True)
    invitation = InvitationFactory(organization=world.organization, inviter=manager, kind=Kind.MAIL)
    newcomer = signed_in(UserFactory(email=invitation.email))
    accept(newcomer, invitation)
    acting.post(
        reverse("member_role", args=["own", manager.pk]), {"role": "member", "shown_role": "billing_manager"}
    )
    deliver_due()
    theirs = [mail for mail in mailoutbox if mail.to == [manager.user.email]]
    assert len(theirs) == 2
    for mail in theirs:
        text = mail.subject + mail.body + str(mail.alternatives[0][0]) + str(mail.message())
        assert "anary" not in text


def test_every_mail_has_one_recipient(world: World, mailoutbox: list[EmailMultiAlternatives]) -> None:
    """Nobody sees by the envelope who else got it."""
    world.clients[Role.BILLING_MANAGER].post(
        reverse("access_request", args=["own"]), {"permission": "stacks.read"}
    )
    # It waits for what others ask.
    OutgoingEmail.objects.update(next_attempt_at=F("created_at"))
    deliver_due()
    assert len(mailoutbox) == 2
    assert all(len(mail.recipients()) == 1 for mail in mailoutbox)


@pytest.mark.parametrize(
    "url", ["/orgs/nobody/", "/orgs/foreign/", "/no/such/", "/admin/accounts/user/1/change/"]
)
def test_a_page_that_is_not_there_says_nothing_of_how_the_portal_is_built(url: str, world: World) -> None:
    text = world.stranger.get(url, follow=True).content.decode()
    for secret in ("orgs.views", "urlpatterns", "Traceback", "settings", "DEBUG", "CANARY", "Django"):
        assert secret not in text.replace("Account settings", ""), secret


@pytest.mark.slow
def test_a_missing_row_and_a_foreign_one_look_the_same(world: World) -> None:
    client = world.clients[Role.ADMIN]
    for route in all_routes():
        if "<slug:slug>" not in route.path or "<uuid" not in route.path:
            continue
        foreign = client.get(world.url(route, foreign=True))
        missing = client.get(world.url(route, foreign=True).replace("-4", "-8"))
        assert foreign.status_code == missing.status_code, route
        assert len(foreign.content) == len(missing.content), route
