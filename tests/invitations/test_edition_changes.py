"""Another edition ends the pending invitations of billing managers that it has no room for."""

from datetime import timedelta
from itertools import permutations, product

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from invitations import services
from invitations.models import Invitation, Kind, State
from invitations.refusals import AcceptRefused, Reason
from invitations.selectors import surplus_invitations
from orgs.editions import Edition, edition_of
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.terms import follow_subscription
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_link
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import page_of, text
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

# The design's table: how many billing managers.
ROOM = {
    "team-growth": 1,
    "team-pro": 1,
    "enterprise": None,
    "enterprise-growth": None,
    "business-critical": None,
}


def follow(organization: Organization, edition_code: str) -> None:
    with transaction.atomic():
        follow_subscription(organization, edition_code=edition_code, seats=50)


def invited(
    inviter: Membership, *, days_ago: int, kind: Kind = Kind.MAIL, role: Role = Role.BILLING_MANAGER
) -> Invitation:
    sent_at = timezone.now() - timedelta(days=days_ago)
    return InvitationFactory(
        organization=inviter.organization, inviter=inviter, kind=kind, role=role, sent_at=sent_at
    )


def states(*invitations: Invitation) -> list[str]:
    for invitation in invitations:
        invitation.refresh_from_db()
    return [invitation.state for invitation in invitations]


def mails(kind: str) -> list[OutgoingEmail]:
    return list(OutgoingEmail.objects.filter(kind=kind).order_by("to"))


WAYS = [(*way, *counts) for way in permutations(ROOM, 2) for counts in product(range(4), range(3))]


@pytest.mark.parametrize(("old", "new", "pending", "managers"), sampled(WAYS, every=7))
def test_on_every_way_between_two_editions_those_sent_first_keep_the_places(
    old: str, new: str, pending: int, managers: int
) -> None:
    organization = OrganizationFactory(edition_code=old, seats=50)
    MembershipFactory.create_batch(managers, organization=organization, role=Role.BILLING_MANAGER)
    inviter = MembershipFactory(organization=organization, role=Role.ADMIN)
    # The one sent last first, so that neither ids nor the order of rows decides.
    waiting = [invited(inviter, days_ago=number) for number in range(1, pending + 1)][::-1]
    others = [invited(inviter, days_ago=1, role=role) for role in (Role.MEMBER, Role.ADMIN)]
    elsewhere = InvitationFactory()
    follow(organization, new)
    room = ROOM[new]
    kept = pending if room is None else min(pending, max(0, room - managers))
    assert states(*waiting) == [State.PENDING] * kept + [State.REVOKED] * (pending - kept)
    assert states(*others, elsewhere) == [State.PENDING] * 3
    assert [mail.to for mail in mails("invitation_ended")] == sorted(one.email for one in waiting[kept:])
    assert len(mails("surplus_invitations")) == (1 if kept < pending else 0)
    told = AuditEvent.objects.filter(action="invitation.ended").order_by("id")
    assert [event.target_name for event in told] == [one.email for one in waiting[kept:]][::-1]


@pytest.fixture
def admin() -> Membership:
    return MembershipFactory(role=Role.ADMIN, organization__edition_code="enterprise-growth")


def test_the_audit_log_says_that_the_portal_did_it_and_why(admin: Membership) -> None:
    ended = [
        invited(admin, days_ago=1),
        invited(admin, days_ago=2, kind=Kind.LINK),
        invited(admin, days_ago=3),
    ]
    follow(admin.organization, "team-growth")
    assert states(*ended) == [State.REVOKED, State.REVOKED, State.PENDING]
    assert [str(event) for event in AuditEvent.objects.order_by("id")] == [
        "Stripe changed the edition from Enterprise Growth to Team Growth",
        f"Billing portal ended the invitation for {ended[0].email} as Billing manager: "
        "The new edition has no place for it.",
        "Billing portal ended the invitation for anyone with the link as Billing manager: "
        "The new edition has no place for it.",
    ]
    assert AuditEvent.objects.latest("id").actor_kind == ActorKind.SYSTEM


def test_the_invited_person_gets_a_mail_that_says_why(admin: Membership) -> None:
    MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    invitation = invited(admin, days_ago=1)
    follow(admin.organization, "team-growth")
    (mail,) = mails("invitation_ended")
    assert mail.to == invitation.email
    rendered = renderer_of(mail.kind)(mail)
    name = admin.organization.name
    assert rendered.subject == f"Your invitation to {name} has ended"
    for part in (
        f"You were invited to {name} as billing manager. The link in the earlier mail no longer works.",
        f"{name} has another edition now, which has no place for it. Ask an admin there to make room",
    ):
        assert part in rendered.text


def test_of_an_invite_link_its_inviter_alone_is_told(admin: Membership) -> None:
    invited(admin, days_ago=2)
    link = invited(admin, days_ago=1, kind=Kind.LINK)
    follow(admin.organization, "team-growth")
    assert states(link) == [State.REVOKED]
    told = OutgoingEmail.objects.values_list("kind", "to")
    assert list(told) == [("surplus_invitations", admin.user.email)]


def test_each_inviter_gets_one_mail_of_theirs(admin: Membership) -> None:
    organization = admin.organization
    Organization.objects.filter(pk=organization.pk).update(managers_manage_managers=True)
    organization.refresh_from_db()
    manager = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    of_admin = [invited(admin, days_ago=1), invited(admin, days_ago=2, kind=Kind.LINK)]
    of_manager = invited(manager, days_ago=1)
    follow(organization, "team-growth")
    rendered = {mail.to: renderer_of(mail.kind)(mail) for mail in mails("surplus_invitations")}
    assert rendered.keys() == {admin.user.email, manager.user.email}
    first, second = rendered[admin.user.email], rendered[manager.user.email]
    assert first.subject == f"2 invitations to {organization.name} have ended"
    assert second.subject == f"1 invitation to {organization.name} has ended"
    for part in (
        f"{organization.name} is on Team Growth now, which has room for 1 billing manager.",
        "anyone with the link",
        f"/orgs/{organization.slug}/settings/billing/",
    ):
        assert part in first.text
    local_part = of_manager.email.partition("@")[0]
    assert local_part in second.text
    assert local_part not in first.text
    assert of_admin[0].email.partition("@")[0] not in second.text


@pytest.mark.parametrize("account", ["deleted", "shut"])
def test_where_the_inviter_is_gone_the_admins_are_told(admin: Membership, account: str) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    gone = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    ended = invited(gone, days_ago=1)
    invited(admin, days_ago=2)
    if account == "deleted":
        gone.user.delete()
    else:
        gone.user.is_active = False
        gone.user.save()
    follow(admin.organization, "team-growth")
    assert states(ended) == [State.REVOKED]
    told = sorted([admin.user.email, other.user.email])
    assert [mail.to for mail in mails("surplus_invitations")] == told


def test_an_ended_link_says_why_and_lets_nobody_in(admin: Membership, sign_in: SignIn) -> None:
    invited(admin, days_ago=2)
    invitation = invited(admin, days_ago=1)
    follow(admin.organization, "team-growth")
    user = UserFactory(email=invitation.email)
    with pytest.raises(AcceptRefused) as refused:
        services.accept(user=user, claim=by_link(invitation))
    assert refused.value.reason is Reason.EDITION
    shown = text(sign_in(MembershipFactory(user=user)).get(page_of(invitation)))
    assert "has another edition now, which has no place for it. Ask an admin there to make room" in shown


def test_an_overdue_invitation_holds_no_place_and_is_left(admin: Membership) -> None:
    Organization.objects.filter(pk=admin.organization_id).update(invitation_max_age_days=7)
    admin.organization.refresh_from_db()
    overdue, live = invited(admin, days_ago=8), invited(admin, days_ago=1)
    follow(admin.organization, "team-growth")
    assert states(overdue, live) == [State.PENDING] * 2


def test_an_edition_with_room_again_revives_nothing(admin: Membership) -> None:
    ended = [invited(admin, days_ago=number) for number in (1, 2)]
    follow(admin.organization, "team-growth")
    follow(admin.organization, "enterprise-growth")
    assert states(*ended) == [State.REVOKED, State.PENDING]
    services.invite_by_mail(actor=admin, email=ended[0].email, role=Role.BILLING_MANAGER)


def test_seats_alone_end_no_invitation() -> None:
    admin = MembershipFactory(role=Role.ADMIN, organization__edition_code="team-pro", organization__seats=12)
    waiting = [invited(admin, days_ago=1, role=Role.MEMBER), invited(admin, days_ago=1)]
    with transaction.atomic():
        follow_subscription(admin.organization, edition_code="team-pro", seats=1)
    assert states(*waiting) == [State.PENDING] * 2


def test_before_another_edition_comes_the_invitations_without_a_place_are_told() -> None:
    """A place that a billing manager has is nobody else's; a manager there more takes no second one."""
    admin = MembershipFactory(role=Role.ADMIN)
    later, first = (invited(admin, days_ago=days) for days in (1, 2))
    InvitationFactory()
    one = as_of_today("team-growth")
    assert surplus_invitations(admin, one) == ([later.email], 1)
    for _manager in range(2):
        MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
        assert surplus_invitations(admin, one) == ([first.email, later.email], 2)
    assert surplus_invitations(admin, as_of_today("enterprise-growth")) == ([], 0)


def as_of_today(code: str) -> Edition:
    return edition_of(code, on=timezone.now().date())


def test_a_delegated_manager_reads_how_many_end_and_whom_of_those_they_invited() -> None:
    organization = OrganizationFactory(managers_manage_managers=True)
    reader = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    InvitationFactory(organization=organization)
    own = invited(reader, days_ago=1)
    assert surplus_invitations(reader, as_of_today("team-growth")) == ([own.email], 2)
