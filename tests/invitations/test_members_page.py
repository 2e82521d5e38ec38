"""The members page through its URL: who sees what, inviting, links, and paging by key.

Three mutants of ``selectors/members.py`` show the same: a statement that reads two rows more than a page
shows, as one is enough to tell that another page follows; a menu only for who may both change roles and
remove, as on this page the policy gives both or neither; and pending invitations looked for by who may invite
nobody, as none are found.
"""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invitations.models import Invitation, Kind, State
from invitations.selectors import pending
from invitations.selectors.members import Menu, Person, members_page
from invitations.selectors.role_changes import RoleChange
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.world import signed_in

pytestmark = pytest.mark.django_db

INVITED = {"email": "lee@ledger.test", "role": Role.MEMBER.value}


def url(organization: Organization, path: str = "members/") -> str:
    return f"/orgs/{organization.slug}/settings/{path}"


def test_an_admin_sees_people_with_mail_role_and_pending_invitations(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    invitation = InvitationFactory(organization=admin.organization, role=Role.ADMIN)
    page = text(sign_in(admin).get(url(admin.organization)))
    parts = (member.user.name, member.user.email, "Pending invitations", invitation.email, "Invite member")
    for part in parts:
        assert part in page


def test_a_page_that_leaves_invitations_out_says_so(
    admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, compiled_anew: None
) -> None:
    monkeypatch.setattr(pending, "PENDING_SHOWN", 2)
    for role, path in ((Role.MEMBER, "members/"), (Role.BILLING_MANAGER, "billing/")):
        InvitationFactory.create_batch(2, organization=admin.organization, role=role)
        assert "pending invitations. Revoke" not in text(sign_in(admin).get(url(admin.organization, path)))
        InvitationFactory(organization=admin.organization, role=role)
        assert "The latest 2 of 3 pending invitations." in text(
            sign_in(admin).get(url(admin.organization, path))
        )


def test_people_beyond_a_page_that_is_gone_are_the_first_ones(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    long = timedelta(days=9)
    for side, beyond in (("after", admin.joined_at - long), ("before", member.joined_at + long)):
        key = f"{beyond:%Y-%m-%dT%H:%M:%SZ}~{admin.pk}"
        response = sign_in(admin).get(url(admin.organization), {side: key})
        assert member.user.email in text(response)


def test_a_member_sees_people_and_no_invitations(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    invitation = InvitationFactory(organization=admin.organization, role=Role.MEMBER)
    page = text(sign_in(member).get(url(admin.organization)))
    assert admin.user.email in page
    for hidden in (
        invitation.email,
        "Pending invitations",
        "Invite member",
        "Copy invite link",
        "Make admin",
    ):
        assert hidden not in page


def test_billing_managers_and_their_invitations_are_elsewhere(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    invitation = InvitationFactory(organization=admin.organization)
    page = text(sign_in(admin).get(url(admin.organization)))
    assert billing_manager.user.email not in page
    assert invitation.email not in page


def test_a_billing_manager_sees_no_members(billing_manager: Membership, sign_in: SignIn) -> None:
    assert sign_in(billing_manager).get(url(billing_manager.organization)).status_code == 403


def test_seats_and_reserved_ones_are_told() -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=12)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    InvitationFactory(organization=organization, inviter=admin, role=Role.MEMBER)
    page = text(signed_in(admin.user).get(url(organization)))
    assert "1 of 12 seats taken, 1 reserved by pending invitations." in page


def test_an_admin_invites_through_the_page(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert "Send invitation" in text(client.get(url(admin.organization, "members/invite/")))
    response = client.post(url(admin.organization, "members/invite/"), INVITED, follow=True)
    assert response.redirect_chain[-1][0] == url(admin.organization)
    assert "Invitation sent to lee@ledger.test." in text(response)
    assert OutgoingEmail.objects.get().to == "lee@ledger.test"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": "lee"}, "Enter one email address"),
        ({"email": "lee@ledg\u0435r.test"}, "Use only the letters a to z"),
        ({"role": "owner"}, "Select a valid choice"),
        ({"role": Role.BILLING_MANAGER.value}, "Select a valid choice"),
    ],
)
def test_wrong_input_is_refused_and_kept(
    admin: Membership, sign_in: SignIn, wrong: dict[str, str], sentence: str
) -> None:
    response = sign_in(admin).post(url(admin.organization, "members/invite/"), {**INVITED, **wrong})
    assert response.status_code == 422
    assert sentence in text(response)
    assert {**INVITED, **wrong}["email"] in text(response)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("path", ["members/invite/", "members/link/"])
def test_nobody_but_admins_invites(
    member: Membership, billing_manager: Membership, sign_in: SignIn, path: str
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    for membership in (member, billing_manager):
        for method in ("get", "post"):
            response = getattr(sign_in(membership), method)(url(member.organization, path), INVITED)
            assert response.status_code == 403
    assert not Invitation.objects.exists()


def test_a_link_stands_on_a_page_of_its_own(admin: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(url(admin.organization, "members/link/"), {"role": "admin"})
    assert response.status_code == 200
    assert re.search(r'value="http[^"]+/invitations/l[^"]+/"', text(response))
    assert text(response).startswith("<!DOCTYPE html>")
    assert Invitation.objects.get().role == Role.ADMIN


def test_with_htmx_the_link_comes_as_a_dialog_with_the_renewed_list(
    admin: Membership, sign_in: SignIn
) -> None:
    response = sign_in(admin).post(
        url(admin.organization, "members/link/"), {"role": "member"}, headers={"HX-Request": "true"}
    )
    page = text(response)
    assert "<!DOCTYPE html>" not in page
    assert "data-copy-now" in page
    assert re.search(r'id="pending-invitations" hx-swap-oob="true"', page)
    assert "Anyone with the link" in page


def test_a_link_without_room_is_refused(sign_in: SignIn) -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=1)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    response = sign_in(admin).post(url(organization, "members/link/"), {"role": "member"})
    assert response.status_code == 422
    assert "All 1 seats are taken" in text(response)


@pytest.mark.parametrize("act", ["resend", "link", "revoke"])
def test_acts_on_an_invitation_come_back_to_its_page(admin: Membership, sign_in: SignIn, act: str) -> None:
    sent = timezone.now() - timedelta(hours=1)
    for role, home in ((Role.MEMBER, "members/"), (Role.BILLING_MANAGER, "billing/")):
        invitation = InvitationFactory(organization=admin.organization, role=role, sent_at=sent)
        response = sign_in(admin).post(
            url(admin.organization, f"invitations/{invitation.pk}/{act}/"), {"generation": 1}
        )
        if act == "link":
            assert url(admin.organization, home) in text(response)
        else:
            assert response.headers["Location"] == url(admin.organization, home)


def test_revoking_asks_first(admin: Membership, sign_in: SignIn) -> None:
    invitation = InvitationFactory(organization=admin.organization, role=Role.MEMBER)
    page = sign_in(admin).get(url(admin.organization, f"invitations/{invitation.pk}/revoke/"))
    assert f"Revoke the invitation for {invitation.email}?" in text(page)
    invitation.refresh_from_db()
    assert invitation.state == State.PENDING


@pytest.mark.parametrize("act", ["resend", "link", "revoke"])
def test_invitations_of_other_organizations_are_not_found(
    admin: Membership, sign_in: SignIn, act: str
) -> None:
    foreign = InvitationFactory(sent_at=timezone.now() - timedelta(hours=1))
    response = sign_in(admin).post(url(admin.organization, f"invitations/{foreign.pk}/{act}/"))
    assert response.status_code == 404
    foreign.refresh_from_db()
    assert (foreign.state, foreign.generation) == (State.PENDING, 1)


@pytest.mark.parametrize("act", ["resend", "link", "revoke"])
def test_a_delegated_billing_manager_does_not_find_members_invitations(
    billing_manager: Membership, sign_in: SignIn, act: str
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    organization = billing_manager.organization
    sent = timezone.now() - timedelta(hours=1)
    own = InvitationFactory(organization=organization, inviter=billing_manager, sent_at=sent)
    others = InvitationFactory(organization=organization, role=Role.MEMBER, sent_at=sent)
    client = sign_in(billing_manager)
    assert client.post(url(organization, f"invitations/{others.pk}/{act}/")).status_code == 404
    own_url = url(organization, f"invitations/{own.pk}/{act}/")
    assert client.post(own_url, {"generation": 1}).status_code in {200, 302}


def test_pages_turn_by_key_and_show_everybody_once(admin: Membership, sign_in: SignIn) -> None:
    same_instant = timezone.now() - timedelta(days=1)
    for _person in range(60):
        MembershipFactory(organization=admin.organization, joined_at=same_instant)
    client = sign_in(admin)
    seen: list[str] = []
    path: str | None = url(admin.organization)
    pages = []
    while path:
        page = text(client.get(path))
        found = re.findall(r"person\d+@example.test(?=</td>)", page)
        assert len(found) <= 25
        seen += found
        assert ('rel="prev"' in page) == bool(pages)
        pages.append(path)
        older = re.search(r'href="(\?[^"]+)" rel="next"', page)
        path = url(admin.organization) + older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 61
    assert len(pages) == 3
    newer = re.search(r'href="(\?[^"]+)" rel="prev"', page)
    assert newer is not None
    back = text(client.get(url(admin.organization) + newer[1].replace("&amp;", "&")))
    assert re.findall(r"person\d+@example.test(?=</td>)", back) == seen[25:50]


@pytest.mark.parametrize("key", ["x", "2026-01-01~x", "~", "2026-01-01T00:00:00~" + "0" * 32, "9" * 400])
def test_a_wrong_key_shows_the_first_page(
    admin: Membership, member: Membership, sign_in: SignIn, key: str
) -> None:
    response = sign_in(admin).get(url(admin.organization), {"after": key, "before": key})
    assert response.status_code == 200
    assert member.user.email in text(response)


def statements_of(sign_in: SignIn, admin: Membership) -> int:
    client = sign_in(admin)
    with CaptureQueriesContext(connection) as statements:
        assert client.get(url(admin.organization)).status_code == 200
    return len(statements)


def test_statements_are_few_and_do_not_grow_with_rows(sign_in: SignIn) -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=500)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    few = statements_of(sign_in, admin)
    for _row in range(20):
        MembershipFactory(organization=organization)
        InvitationFactory(organization=organization, inviter=admin, role=Role.MEMBER)
    assert statements_of(sign_in, admin) == few <= 3 + 8


def test_names_are_shown_as_text(admin: Membership, sign_in: SignIn) -> None:
    user = UserFactory(name="<img src=x onerror=alert(1)>")
    MembershipFactory(organization=admin.organization, user=user)
    InvitationFactory(
        organization=admin.organization, kind=Kind.LINK, role=Role.MEMBER, invited_by_name=user.name
    )
    assert "<img" not in text(sign_in(admin).get(url(admin.organization)))


def test_when_every_seat_is_taken_nobody_can_be_invited_and_the_page_says_why(
    admin: Membership, sign_in: SignIn
) -> None:
    organization = admin.organization
    organization.edition_code, organization.seats = "team-pro", 2
    organization.save()
    client, full = sign_in(admin), "All 2 seats are taken, pending invitations included."
    page = text(client.get(url(organization)))
    assert "Invite member" in page
    assert full not in page
    InvitationFactory(organization=organization, role=Role.MEMBER)
    page = text(client.get(url(organization)))
    assert full in page
    for offer in ("Invite member", "Copy invite link"):
        assert offer not in page


def test_while_people_take_every_seat_what_waits_is_neither_sent_again_nor_copied(
    admin: Membership, member: Membership
) -> None:
    organization = admin.organization
    organization.edition_code, organization.seats = "team-pro", 3
    organization.save()
    InvitationFactory(organization=organization, inviter=admin, role=Role.MEMBER)
    for taken, offered in ((2, True), (3, False)):
        page = members_page(admin)
        (waiting,) = page.pending.shown
        assert (page.total, waiting.menu.may_resend, waiting.menu.may_copy) == (taken, offered, offered)
        MembershipFactory(organization=organization)


def test_a_row_offers_other_roles_and_removal_and_of_oneself_roles_alone(
    admin: Membership, member: Membership
) -> None:
    to_admin, to_member, to_manager, to_viewer = (
        RoleChange(role.value, f"Make {role.in_sentence}") for role in Role
    )
    rows = rows_for(admin)
    of_oneself = Menu((to_member, to_manager, to_viewer), removable=False, is_self=True)
    of_another = Menu((to_admin, to_manager, to_viewer), removable=True, is_self=False)
    assert (rows[admin].menu, rows[member].menu) == (of_oneself, of_another)
    assert (rows[admin].is_self, rows[member].is_self) == (True, False)
    rows = rows_for(member)
    assert (rows[member].menu, rows[admin].menu) == (Menu((), removable=False, is_self=True), None)


def rows_for(reader: Membership) -> dict[Membership, Person]:
    rows = {row.id: row for row in members_page(reader).people}
    return {one: rows[str(one.pk)] for one in Membership.objects.all()}


def test_a_row_tells_the_first_letter_and_the_second_of_joining(admin: Membership) -> None:
    (row,) = members_page(admin).people
    assert row.initial == admin.user.name[0]
    assert f"{admin.joined_at:%H:%M:%S}" in row.joined_exactly


def test_seats_are_told_to_who_invites(admin: Membership, member: Membership) -> None:
    Organization.objects.update(edition_code="team-pro", seats=3)
    for reader, told in ((admin, True), (member, False)):
        reader.refresh_from_db()
        assert bool(members_page(reader).seats) is told


@pytest.mark.parametrize(
    ("seats", "over_limit", "full"), [(1, True, False), (2, False, True), (3, False, True), (4, False, False)]
)
def test_seats_are_too_few_or_full_or_free(
    seats: int, over_limit: bool, full: bool, admin: Membership, member: Membership
) -> None:
    organization = admin.organization
    organization.edition_code, organization.seats = "team-pro", seats
    organization.save()
    InvitationFactory(organization=organization, inviter=admin, role=Role.MEMBER)
    told = members_page(admin).seats
    assert told is not None
    assert (bool(told.over_limit), bool(told.full)) == (over_limit, full)


def test_25_people_stand_on_a_page(admin: Membership) -> None:
    MembershipFactory.create_batch(24, organization=admin.organization)
    assert members_page(admin).older == ""
    MembershipFactory(organization=admin.organization)
    page = members_page(admin)
    assert (len(page.people), page.older != "") == (25, True)
