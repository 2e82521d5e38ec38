"""Making, revoking and ending tokens, and what is told of it."""

import uuid
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from orgs import services as orgs
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Permission, Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory
from tests.tokens.factories import AccessTokenFactory
from tokens import services
from tokens.models import AccessToken
from tokens.scopes import SCOPES, scopes_for
from tokens.secret import digest_of, is_well_formed

pytestmark = pytest.mark.django_db
P = Permission


def make(
    actor: Membership,
    *scopes: Permission,
    of_organization: bool = False,
    days: int = 30,
    key: uuid.UUID | None = None,
) -> tuple[AccessToken, str]:
    return services.make_token(
        actor=actor,
        key=key or uuid.uuid4(),
        name="CI",
        scopes=scopes or (P.MEMBERS_LIST,),
        expires_at=timezone.now() + timedelta(days=days),
        of_organization=of_organization,
    )


def told(kind: str) -> set[str]:
    return set(OutgoingEmail.objects.filter(kind=kind).values_list("to", flat=True))


def test_a_token_is_stored_without_its_secret(member: Membership) -> None:
    token, secret = make(member)
    assert is_well_formed(secret)
    row = AccessToken.objects.filter(pk=token.pk).values().get()
    assert row["digest"] == digest_of(secret)
    assert row["start"] == secret[:8]
    assert secret not in str(row)
    assert secret not in str(AuditEvent.objects.values().get())
    assert secret not in str(list(OutgoingEmail.objects.values()))


def test_its_making_is_told_in_the_log_and_by_mail(admin: Membership, member: Membership) -> None:
    other_admin = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    token, _secret = make(member)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.target_id) == (
        "access_token.made",
        member.user_id,
        str(token.pk),
    )
    assert "see the members" in event.sentence
    assert told("token_made") == {member.user.email}
    make(admin, of_organization=True)
    assert told("token_made") == {member.user.email, admin.user.email, other_admin.user.email}


def test_the_same_form_makes_one_token(member: Membership) -> None:
    key = uuid.uuid4()
    make(member, key=key)
    with pytest.raises(Refused, match="made already"):
        make(member, key=key)
    assert AccessToken.objects.count() == 1


def test_nobody_gives_what_they_lack(admin: Membership, member: Membership) -> None:
    with pytest.raises(Denied) as denied:
        make(member, P.MEMBERS_LIST, P.AUDIT_READ)
    assert denied.value.permission is P.AUDIT_READ
    # No token makes people members, changes roles, or moves money.
    with pytest.raises(Denied):
        make(admin, P.MEMBERS_CHANGE_ROLE)
    with pytest.raises(Denied):
        make(admin, P.ACCESS_TOKENS_OWN)


def test_a_token_of_the_organization_is_made_by_admins_and_invites_nobody(
    admin: Membership, member: Membership
) -> None:
    with pytest.raises(Denied):
        make(member, of_organization=True)
    with pytest.raises(Denied):
        make(admin, P.MEMBERS_INVITE, of_organization=True)
    offered = scopes_for(admin, of_organization=True)
    token, _secret = make(admin, *offered, of_organization=True)
    assert token.permissions == set(SCOPES) - {P.MEMBERS_INVITE, P.BILLING_MANAGERS_INVITE}


def test_a_billing_manager_has_none(billing_manager: Membership) -> None:
    with pytest.raises(Denied):
        make(billing_manager, P.BILLING_VIEW)


@pytest.mark.parametrize("days", [-1, 367])
def test_a_token_ends_within_a_year(member: Membership, days: int) -> None:
    with pytest.raises(Refused, match="within the next year"):
        make(member, days=days)


def test_there_is_a_limit_which_expired_ones_do_not_count_for(member: Membership) -> None:
    now = timezone.now()
    for _number in range(services.MOST_TOKENS):
        AccessTokenFactory(organization=member.organization, membership=member)
    with pytest.raises(Refused, match="20 tokens"):
        make(member)
    AccessToken.objects.filter(pk=AccessToken.objects.latest("pk").pk).update(expires_at=now)
    make(member)


def test_a_personal_token_may_what_its_person_and_it_both_may(admin: Membership) -> None:
    token, _secret = make(admin, P.MEMBERS_LIST, P.AUDIT_READ)
    assert principal_of(token).permissions == {P.MEMBERS_API_LIST, P.MEMBERS_LIST, P.AUDIT_READ}
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    assert principal_of(token).permissions == {P.MEMBERS_API_LIST, P.MEMBERS_LIST}
    Membership.objects.filter(pk=admin.pk).update(role=Role.BILLING_MANAGER)
    assert principal_of(token).permissions == set()


def principal_of(token: AccessToken) -> Membership:
    found = AccessToken.objects.select_related("organization", "membership__user").get(pk=token.pk)
    assert isinstance(found.principal, Membership)
    return found.principal


def test_a_permission_that_is_no_more_gives_nothing(admin: Membership) -> None:
    token = AccessTokenFactory(organization=admin.organization, scopes=["billing.fly", "members.list"])
    assert token.permissions == {P.MEMBERS_API_LIST, P.MEMBERS_LIST}


def test_by_a_token_a_verb_names_person_and_token(admin: Membership, billing_manager: Membership) -> None:
    token, _secret = make(admin, P.BILLING_MANAGERS_REMOVE)
    orgs.remove_member(actor=principal_of(token), membership_id=billing_manager.pk)
    event = AuditEvent.objects.get(action="membership.removed")
    assert (event.actor_kind, event.actor_id) == (ActorKind.PERSON, admin.user_id)
    assert (event.token_id, event.token_name) == (token.pk, "CI")
    assert event.actor == f"{admin.user.name}, by the access token CI,"


def test_by_a_token_of_the_organization_a_verb_names_the_token(
    admin: Membership, billing_manager: Membership
) -> None:
    token, _secret = make(admin, P.BILLING_MANAGERS_REMOVE, of_organization=True)
    admin.delete()
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    orgs.remove_member(actor=token, membership_id=billing_manager.pk)
    event = AuditEvent.objects.get(action="membership.removed")
    assert (event.actor_kind, event.actor_id, event.actor) == (ActorKind.TOKEN, token.pk, "CI")


@pytest.mark.parametrize("ending", ["revoked", "expired", "demoted", "shut"])
def test_a_verb_under_way_stops_when_the_token_has_ended(
    admin: Membership, billing_manager: Membership, ending: str
) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    token, _secret = make(admin, P.BILLING_MANAGERS_REMOVE)
    principal = principal_of(token)
    match ending:
        case "revoked":
            services.revoke_token(actor=admin, token_id=token.pk)
        case "expired":
            AccessToken.objects.update(expires_at=timezone.now())
        case "demoted":
            Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
        case "shut":
            type(admin.user).objects.filter(pk=admin.user_id).update(is_active=False)
    with pytest.raises((AccessToken.DoesNotExist, Denied)):
        orgs.remove_member(actor=principal, membership_id=billing_manager.pk)
    assert Membership.objects.filter(pk=billing_manager.pk).exists()


def test_a_token_ends_with_its_membership(admin: Membership, member: Membership) -> None:
    make(member)
    make(admin, of_organization=True)
    orgs.remove_member(actor=admin, membership_id=member.pk)
    assert [token.membership_id for token in AccessToken.objects.all()] == [None]
    event = AuditEvent.objects.get(action="access_token.ended")
    assert (event.actor_kind, event.target_name) == (ActorKind.SYSTEM, "CI")
    assert "no longer belong" in event.sentence


def test_each_token_that_ends_so_is_told_of_before_and_after(admin: Membership, member: Membership) -> None:
    for _token in range(2):
        make(member)
    make(admin)
    assert "2 personal access tokens" in orgs.remove_member(actor=admin, membership_id=member.pk)
    assert AuditEvent.objects.filter(action="access_token.ended").count() == 2


def test_a_role_that_may_have_none_ends_them_for_good(admin: Membership, member: Membership) -> None:
    make(member)
    for role in (Role.BILLING_MANAGER, Role.MEMBER):
        orgs.change_role(actor=admin, membership_id=member.pk, role=role)
    assert not AccessToken.objects.exists()
    event = AuditEvent.objects.get(action="access_token.ended")
    assert event.actor_kind == ActorKind.SYSTEM
    assert member.user.name in event.sentence


def test_a_token_stays_with_a_role_that_may_have_some(admin: Membership, member: Membership) -> None:
    make(member)
    orgs.change_role(actor=admin, membership_id=member.pk, role=Role.ADMIN)
    assert AccessToken.objects.exists()


def test_an_admin_revokes_other_peoples_tokens_and_they_learn_of_it(
    admin: Membership, member: Membership
) -> None:
    token, _secret = make(member)
    services.revoke_token(actor=admin, token_id=token.pk)
    assert not AccessToken.objects.exists()
    assert told("token_revoked") == {member.user.email}
    event = AuditEvent.objects.get(action="access_token.revoked")
    assert (event.actor_id, event.target_name) == (admin.user_id, "CI")
    assert member.user.name in event.sentence


def test_a_member_revokes_their_own_only(admin: Membership, member: Membership) -> None:
    own, _secret = make(member)
    admins, _secret = make(admin)
    with pytest.raises(Denied):
        services.revoke_token(actor=member, token_id=admins.pk)
    services.revoke_token(actor=member, token_id=own.pk)
    assert list(AccessToken.objects.all()) == [admins]
    assert not told("token_revoked")


def test_another_organizations_token_is_not_found(admin: Membership) -> None:
    with pytest.raises(AccessToken.DoesNotExist):
        services.revoke_token(actor=admin, token_id=AccessTokenFactory().pk)


def aged(member: Membership | None, *, made: int, expires: int) -> AccessToken:
    """A token that was made so many days ago, and expires in so many."""
    now = timezone.now()
    organization = {} if member is None else {"organization": member.organization}
    return AccessTokenFactory(
        **organization,
        membership=member,
        created_at=now - timedelta(days=made),
        expires_at=now + timedelta(days=expires),
    )


def test_people_are_warned_once_a_week_ahead(admin: Membership, member: Membership) -> None:
    aged(member, made=84, expires=6)
    aged(admin, made=80, expires=10)
    aged(admin, made=1, expires=6)
    for _day in range(2):
        services.warn_of_expiring_tokens()
    assert told("token_expires") == {member.user.email}
    assert OutgoingEmail.objects.filter(kind="token_expires").count() == 1


def test_all_admins_are_warned_of_the_organizations(admin: Membership) -> None:
    token = aged(None, made=84, expires=6)
    admins: Iterable[Membership] = [
        MembershipFactory(organization=token.organization, role=Role.ADMIN) for _number in range(2)
    ]
    services.warn_of_expiring_tokens()
    assert told("token_expires") == {person.user.email for person in admins}


def test_expired_tokens_are_kept_for_a_month(member: Membership) -> None:
    aged(member, made=90, expires=-31)
    kept = aged(member, made=90, expires=-29)
    services.delete_old_tokens()
    assert list(AccessToken.objects.all()) == [kept]
