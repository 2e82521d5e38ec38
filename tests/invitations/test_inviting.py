"""Who may invite whom, and what an invitation may look like.

No test waits for the very end of RESEND_PAUSE, so that its ``<`` could be ``<=``. Without ``_ensure_new``'s
check for an invitation that waits, the constraint behind it says the same.
"""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from invitations import models, services
from invitations.claims import Channel, claim_in
from invitations.models import Invitation, Kind, State
from invitations.services import mail_limits, sending
from orgs.errors import PageOutdated, Refused, RefusedForNow
from orgs.models import Membership, Organization
from orgs.policy import Denied, Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db


def token_of(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def mails(kind: str) -> list[str]:
    return list(OutgoingEmail.objects.filter(kind=kind).order_by("to").values_list("to", flat=True))


@pytest.mark.parametrize("role", Role)
def test_an_admin_invites_to_every_role(admin: Membership, role: Role) -> None:
    invitation = services.invite_by_mail(actor=admin, email=" Lee@Ledger.test ", role=role)
    assert (invitation.state, invitation.kind, invitation.role) == (State.PENDING, Kind.MAIL, role)
    assert invitation.email == "lee@ledger.test"
    assert mails("invitation_sent") == ["lee@ledger.test"]
    assert AuditEvent.objects.get().sentence == f"invited lee@ledger.test as {role.label}"


@pytest.mark.parametrize("role", Role)
def test_a_member_invites_nobody(member: Membership, role: Role) -> None:
    with pytest.raises(Denied):
        services.invite_by_mail(actor=member, email="lee@ledger.test", role=role)
    with pytest.raises(Denied):
        services.create_link(actor=member, role=role)


@pytest.mark.parametrize("role", Role)
def test_a_billing_manager_invites_nobody_by_default(billing_manager: Membership, role: Role) -> None:
    with pytest.raises(Denied):
        services.invite_by_mail(actor=billing_manager, email="lee@ledger.test", role=role)
    with pytest.raises(Denied):
        services.create_link(actor=billing_manager, role=role)


@pytest.fixture
def delegated(organization: Organization) -> Organization:
    organization.managers_manage_managers = True
    organization.save()
    return organization


def test_where_allowed_a_billing_manager_invites_billing_managers_only(
    delegated: Organization, billing_manager: Membership
) -> None:
    services.invite_by_mail(actor=billing_manager, email="lee@ledger.test", role=Role.BILLING_MANAGER)
    services.create_link(actor=billing_manager, role=Role.BILLING_MANAGER)
    for role in (Role.ADMIN, Role.MEMBER):
        with pytest.raises(Denied):
            services.invite_by_mail(actor=billing_manager, email="kim@ledger.test", role=role)
        with pytest.raises(Denied):
            services.create_link(actor=billing_manager, role=role)


def test_the_right_to_invite_is_asked_under_the_lock(admin: Membership) -> None:
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    with pytest.raises(Denied):
        services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "   ",
        "lee",
        "lee@",
        "@ledger.test",
        "lee@ledger",
        "lee@ledger.test\nBcc: all@ledger.test",
        "lee@ledger.test, kim@ledger.test",
        "Lee <lee@ledger.test>",
        "lee@ledg\u0435r.test",  # a Cyrillic e
        "l\u0435e@ledger.test",
        "lee\x00@ledger.test",
        "l" * 250 + "@ledger.test",
    ],
)
def test_a_wrong_address_is_refused_with_a_sentence(admin: Membership, address: str) -> None:
    with pytest.raises(Refused) as refused:
        services.invite_by_mail(actor=admin, email=address, role=Role.BILLING_MANAGER)
    assert str(refused.value.message).endswith(".")
    assert not Invitation.objects.exists()
    assert not OutgoingEmail.objects.exists()


def test_nobody_invites_himself(admin: Membership) -> None:
    with pytest.raises(Refused, match="your own address"):
        services.invite_by_mail(actor=admin, email=admin.user.email.upper(), role=Role.BILLING_MANAGER)


def test_who_is_in_already_is_not_invited(admin: Membership, member: Membership) -> None:
    with pytest.raises(Refused, match="Change the role instead"):
        services.invite_by_mail(actor=admin, email=member.user.email, role=Role.BILLING_MANAGER)


def test_a_billing_manager_does_not_learn_who_is_a_member(
    delegated: Organization, billing_manager: Membership, member: Membership
) -> None:
    for address in (member.user.email, "stranger@ledger.test"):
        invitation = services.invite_by_mail(actor=billing_manager, email=address, role=Role.BILLING_MANAGER)
        assert invitation.state == State.PENDING


def test_inviting_does_not_tell_whether_an_account_exists(admin: Membership) -> None:
    known = services.invite_by_mail(actor=admin, email=UserFactory().email, role=Role.MEMBER)
    unknown = services.invite_by_mail(actor=admin, email="nobody@ledger.test", role=Role.MEMBER)
    same = ("state", "kind", "role", "generation", "last_error")
    assert [getattr(known, name) for name in same] == [getattr(unknown, name) for name in same]


def test_an_address_waits_once(admin: Membership) -> None:
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    with pytest.raises(Refused, match=r"An invitation for lee@ledger\.test is waiting already"):
        services.invite_by_mail(actor=admin, email="LEE@ledger.test", role=Role.BILLING_MANAGER)
    assert mails("invitation_sent") == ["lee@ledger.test"]
    # Sent again just now, by another button.
    Invitation.objects.update(generation=2)
    with pytest.raises(Refused, match="waiting already"):
        services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)


def test_a_second_press_with_another_last_day_is_not_answered_as_the_first(admin: Membership) -> None:
    last_day = timezone.now().date() + timedelta(days=30)
    invite = partial(services.invite_by_mail, actor=admin, email="lee@ledger.test", role=Role.BILLING_MANAGER)
    first = invite(last_day=last_day)
    assert invite(last_day=last_day) == first
    with pytest.raises(Refused, match="waiting already"):
        invite(last_day=None)
    assert mails("invitation_sent") == ["lee@ledger.test"]


def test_the_database_refuses_a_second_pending_invitation_for_an_address(organization: Organization) -> None:
    InvitationFactory(organization=organization, email="lee@ledger.test")
    with pytest.raises(IntegrityError, match="invitation_one_pending_per_address"), transaction.atomic():
        InvitationFactory(organization=organization, email="lee@ledger.test")
    InvitationFactory(email="lee@ledger.test")


def test_support_reads_whom_an_invitation_is_for(organization: Organization) -> None:
    invitation = InvitationFactory(organization=organization, email="lee@ledger.test", role=Role.MEMBER)
    assert str(invitation) == f"lee@ledger.test to {organization.name} as Member"


def test_the_link_of_an_invitation_that_holds_the_only_place_can_be_copied() -> None:
    admin = MembershipFactory(organization__edition_code="team-growth", role=Role.ADMIN)
    created = token_of(services.create_link(actor=admin, role=Role.BILLING_MANAGER))
    invitation = Invitation.objects.get()
    assert token_of(services.copy_link(actor=admin, invitation_id=invitation.pk, shown=1)) == created
    with pytest.raises(PageOutdated):
        services.copy_link(actor=admin, invitation_id=invitation.pk, shown=2)
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "invitation.link_created",
        "invitation.link_copied",
    ]


def test_a_link_that_is_dead_is_not_answered_again_where_another_holds_the_only_place() -> None:
    admin = MembershipFactory(organization__edition_code="team-growth", role=Role.ADMIN)
    now = timezone.now()
    InvitationFactory(
        organization=admin.organization, inviter=admin, kind=Kind.LINK, state=State.REVOKED, decided_at=now
    )
    InvitationFactory(organization=admin.organization, inviter=admin)
    with pytest.raises(Refused):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER)


def test_sending_again_writes_what_its_mail_says(admin: Membership) -> None:
    earlier = timezone.now() - timedelta(hours=1)
    invitation = InvitationFactory(organization=admin.organization, sent_at=earlier)
    with pytest.raises(PageOutdated):
        services.resend(actor=admin, invitation_id=invitation.pk, shown=2)
    services.resend(actor=admin, invitation_id=invitation.pk, shown=1)
    invitation.refresh_from_db()
    assert (invitation.generation, invitation.invited_by) == (2, admin.user)
    assert AuditEvent.objects.get().action == "invitation.resent"


def test_sending_again_counts_among_the_mails_of_a_day(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY_AND_ADDRESS", 1)
    invitation = services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    limit = r"^lee@ledger\.test got 1 invitations today, which is the limit\. Try again tomorrow\.$"
    with pytest.raises(RefusedForNow, match=limit) as refused:
        services.resend(actor=admin, invitation_id=invitation.pk)
    assert 86_000 < refused.value.wait <= 86_400
    services.revoke(actor=admin, invitation_id=invitation.pk)
    with pytest.raises(RefusedForNow, match=limit):
        services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)


def test_what_is_over_is_neither_copied_nor_sent_anew(admin: Membership) -> None:
    now = timezone.now()
    Organization.objects.update(invitation_max_age_days=1)
    admin.refresh_from_db()
    overdue = InvitationFactory(organization=admin.organization, sent_at=now - timedelta(days=2))
    with pytest.raises(Refused, match="has expired"):
        services.copy_link(actor=admin, invitation_id=overdue.pk)
    revoked = InvitationFactory(
        organization=admin.organization,
        state=State.REVOKED,
        decided_at=now,
        asked_at=now,
        asked_for="lee@ledger.test",
        last_day=now.date() - timedelta(days=1),
    )
    with pytest.raises(PageOutdated):
        services.resend(actor=admin, invitation_id=revoked.pk, shown=2)
    with pytest.raises(Refused, match="has passed"):
        services.resend(actor=admin, invitation_id=revoked.pk, shown=1)
    Invitation.objects.filter(pk=revoked.pk).update(last_day=now.date() + timedelta(days=9))
    sent = services.resend(actor=admin, invitation_id=revoked.pk, shown=1)
    assert (sent.email, sent.last_day) == ("lee@ledger.test", now.date() + timedelta(days=9))


def test_the_constraint_behind_the_check_gives_the_same_refusal(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    InvitationFactory(organization=admin.organization, email="lee@ledger.test")
    monkeypatch.setattr(sending, "_ensure_new", lambda *_: None)
    with pytest.raises(Refused, match=r"An invitation for lee@ledger\.test is waiting already"):
        services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)


def test_no_other_constraint_says_that_an_invitation_waits(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_another_constraint(*_args: object, **_values: object) -> None:
        InvitationFactory(organization=admin.organization, generation=0)

    monkeypatch.setattr(sending, "_mail_invitation", break_another_constraint)
    with pytest.raises(IntegrityError, match="invitation_generation_positive"):
        services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        ("mail_has_address", {"kind": Kind.MAIL, "email": ""}),
        ("mail_has_address", {"kind": Kind.LINK, "email": "lee@ledger.test"}),
        ("email_lower", {"email": "Lee@ledger.test"}),
        ("role_known", {"role": "owner"}),
        ("last_day_role", {"role": Role.MEMBER, "last_day": "2030-01-31"}),
        ("generation_positive", {"generation": 0}),
        ("decided_once", {"state": State.ACCEPTED}),
        ("decided_once", {"state": State.PENDING, "decided_at": timezone.now()}),
        ("decided_once", {"state": "forgotten", "decided_at": timezone.now()}),
        ("of_one_inviter", {"of_no_person": True}),
        ("accepted_by", {"accepted_by": F("invited_by")}),
    ],
)
def test_the_database_keeps_invitations_in_shape(constraint: str, wrong: dict[str, object]) -> None:
    invitation = InvitationFactory()
    with pytest.raises(IntegrityError, match=f'"invitation_{constraint}"'), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(**wrong)


def test_invitations_are_never_deleted() -> None:
    invitation = InvitationFactory()
    with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
        invitation.delete()


def test_an_overdue_invitation_makes_room_for_a_new_one(
    admin: Membership, organization: Organization
) -> None:
    organization.invitation_max_age_days = 7
    organization.save()
    old = InvitationFactory(
        organization=organization, email="lee@ledger.test", sent_at=timezone.now() - timedelta(days=8)
    )
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    old.refresh_from_db()
    assert old.state == State.EXPIRED
    event = AuditEvent.objects.get(action="invitation.expired")
    assert (event.actor_kind, event.target_id) == (ActorKind.SYSTEM, str(old.pk))
    assert event.organization_id == organization.pk
    assert event.sentence == "ended the invitation for lee@ledger.test, which had expired"


def test_pending_invitations_reserve_the_only_place_for_a_billing_manager() -> None:
    admin = MembershipFactory(role=Role.ADMIN, organization__edition_code="team-growth")
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER)
    services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.MEMBER)


def test_pending_invitations_reserve_seats() -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=2)
    admin = MembershipFactory(role=Role.ADMIN, organization=organization)
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    with pytest.raises(Refused, match="All 2 seats are taken"):
        services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.ADMIN)
    services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.BILLING_MANAGER)


def test_an_overdue_invitation_reserves_nothing() -> None:
    organization = OrganizationFactory(edition_code="team-growth", invitation_max_age_days=1)
    admin = MembershipFactory(role=Role.ADMIN, organization=organization)
    InvitationFactory(organization=organization, inviter=admin, sent_at=timezone.now() - timedelta(days=2))
    services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.BILLING_MANAGER)


def test_a_link_is_for_whoever_has_it(admin: Membership) -> None:
    claim = claim_in(token_of(services.create_link(actor=admin, role=Role.BILLING_MANAGER)))
    invitation = Invitation.objects.get()
    assert (claim.invitation_id, claim.channel) == (invitation.pk, Channel.LINK)
    assert (invitation.kind, invitation.email) == (Kind.LINK, "")
    assert not OutgoingEmail.objects.exists()


def test_each_link_is_a_new_one_where_there_is_room(admin: Membership) -> None:
    first = services.create_link(actor=admin, role=Role.BILLING_MANAGER)
    assert services.create_link(actor=admin, role=Role.BILLING_MANAGER) != first


def test_pressing_twice_for_the_only_place_gives_the_same_link() -> None:
    admin = MembershipFactory(role=Role.ADMIN, organization__edition_code="team-growth")
    first = services.create_link(actor=admin, role=Role.BILLING_MANAGER)
    assert services.create_link(actor=admin, role=Role.BILLING_MANAGER) == first
    last_day = timezone.now().date() + timedelta(days=9)
    with pytest.raises(Refused):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER, last_day=last_day)
    Invitation.objects.update(last_day=last_day)
    assert services.create_link(actor=admin, role=Role.BILLING_MANAGER, last_day=last_day) == first
    with pytest.raises(Refused):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER)
    assert Invitation.objects.count() == 1


def test_a_copied_link_of_a_mail_invitation_proves_no_address(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    url = services.copy_link(actor=admin, invitation_id=invitation.pk)
    assert claim_in(token_of(url)).channel is Channel.LINK
    assert AuditEvent.objects.get().action == "invitation.link_copied"


def test_only_pending_links_are_copied(admin: Membership) -> None:
    invitation = InvitationFactory(
        organization=admin.organization, inviter=admin, state=State.REVOKED, decided_at=timezone.now()
    )
    with pytest.raises(Refused, match="Its state now: Revoked"):
        services.copy_link(actor=admin, invitation_id=invitation.pk)


def test_resending_makes_a_new_mail_and_kills_the_older_link(admin: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    invitation = InvitationFactory(
        organization=admin.organization,
        inviter=other,
        sent_at=timezone.now() - timedelta(minutes=2),
        last_error="no_room",
        last_error_by="lee@ledger.test",
        last_error_at=timezone.now(),
    )
    resent = services.resend(actor=admin, invitation_id=invitation.pk)
    assert (resent.generation, resent.invited_by) == (2, admin.user)
    assert (resent.last_error, resent.last_error_by, resent.last_error_at) == ("", "", None)
    assert mails("invitation_sent") == [invitation.email]


def test_a_minute_lies_between_two_mails(admin: Membership) -> None:
    invitation = services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    with pytest.raises(Refused, match="Wait a minute"):
        services.resend(actor=admin, invitation_id=invitation.pk)
    assert len(mails("invitation_sent")) == 1


def test_a_link_is_not_sent_by_mail(admin: Membership) -> None:
    invitation = InvitationFactory(
        organization=admin.organization,
        inviter=admin,
        kind=Kind.LINK,
        sent_at=timezone.now() - timedelta(days=1),
    )
    with pytest.raises(Refused, match="Copy it"):
        services.resend(actor=admin, invitation_id=invitation.pk)


def test_resending_an_overdue_invitation_needs_room() -> None:
    organization = OrganizationFactory(edition_code="team-growth", invitation_max_age_days=1)
    admin = MembershipFactory(role=Role.ADMIN, organization=organization)
    overdue = InvitationFactory(
        organization=organization, inviter=admin, sent_at=timezone.now() - timedelta(days=2)
    )
    services.invite_by_mail(actor=admin, email="kim@ledger.test", role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.resend(actor=admin, invitation_id=overdue.pk)


def test_mails_a_day_are_limited(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY", 2)
    for name in ("lee", "kim"):
        services.invite_by_mail(actor=admin, email=f"{name}@ledger.test", role=Role.MEMBER)
    for actor in (admin, MembershipFactory(organization=admin.organization, role=Role.ADMIN)):
        limit = r"^2 invitations were mailed today, which is the limit\. Copy an invite link, or wait\.$"
        with pytest.raises(Refused, match=limit):
            services.invite_by_mail(actor=actor, email="mira@ledger.test", role=Role.MEMBER)
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(days=1))
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=1))
    services.invite_by_mail(actor=admin, email="mira@ledger.test", role=Role.MEMBER)


def test_the_mails_of_a_person_are_counted_over_all_their_organizations(
    admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY", 1)
    # A link is no mail.
    services.create_link(actor=admin, role=Role.MEMBER)
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.MEMBER)
    elsewhere = MembershipFactory(user=admin.user, role=Role.ADMIN)
    waits = InvitationFactory(
        organization=elsewhere.organization, sent_at=timezone.now() - timedelta(minutes=5)
    )
    with pytest.raises(Refused, match="which is the limit"):
        services.invite_by_mail(actor=elsewhere, email="kim@ledger.test", role=Role.MEMBER)
    with pytest.raises(Refused, match="which is the limit"):
        services.resend(actor=elsewhere, invitation_id=waits.pk)


def test_fifty_invitations_are_mailed_in_a_day_and_five_to_one_address(organization: Organization) -> None:
    def invited(
        address: str, times: int, *, kind: str = "invitation_sent", by: Organization = organization
    ) -> None:
        OutgoingEmail.objects.bulk_create(
            OutgoingEmail(kind=kind, to=address, organization_id=by.pk, dedupe_key=str(uuid4()))
            for _mail in range(times)
        )

    def refused(address: str) -> bool:
        try:
            mail_limits.ensure_few_mails(organization, address, by=None)
        except RefusedForNow:
            return True
        return False

    invited("lee@ledger.test", 50, kind="invitation_revoked")
    invited("lee@ledger.test", 50, by=OrganizationFactory())
    invited("lee@ledger.test", 4)
    assert not refused("lee@ledger.test")
    invited("lee@ledger.test", 1)
    assert (refused("lee@ledger.test"), refused("kim@ledger.test")) == (True, False)
    invited("mira@ledger.test", 44)
    assert not refused("kim@ledger.test")
    invited("mira@ledger.test", 1)
    assert refused("kim@ledger.test")


def test_revoking_tells_the_invited_address_once(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin)
    for _twice in range(2):
        services.revoke(actor=admin, invitation_id=invitation.pk)
    invitation.refresh_from_db()
    assert invitation.state == State.REVOKED
    assert mails("invitation_revoked") == [invitation.email]
    assert AuditEvent.objects.filter(action="invitation.revoked").count() == 1


def test_revoking_an_invite_link_mails_nobody(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, kind=Kind.LINK)
    services.revoke(actor=admin, invitation_id=invitation.pk)
    assert not OutgoingEmail.objects.exists()


def test_what_was_accepted_is_not_revoked(admin: Membership) -> None:
    invitation = InvitationFactory(
        organization=admin.organization, inviter=admin, state=State.ACCEPTED, decided_at=timezone.now()
    )
    with pytest.raises(Refused, match="Its state now: Accepted"):
        services.revoke(actor=admin, invitation_id=invitation.pk)


@pytest.mark.parametrize("verb", [services.copy_link, services.resend, services.revoke])
def test_other_organizations_invitations_do_not_exist(admin: Membership, verb: object) -> None:
    foreign = InvitationFactory()
    with pytest.raises(Invitation.DoesNotExist):
        verb(actor=admin, invitation_id=foreign.pk)  # type: ignore[operator] - one of three verbs


@pytest.mark.parametrize("verb", [services.copy_link, services.resend, services.revoke])
def test_a_billing_manager_reaches_only_what_he_sent_himself(
    delegated: Organization, billing_manager: Membership, verb: object
) -> None:
    sent = timezone.now() - timedelta(days=1)
    own = InvitationFactory(organization=delegated, inviter=billing_manager, sent_at=sent)
    others = [
        InvitationFactory(organization=delegated, sent_at=sent),
        InvitationFactory(organization=delegated, inviter=billing_manager, role=Role.MEMBER, sent_at=sent),
    ]
    verb(actor=billing_manager, invitation_id=own.pk)  # type: ignore[operator] - one of three verbs
    for other in others:
        with pytest.raises(Invitation.DoesNotExist):
            verb(actor=billing_manager, invitation_id=other.pk)  # type: ignore[operator] - one of three verbs


@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER, Role.BILLING_VIEWER])
def test_who_may_invite_nobody_sees_no_invitation_not_even_their_own(role: Role) -> None:
    person = MembershipFactory(role=role)
    InvitationFactory(organization=person.organization, inviter=person)
    assert not Invitation.objects.visible_to(person).exists()


@pytest.mark.parametrize("verb", [services.copy_link, services.resend, services.revoke])
def test_who_sees_an_invitation_needs_the_right_to_invite_to_its_role_too(
    delegated: Organization,
    billing_manager: Membership,
    verb: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "sees_all", lambda _membership: True)
    sent = timezone.now() - timedelta(days=1)
    invitation = InvitationFactory(organization=delegated, role=Role.MEMBER, sent_at=sent)
    with pytest.raises(Denied, match=r"members\.invite"):
        verb(actor=billing_manager, invitation_id=invitation.pk)  # type: ignore[operator] - one of three verbs
