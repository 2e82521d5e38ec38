"""Invitations are no way in for anybody but the invited, and no way up for who invites."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from invitations import services
from invitations.claims import Channel, Claim, link, mint
from invitations.models import Invitation, Kind, State
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of
from tests.invitations.test_invitee import opened, path_of, sign_up
from tests.world import signed_in

pytestmark = pytest.mark.django_db


def joined(invitation: Invitation) -> bool:
    return (
        Membership.objects.filter(organization=invitation.organization, role=invitation.role)
        .exclude(user=invitation.invited_by)
        .exists()
    )


@pytest.fixture
def delegated(organization: Organization, billing_manager: Membership) -> Membership:
    """A billing manager of an organization that lets billing managers invite others."""
    Organization.objects.filter(pk=organization.pk).update(managers_manage_managers=True)
    return billing_manager


# --- Tokens --------------------------------------------------------------------------------------------


def test_no_altered_character_opens_an_invitation() -> None:
    token = mint(by_mail(InvitationFactory()))
    client = Client()
    for position, character in enumerate(token):
        other = {"m": "l", "1": "2"}.get(character, "A" if character != "A" else "B")
        altered = token[:position] + other + token[position + 1 :]
        assert client.get(f"/invitations/{altered}/").status_code == 404, altered
    for altered in (token[:-1], token + "A", token + "=", token.upper(), f" {token}", token * 2, token[1:]):
        assert client.get(f"/invitations/{altered}/").status_code == 404, altered
    assert "invitation_claims" not in client.session


def test_a_retired_key_opens_nothing() -> None:
    invitation = InvitationFactory()
    with override_settings(INVITATION_SIGNING_KEYS=["retired-key"]):
        path = path_of(by_mail(invitation))
    assert Client().get(path).status_code == 404


def test_a_token_for_a_generation_to_come_opens_nothing() -> None:
    invitation = InvitationFactory()
    client = opened(Claim(invitation.pk, 2, Channel.MAIL), signed_in(UserFactory(email=invitation.email)))
    assert accept(client, Invitation(pk=invitation.pk, generation=2)).status_code in {302, 409}
    assert not joined(invitation)


def test_a_claim_put_into_a_session_by_hand_is_bound_to_its_channel() -> None:
    """An older session, or a library's fault: what isn't a claim of ours opens nothing and breaks nothing."""
    invitation = InvitationFactory()
    client = signed_in(UserFactory())
    session = client.session
    session["invitation_claims"] = [[str(invitation.pk), 1, "l"]]
    session.save()
    assert accept(client, invitation).status_code == 409
    assert not joined(invitation)


def test_a_link_is_used_by_one_of_two() -> None:
    invitation = InvitationFactory(kind=Kind.LINK)
    clients = [opened(by_link(invitation), signed_in(UserFactory())) for _ in range(2)]
    assert accept(clients[0], invitation).headers["Location"].startswith("/orgs/")
    late = accept(clients[1], invitation, follow=True)
    assert late.status_code == 410
    assert Membership.objects.filter(organization=invitation.organization).count() == 2


def test_a_second_post_joins_nobody_again() -> None:
    """After the person was removed, say: a page that is still open must not bring him back."""
    invitation = InvitationFactory()
    user = UserFactory(email=invitation.email)
    client = opened(by_mail(invitation), signed_in(user))
    accept(client, invitation)
    Membership.objects.filter(user=user).delete()
    assert accept(client, invitation, follow=True).status_code == 410
    accept(opened(by_mail(invitation), client), invitation)
    assert not Membership.objects.filter(user=user).exists()


# --- Whose address it proves ---------------------------------------------------------------------------


def test_a_mailed_link_in_anothers_hands_joins_only_the_invited() -> None:
    """Forwarded, or opened at a computer where somebody else is signed in."""
    invitation = InvitationFactory()
    other = UserFactory()
    client = opened(by_mail(invitation), signed_in(other))
    assert accept(client, invitation).status_code == 409
    assert not joined(invitation)
    assert not EmailAddress.objects.filter(email=invitation.email).exists()


def test_a_mailed_link_does_not_verify_a_change_of_address() -> None:
    invitation = InvitationFactory()
    other = UserFactory()
    client = opened(by_mail(invitation), signed_in(other))
    client.post(reverse("account_reauthenticate"), {"password": "correct horse battery"})
    client.post(reverse("account_email"), {"email": invitation.email, "action_add": ""})
    assert not EmailAddress.objects.filter(email=invitation.email, verified=True).exists()


@pytest.mark.parametrize(
    "typed", ["lee+spam@ledger.test", "l.ee@ledger.test", "lee@ledger.test.evil.test", "lee@ledger.te\u017ft"]
)
def test_a_near_miss_of_the_invited_address_proves_nothing(typed: str) -> None:
    invitation = InvitationFactory(email="lee@ledger.test")
    client = opened(by_mail(invitation))
    sign_up(client, typed)
    assert not EmailAddress.objects.filter(verified=True, email=typed).exists()
    accept(client, invitation)
    assert not Membership.objects.filter(user__email=typed).exists()


def test_the_invited_address_in_other_letter_case_is_the_same() -> None:
    invitation = InvitationFactory(email="lee@ledger.test")
    client = opened(by_mail(invitation))
    sign_up(client, "LEE@Ledger.TEST")
    assert EmailAddress.objects.get(email="lee@ledger.test").verified
    assert accept(client, invitation).status_code == 302
    assert joined(invitation)


def test_whoever_knows_an_address_gets_nothing_by_signing_up_first() -> None:
    """The account of who was quicker stays unverified, and the invited person is not let into it."""
    invitation = InvitationFactory()
    sign_up(Client(), invitation.email, "Mallory")
    client = opened(by_mail(invitation))
    sign_up(client, invitation.email)
    assert "_auth_user_id" not in client.session
    assert not EmailAddress.objects.get(email=invitation.email).verified
    assert not joined(invitation)


# --- What changed between inviting and accepting -------------------------------------------------------


def change_role(invitation: Invitation, admin: Membership, role: Role) -> None:
    inviter = Membership.objects.get(organization=invitation.organization, user=invitation.invited_by)
    signed_in(admin.user).post(
        reverse("member_role", args=[admin.organization.slug, inviter.pk]),
        {"role": role.value, "shown_role": inviter.role},
    )


def remove(invitation: Invitation, admin: Membership) -> None:
    inviter = Membership.objects.get(organization=invitation.organization, user=invitation.invited_by)
    signed_in(admin.user).post(
        reverse("member_remove", args=[admin.organization.slug, inviter.pk]), {"shown_role": inviter.role}
    )


def fill_the_edition(invitation: Invitation, admin: Membership) -> None:
    Organization.objects.filter(pk=admin.organization_id).update(edition_code="team-growth")
    MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)


def let_it_expire(invitation: Invitation, admin: Membership) -> None:
    signed_in(admin.user).post(
        reverse("organization_settings", args=[admin.organization.slug]),
        {"name": admin.organization.name, "invitation_max_age_days": "1"},
    )
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=timezone.now() - timezone.timedelta(days=2))


Change = Callable[[Invitation, Membership], None]
CHANGES: dict[str, Change] = {
    "the inviter became a member": lambda invitation, admin: change_role(invitation, admin, Role.MEMBER),
    "the inviter became a billing manager": lambda invitation, admin: change_role(
        invitation, admin, Role.BILLING_MANAGER
    ),
    "the inviter was removed": remove,
    "the edition filled up": fill_the_edition,
    "the invitation expired": let_it_expire,
}


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("change", CHANGES)
def test_what_holds_at_accepting_counts(change: str, kind: Kind, admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, kind=kind)
    user = UserFactory(email=invitation.email) if invitation.email else UserFactory()
    client = opened(by_mail(invitation) if invitation.email else by_link(invitation), signed_in(user))
    assert "Accept invitation" in client.get(page_of(invitation)).content.decode()
    CHANGES[change](invitation, admin)
    assert accept(client, invitation, follow=True).status_code in {409, 410}
    assert not Membership.objects.filter(user=user).exists()


def test_a_delegated_invitation_ends_with_the_delegation(delegated: Membership, sign_in: SignIn) -> None:
    slug = delegated.organization.slug
    sign_in(delegated).post(reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test"})
    invitation = Invitation.objects.get()
    user = UserFactory(email="lee@ledger.test")
    client = opened(by_mail(invitation), signed_in(user))
    Organization.objects.filter(pk=delegated.organization_id).update(managers_manage_managers=False)
    assert accept(client, invitation, follow=True).status_code in {409, 410}
    assert not Membership.objects.filter(user=user).exists()


# --- A billing manager who may manage billing managers -------------------------------------------------


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
def test_a_billing_manager_makes_nobody_more_than_he_is(
    role: Role, delegated: Membership, sign_in: SignIn
) -> None:
    client, slug = sign_in(delegated), delegated.organization.slug
    data = {"email": "lee@ledger.test", "role": role.value, "kind": "mail", "state": "accepted"}
    assert client.post(reverse("members_invite", args=[slug]), data).status_code == 403
    assert client.post(reverse("members_link", args=[slug]), data).status_code == 403
    client.post(reverse("managers_invite", args=[slug]), data)
    client.post(reverse("managers_link", args=[slug]), data)
    for path in (delegated.pk, MembershipFactory(organization=delegated.organization).pk):
        assert client.post(reverse("member_role", args=[slug, path]), data).status_code == 403
    assert not Invitation.objects.exists()
    del data["role"]
    client.post(reverse("managers_invite", args=[slug]), data)
    client.post(reverse("managers_link", args=[slug]), data)
    assert set(Invitation.objects.values_list("role", "state")) == {(Role.BILLING_MANAGER, State.PENDING)}
    assert set(Membership.objects.values_list("role", flat=True)) == {Role.BILLING_MANAGER, Role.MEMBER}


@pytest.mark.parametrize("act", ["invitation_resend", "invitation_copy_link", "invitation_revoke"])
@pytest.mark.parametrize("role", list(Role))
def test_a_billing_manager_does_not_touch_what_others_sent(
    act: str, role: Role, delegated: Membership, sign_in: SignIn
) -> None:
    sent_at = timezone.now() - timezone.timedelta(days=1)
    invitation = InvitationFactory(organization=delegated.organization, role=role, sent_at=sent_at)
    url = reverse(act, args=[delegated.organization.slug, invitation.pk])
    answer = sign_in(delegated).post(url)
    assert answer.status_code == 404
    assert invitation.email not in answer.content.decode()
    invitation.refresh_from_db()
    assert (invitation.state, invitation.generation) == (State.PENDING, 1)


def test_a_demoted_admin_does_not_touch_his_own_members_invitations(
    admin: Membership, sign_in: SignIn
) -> None:
    """As a billing manager he may still see what he sent, but not to whom he may no longer give a role."""
    organization = admin.organization
    Organization.objects.filter(pk=organization.pk).update(managers_manage_managers=True)
    invitation = InvitationFactory(organization=organization, inviter=admin, role=Role.ADMIN)
    Membership.objects.filter(pk=admin.pk).update(role=Role.BILLING_MANAGER)
    for act in ("invitation_resend", "invitation_copy_link", "invitation_revoke"):
        url = reverse(act, args=[organization.slug, invitation.pk])
        assert sign_in(admin).post(url).status_code == 404


@pytest.mark.parametrize("name", ["managers_invite", "managers_link", "members_invite", "members_link"])
def test_a_member_invites_nobody_not_even_where_billing_managers_may(
    name: str, delegated: Membership, member: Membership, sign_in: SignIn
) -> None:
    url = reverse(name, args=[member.organization.slug])
    assert sign_in(member).post(url, {"email": "lee@ledger.test", "role": "member"}).status_code == 403
    assert not Invitation.objects.exists()


def test_a_listed_invitation_is_opened_by_nobody_else(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization)
    link_invitation = InvitationFactory(organization=admin.organization, kind=Kind.LINK)
    for client in (signed_in(UserFactory()), signed_in(admin.user), Client()):
        for target in (invitation, link_invitation):
            assert client.get(page_of(target)).status_code == 404
            assert target.organization.name not in client.get(page_of(target)).content.decode()


# --- Sending much, and being kept ----------------------------------------------------------------------


@pytest.mark.slow
def test_founding_organizations_is_no_way_around_the_limit_of_mails(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account with many organizations is no mail cannon either."""
    monkeypatch.setattr(services.mail_limits, "MAILS_PER_DAY", 3)
    client = signed_in(admin.user)
    for number in range(6):
        founded = client.post("/orgs/new/", {"name": f"Organization number {number}"})
        slug = founded.headers["Location"].split("/")[2]
        client.post(reverse("members_invite", args=[slug]), {"email": f"l{number}@a.test", "role": "member"})
    assert Invitation.objects.count() == 3


@pytest.mark.slow
def test_one_address_is_not_bombed_by_inviting_and_revoking(admin: Membership) -> None:
    client, slug = signed_in(admin.user), admin.organization.slug
    for _ in range(8):
        answer = client.post(reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test"})
        waiting = Invitation.objects.pending().first()
        if waiting is not None:
            client.post(reverse("invitation_revoke", args=[slug, waiting.pk]), {"generation": 1})
    assert answer.status_code == 422
    assert "lee@ledger.test got 5 invitations today" in answer.content.decode()
    assert Invitation.objects.count() == 5


def test_the_pages_of_an_invitation_are_kept_nowhere() -> None:
    invitation = InvitationFactory()
    client, page = opened(by_mail(invitation)), page_of(invitation)
    for path in (path_of(by_mail(invitation)), page, f"{page}decline/"):
        response = client.get(path)
        assert "no-store" in response.headers["Cache-Control"]
        assert mint(by_mail(invitation)) not in response.content.decode()


def test_the_link_itself_is_shown_to_its_maker_only(admin: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    response = client.post(reverse("managers_link", args=[slug]))
    token = link(by_link(Invitation.objects.get())).rstrip("/").rpartition("/")[2]
    assert token in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    for name in ("billing", "members", "audit_log", "organization_settings"):
        assert token not in client.get(reverse(name, args=[slug])).content.decode()
