"""Billing managers who may manage billing managers: each act by role and setting, and the setting's edges.

Two mutants of ``delegated_invitations`` are the same program: while the setting is off, nothing is delegated
that it could find, and the page says as little of None as of an empty list.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from invitations.models import Invitation, Kind, State
from invitations.refusals import Reason
from invitations.selectors.pending import NONE_PENDING, pending_invitations
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of, text
from tests.invitations.test_invitee import opened
from tests.world import signed_in

pytestmark = pytest.mark.django_db

ADMIN, MEMBER, MANAGER = Role.ADMIN, Role.MEMBER, Role.BILLING_MANAGER


class Scene:
    """A person who acts, and on whom: an admin, a billing manager whom an admin invited, and invitations."""

    def __init__(self, role: Role, *, delegated: bool) -> None:
        self.person = MembershipFactory(role=role, organization__managers_manage_managers=delegated)
        self.organization = self.person.organization
        self.client = signed_in(self.person.user)
        self.admin, self.manager = (
            MembershipFactory(organization=self.organization, role=role) for role in (ADMIN, MANAGER)
        )
        self.own = self.invitation(self.person, MANAGER)
        self.others = self.invitation(self.admin, MANAGER)
        self.to_member = self.invitation(self.admin, MEMBER)

    def invitation(self, inviter: Membership, role: Role) -> Invitation:
        sent_at = timezone.now() - timedelta(hours=1)
        return InvitationFactory(organization=self.organization, inviter=inviter, role=role, sent_at=sent_at)

    def post(self, url_name: str, *args: object, **data: object) -> HttpResponse:
        return self.client.post(reverse(url_name, args=[self.organization.slug, *args]), data)


def on_invitation(name: str, which: str) -> Callable[[Scene], HttpResponse]:
    return lambda scene: scene.post(name, getattr(scene, which).pk, generation=1)


def removal(which: str) -> Callable[[Scene], HttpResponse]:
    def press(scene: Scene) -> HttpResponse:
        target = getattr(scene, which)
        return scene.post("manager_remove", target.pk, shown_role=target.role)

    return press


ACTS: dict[str, Callable[[Scene], HttpResponse]] = {
    "invite a billing manager": lambda scene: scene.post("managers_invite", email="new@ledger.test"),
    "make a billing manager's link": lambda scene: scene.post("managers_link"),
    "invite a member": lambda scene: scene.post("members_invite", email="new@ledger.test", role="member"),
    "make a member's link": lambda scene: scene.post("members_link", role="member"),
    "send their own invitation again": on_invitation("invitation_resend", "own"),
    "copy the link of their own": on_invitation("invitation_copy_link", "own"),
    "revoke their own": on_invitation("invitation_revoke", "own"),
    "send another's again": on_invitation("invitation_resend", "others"),
    "copy the link of another's": on_invitation("invitation_copy_link", "others"),
    "revoke another's": on_invitation("invitation_revoke", "others"),
    "revoke one to a member": on_invitation("invitation_revoke", "to_member"),
    "remove a billing manager": removal("manager"),
    "remove an admin as billing manager": removal("admin"),
    "remove an admin as member": lambda scene: scene.post(
        "member_remove", scene.admin.pk, shown_role="admin"
    ),
    "make somebody an admin": lambda scene: scene.post(
        "member_role", scene.manager.pk, role="admin", shown_role="billing_manager"
    ),
    "change the setting": lambda scene: scene.post(
        "organization_settings", name="New name", managers_manage_managers="on"
    ),
}
# What a billing manager may where the organization lets them; everything else answers with the status.
DELEGATED = {
    "invite a billing manager",
    "make a billing manager's link",
    "send their own invitation again",
    "copy the link of their own",
    "revoke their own",
    "remove a billing manager",
}
NOT_FOUND = {
    "send another's again",
    "copy the link of another's",
    "revoke another's",
    "revoke one to a member",
    "remove an admin as billing manager",
}


def state(scene: Scene) -> object:
    return (
        sorted(Membership.objects.values_list("pk", "role")),
        sorted(Invitation.objects.values_list("pk", "state", "generation")),
        Organization.objects.values_list("name", "managers_manage_managers").get(pk=scene.organization.pk),
        AuditEvent.objects.count(),
    )


def expected(act: str, role: Role, *, delegated: bool) -> int:
    """The status of what is refused; 0: it is done."""
    if role is ADMIN:
        return 404 if act == "remove an admin as billing manager" else 0
    if role is MANAGER and delegated:
        return 0 if act in DELEGATED else 404 if act in NOT_FOUND else 403
    return 403


@pytest.mark.parametrize("delegated", [False, True], ids=["off", "on"])
@pytest.mark.parametrize("role", list(Role))
def test_each_act_is_done_or_refused_as_the_table_says(role: Role, delegated: bool) -> None:
    scene = Scene(role, delegated=delegated)
    before = state(scene)
    for act, press in ACTS.items():
        savepoint = transaction.savepoint()
        status = press(scene).status_code
        after = state(scene)
        transaction.savepoint_rollback(savepoint)
        wanted = expected(act, role, delegated=delegated)
        if wanted:
            assert (act, status, after) == (act, wanted, before)
        else:
            assert status in {200, 302}, act
            assert after != before, act


def test_nobody_removes_themselves_as_billing_manager() -> None:
    scene = Scene(MANAGER, delegated=True)
    response = removal("person")(scene)
    assert Membership.objects.filter(pk=scene.person.pk).exists()
    assert "Leave the organization instead" in text(scene.client.get(response.headers["Location"]))


# --- Turned off while invitations wait -----------------------------------------------------------------


@pytest.fixture
def scene() -> Scene:
    return Scene(MANAGER, delegated=True)


def turn_off(scene: Scene) -> HttpResponse:
    return signed_in(scene.admin.user).post(
        reverse("organization_settings", args=[scene.organization.slug]),
        {"name": scene.organization.name, "initial-managers_manage_managers": "True"},
    )


def settings_page(scene: Scene) -> str:
    url = reverse("organization_settings", args=[scene.organization.slug])
    return text(signed_in(scene.admin.user).get(url))


def test_the_settings_page_says_before_which_invitations_end(scene: Scene) -> None:
    InvitationFactory(organization=scene.organization, inviter=scene.person, kind=Kind.LINK)
    page = settings_page(scene)
    assert "2 pending invitations that billing managers sent end: for" in page
    assert scene.own.email in page
    assert "anyone with the link" in page
    assert scene.others.email not in page
    turn_off(scene)
    assert "pending invitation" not in settings_page(scene)


def test_turned_off_they_end_with_a_mail_and_a_row_each_and_the_others_stay(scene: Scene) -> None:
    elsewhere = InvitationFactory(
        inviter=MembershipFactory(user=scene.person.user, role=MANAGER), organization__name="Elsewhere"
    )
    turn_off(scene)
    pending = Invitation.objects.pending().values_list("pk", flat=True)
    assert set(pending) == {scene.others.pk, scene.to_member.pk, elsewhere.pk}
    assert OutgoingEmail.objects.get(kind="invitation_revoked").to == scene.own.email
    event = AuditEvent.objects.get(action="invitation.revoked")
    assert (event.actor_kind, event.target_id) == (ActorKind.SYSTEM, str(scene.own.pk))


def test_turning_it_off_twice_or_saving_something_else_ends_nothing_more(scene: Scene) -> None:
    signed_in(scene.admin.user).post(
        reverse("organization_settings", args=[scene.organization.slug]),
        {"name": "New name", "managers_manage_managers": "on", "initial-managers_manage_managers": "True"},
    )
    assert Invitation.objects.get(pk=scene.own.pk).state == State.PENDING
    for _press in range(2):
        turn_off(scene)
    assert AuditEvent.objects.filter(action="invitation.revoked").count() == 1


def test_an_invited_person_whose_page_is_open_reads_why_nothing_is_left(scene: Scene) -> None:
    client = opened(by_mail(scene.own), signed_in(UserFactory(email=scene.own.email)))
    assert "Accept invitation" in text(client.get(page_of(scene.own)))
    turn_off(scene)
    response = accept(client, scene.own, follow=True)
    assert response.status_code == 410
    assert "This invitation was withdrawn." in text(response)


def remove(scene: Scene) -> None:
    url = reverse("manager_remove", args=[scene.organization.slug, scene.person.pk])
    signed_in(scene.admin.user).post(url, {"shown_role": "billing_manager"})


LEFT = {"removed": (remove, 404), "turned off": (turn_off, 403)}


@pytest.mark.parametrize("what", LEFT)
def test_the_open_page_of_an_inviter_who_lost_the_right_can_do_nothing_more(what: str, scene: Scene) -> None:
    lose, status = LEFT[what]
    lose(scene)
    assert Invitation.objects.get(pk=scene.own.pk).state == State.REVOKED
    before = state(scene)
    for act in DELEGATED:
        response = ACTS[act](scene)
        assert response.status_code == status, act
        assert "<h1" in response.content.decode()
    assert state(scene) == before


def test_a_delegated_billing_manager_sees_their_own_invitations_and_others_by_name_only(scene: Scene) -> None:
    page = billing_page(scene.client, scene)
    assert scene.own.email in page
    assert scene.manager.user.name in page
    for hidden in (scene.others, scene.to_member):
        assert hidden.email not in page
    for hidden in (scene.manager.user.email, scene.admin.user.name, scene.admin.user.email):
        assert hidden not in page


def billing_page(client: Client, scene: Scene) -> str:
    return text(client.get(reverse("billing", args=[scene.organization.slug])))


def test_a_delegated_manager_sees_what_they_sent_to_managers_and_nothing_of_members() -> None:
    scene = Scene(MANAGER, delegated=True)
    Invitation.objects.update(last_error=Reason.ALREADY_IN, last_error_by="member@ledger.test")
    (own,) = pending_invitations(scene.person, MANAGER).shown
    assert (own.id, own.error, own.error_by) == (str(scene.own.pk), "", "")
    assert pending_invitations(scene.person, MEMBER) == NONE_PENDING
