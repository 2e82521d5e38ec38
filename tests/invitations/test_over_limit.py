"""More people than the terms have room for: nobody is dropped, nobody is added, and pages say what to do."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import permutations, product

import pytest
from django.db import transaction
from django.utils import timezone

import orgs.services
from invitations import services
from invitations.models import Invitation, Kind
from invitations.refusals import AcceptRefused, Reason
from orgs.capacity import over_limit
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.terms import follow_subscription
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_link
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept, page_of, text
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

# The design's table: how many billing managers, and whether seats are sold.
TERMS: dict[str, tuple[int | None, bool]] = {
    "team-growth": (1, False),
    "team-pro": (1, True),
    "enterprise": (None, True),
    "enterprise-growth": (None, False),
    "business-critical": (None, False),
}
SEATS = 3

SEATS_FULL = "2 seats are bought and 4 are taken. Remove 2 people or add seats."
MANAGERS_FULL = "Team Growth has room for 1 billing manager, and there are 3. Remove 2 of them."


def joined(organization: Organization, *, members: int = 0, managers: int = 0) -> Membership:
    """So many people beside an admin, who is returned."""
    MembershipFactory.create_batch(members, organization=organization)
    MembershipFactory.create_batch(managers, organization=organization, role=Role.BILLING_MANAGER)
    return MembershipFactory(organization=organization, role=Role.ADMIN)


def follow(organization: Organization, edition_code: str, seats: int | None = None) -> None:
    with transaction.atomic():
        follow_subscription(organization, edition_code=edition_code, seats=seats)


def invitation_to(admin: Membership, role: Role, kind: Kind = Kind.MAIL) -> Invitation:
    sent_at = timezone.now() - timedelta(hours=1)
    return InvitationFactory(
        organization=admin.organization, inviter=admin, role=role, kind=kind, sent_at=sent_at
    )


def page(sign_in: SignIn, membership: Membership, path: str) -> str:
    return text(sign_in(membership).get(f"/orgs/{membership.organization.slug}/settings/{path}/"))


@pytest.fixture
def of_two_seats() -> Membership:
    """The admin of an organization with two seats, four people on them, and one billing manager."""
    admin = joined(OrganizationFactory(edition_code="team-pro", seats=12), members=3, managers=1)
    follow(admin.organization, "team-pro", 2)
    return admin


@pytest.fixture
def of_three_managers() -> Membership:
    """The admin of an organization with three billing managers and room for one."""
    admin = joined(OrganizationFactory(edition_code="enterprise-growth"), members=2, managers=3)
    follow(admin.organization, "team-growth")
    return admin


def invite(role: Role, admin: Membership) -> None:
    services.invite_by_mail(actor=admin, email="lee@ledger.test", role=role)


def make_link(role: Role, admin: Membership) -> None:
    services.create_link(actor=admin, role=role)


def make_link_beside_one(role: Role, admin: Membership) -> None:
    invitation_to(admin, role, Kind.LINK)
    services.create_link(actor=admin, role=role)


def resend(role: Role, admin: Membership) -> None:
    services.resend(actor=admin, invitation_id=invitation_to(admin, role).pk)


def copy(role: Role, admin: Membership) -> None:
    services.copy_link(actor=admin, invitation_id=invitation_to(admin, role).pk)


def change(old: Role, new: Role, admin: Membership) -> None:
    people = Membership.objects.for_org(admin.organization).filter(role=old).exclude(pk=admin.pk)
    orgs.services.change_role(actor=admin, membership_id=people[0].pk, role=new)


ADDING_A_MEMBER = [
    *(
        partial(act, role)
        for act, role in product(
            (invite, make_link, make_link_beside_one, resend, copy), (Role.MEMBER, Role.ADMIN)
        )
    ),
    partial(change, Role.BILLING_MANAGER, Role.MEMBER),
    partial(change, Role.BILLING_MANAGER, Role.ADMIN),
]
ADDING_A_MANAGER = [
    *(partial(act, Role.BILLING_MANAGER) for act in (invite, make_link, make_link_beside_one, resend, copy)),
    partial(change, Role.MEMBER, Role.BILLING_MANAGER),
]


def name_of(act: "partial[None]") -> str:
    return "-".join([act.func.__name__, *act.args])


@pytest.mark.parametrize("act", ADDING_A_MEMBER, ids=name_of)
def test_nobody_takes_another_seat_beyond_those_bought(
    of_two_seats: Membership, act: Callable[[Membership], None]
) -> None:
    with pytest.raises(Refused) as refused:
        act(of_two_seats)
    assert str(refused.value.message) == f"{SEATS_FULL} Until then nobody else can take a seat."
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize("act", ADDING_A_MANAGER, ids=name_of)
def test_nobody_else_becomes_a_billing_manager(
    of_three_managers: Membership, act: Callable[[Membership], None]
) -> None:
    with pytest.raises(Refused) as refused:
        act(of_three_managers)
    assert str(refused.value.message) == (
        f"{MANAGERS_FULL} Until then nobody else can become a billing manager."
    )
    assert not OutgoingEmail.objects.exists()


def test_what_takes_no_seat_goes_on(of_two_seats: Membership) -> None:
    change(Role.MEMBER, Role.ADMIN, of_two_seats)
    orgs.services.remove_member(
        actor=of_two_seats,
        membership_id=Membership.objects.for_org(of_two_seats.organization).billing_managers()[0].pk,
    )
    invite(Role.BILLING_MANAGER, of_two_seats)


def test_what_adds_no_billing_manager_goes_on(of_three_managers: Membership) -> None:
    invite(Role.MEMBER, of_three_managers)
    change(Role.BILLING_MANAGER, Role.MEMBER, of_three_managers)


def test_the_invited_person_reads_whom_to_ask_and_the_admins_why(
    of_two_seats: Membership, sign_in: SignIn
) -> None:
    invitation = invitation_to(of_two_seats, Role.MEMBER)
    person = UserFactory(email=invitation.email)
    client = sign_in(MembershipFactory(user=person))
    client.get(page_of(invitation))
    answer = text(accept(client, invitation, follow=True))
    assert "has no place left on its edition. Ask an admin there to make room, then accept again." in answer
    assert "seats are bought" not in answer
    assert not Membership.objects.for_org(of_two_seats.organization).filter(user=person).exists()
    assert f"{person.email} could not accept. The edition had no place left." in page(
        sign_in, of_two_seats, "members"
    )


def test_no_billing_manager_joins_beyond_the_limit(of_three_managers: Membership) -> None:
    invitation = invitation_to(of_three_managers, Role.BILLING_MANAGER, Kind.LINK)
    with pytest.raises(AcceptRefused) as refused:
        services.accept(user=UserFactory(), claim=by_link(invitation))
    assert refused.value.reason is Reason.NO_ROOM


def test_once_the_number_fits_and_a_place_is_free_people_join_again(of_two_seats: Membership) -> None:
    members = Membership.objects.for_org(of_two_seats.organization).filter(role=Role.MEMBER)
    for sentence in (
        SEATS_FULL[:20],
        "2 seats are bought and 3 are taken. Remove 1 person or add a seat.",
        "All 2",
    ):
        with pytest.raises(Refused, match=sentence):
            invite(Role.MEMBER, of_two_seats)
        orgs.services.remove_member(actor=of_two_seats, membership_id=members[0].pk)
    invite(Role.MEMBER, of_two_seats)


def test_more_seats_end_it_too(of_two_seats: Membership) -> None:
    follow(of_two_seats.organization, "team-pro", 5)
    invite(Role.MEMBER, of_two_seats)


def test_no_seat_at_all(of_two_seats: Membership) -> None:
    follow(of_two_seats.organization, "team-pro", 0)
    with pytest.raises(Refused, match=r"0 seats are bought and 4 are taken\. Remove 4 people or add seats\."):
        invite(Role.MEMBER, of_two_seats)


def test_the_members_page_says_what_to_do_and_offers_no_invitation(
    of_two_seats: Membership, sign_in: SignIn
) -> None:
    invitation_to(of_two_seats, Role.MEMBER)
    shown = page(sign_in, of_two_seats, "members")
    assert SEATS_FULL in shown
    for offer in ("Invite member", "Copy invite link", "Send again", "Copy link"):
        assert offer not in shown
    assert "Revoke invitation" in shown
    follow(of_two_seats.organization, "team-pro", 6)
    shown = page(sign_in, of_two_seats, "members")
    assert "are bought" not in shown
    for offer in ("Invite member", "Copy invite link", "Send again", "Copy link"):
        assert offer in shown


def test_a_member_who_can_do_nothing_about_it_is_not_told(of_two_seats: Membership, sign_in: SignIn) -> None:
    member = Membership.objects.for_org(of_two_seats.organization).filter(role=Role.MEMBER)[0]
    assert "are bought" not in page(sign_in, member, "members")


def test_the_refusal_of_a_role_change_is_read_on_the_page(of_two_seats: Membership, sign_in: SignIn) -> None:
    organization = of_two_seats.organization
    manager = Membership.objects.for_org(organization).billing_managers()[0]
    response = sign_in(of_two_seats).post(
        f"/orgs/{organization.slug}/settings/members/{manager.pk}/role/",
        {"role": "member", "shown_role": "billing_manager"},
        follow=True,
    )
    assert SEATS_FULL in text(response)
    manager.refresh_from_db()
    assert manager.role == Role.BILLING_MANAGER


def test_admins_and_billing_managers_read_of_surplus_billing_managers_where_they_act(
    of_three_managers: Membership, sign_in: SignIn
) -> None:
    organization = of_three_managers.organization
    shown = page(sign_in, of_three_managers, "billing")
    assert MANAGERS_FULL in shown
    for offer in ("Invite billing manager", "Copy billing manager invite link"):
        assert offer not in shown
    managers = Membership.objects.for_org(organization).billing_managers()
    ask_an_admin = "and there are 3. Ask an admin to remove 2 of them."
    assert ask_an_admin in page(sign_in, managers[0], "billing")
    Organization.objects.filter(pk=organization.pk).update(managers_manage_managers=True)
    assert MANAGERS_FULL in page(sign_in, managers[0], "billing")
    for manager in managers[:2]:
        path = f"/orgs/{organization.slug}/settings/billing/managers/{manager.pk}/remove/"
        sign_in(of_three_managers).post(path, {"shown_role": "billing_manager"})
    assert managers.count() == 1
    assert "Remove 2 of them" not in page(sign_in, of_three_managers, "billing")


WAYS = [(*way, *counts) for way in permutations(TERMS, 2) for counts in product([0, 2, 4], range(4))]


@pytest.mark.parametrize(("old", "new", "members", "managers"), sampled(WAYS, every=7))
def test_on_every_way_between_two_editions_nobody_is_dropped_and_the_surplus_is_known(
    old: str, new: str, members: int, managers: int
) -> None:
    organization = OrganizationFactory(edition_code=old, seats=100 if TERMS[old][1] else None)
    joined(organization, members=members, managers=managers)
    follow(organization, new, SEATS)
    limit, per_seat = TERMS[new]
    surplus = [
        max(0, members + 1 - SEATS) if per_seat else 0,
        max(0, managers - limit) if limit is not None else 0,
    ]
    people = Membership.objects.for_org(organization)
    states = [
        over_limit(organization, Role.MEMBER, taken=people.members().count()),
        over_limit(organization, Role.BILLING_MANAGER, taken=people.billing_managers().count()),
    ]
    assert [state.surplus if state else 0 for state in states] == surplus
    assert people.count() == members + managers + 1
