"""The billing managers' panel and the acts behind it: seed 001's visibility, and seed 002's setting.

``with_conflict`` takes one membership. Two would be the same program, as a person has one in an organization.
So is a statement that fetches two managers more than a page shows, and not one, and a link for who may invite
or may copy links, as the policy gives both or neither.
"""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from invitations.models import Invitation, Kind
from invitations.selectors import billing_managers_panel, managers
from invitations.services.sending import mail_key
from orgs.dates import day
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.models import State as MailState
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db

LAST_DAY = date(2030, 3, 31)


def panel_of(membership: Membership) -> str:
    membership = Membership.objects.select_related("organization", "user").get(pk=membership.pk)
    html = render_to_string(
        "invitations/_billing_managers.html",
        {"panel": billing_managers_panel(membership), "organization": membership.organization},
    )
    return " ".join(html.split())


def url(organization: Organization, path: str) -> str:
    return f"/orgs/{organization.slug}/settings/billing/{path}"


@pytest.fixture
def delegated(organization: Organization) -> Organization:
    organization.managers_manage_managers = True
    organization.save()
    return organization


def test_an_admin_sees_names_mails_accepted_dates_and_pending_with_date_sent(
    admin: Membership, billing_manager: Membership
) -> None:
    pending = InvitationFactory(organization=admin.organization, sent_at=timezone.now() - timedelta(days=2))
    panel = panel_of(admin)
    for part in (billing_manager.user.name, billing_manager.user.email, "Accepted", pending.email, "Pending"):
        assert part in panel
    assert f"{pending.sent_at:%Y-%m-%dT%H:%M:%S}Z" in panel
    assert "Remove billing manager" in panel
    assert "Copy billing manager invite link" in panel


def test_a_billing_manager_sees_names_only(admin: Membership, billing_manager: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    pending = InvitationFactory(organization=admin.organization)
    panel = panel_of(billing_manager)
    assert other.user.name in panel
    for hidden in (other.user.email, pending.email, "Accepted", "Pending", "Remove", "Invite", "Copy"):
        assert hidden not in panel


def test_where_allowed_a_billing_manager_sees_what_he_sent_himself(
    delegated: Organization, billing_manager: Membership
) -> None:
    other = MembershipFactory(organization=delegated, role=Role.BILLING_MANAGER)
    own = InvitationFactory(organization=delegated, inviter=billing_manager)
    others = InvitationFactory(organization=delegated)
    panel = panel_of(billing_manager)
    assert own.email in panel
    assert other.user.name in panel
    for hidden in (others.email, other.user.email, "Accepted"):
        assert hidden not in panel


def test_a_last_day_is_told_to_who_sees_mails_and_to_the_person(admin: Membership) -> None:
    of_managers = {"organization": admin.organization, "role": Role.BILLING_MANAGER}
    auditor = MembershipFactory(**of_managers, last_day=LAST_DAY)
    colleague = MembershipFactory(**of_managers)
    for reader, told in ((admin, day(LAST_DAY)), (auditor, day(LAST_DAY)), (colleague, "")):
        days = {one.membership_id: one.last_day for one in billing_managers_panel(reader).managers}
        assert days == {str(auditor.pk): told, str(colleague.pk): ""}


def test_view_only_and_removal_are_shown_to_who_may_know_and_remove(
    admin: Membership, billing_manager: Membership
) -> None:
    viewer = MembershipFactory(organization=admin.organization, role=Role.BILLING_VIEWER)
    both = [billing_manager, viewer]
    assert marks_of(both, to=admin) == [(False, True), (True, True)]
    assert marks_of(both, to=billing_manager) == [(False, False), (False, False)]
    billing_manager.organization.managers_manage_managers = True
    assert marks_of(both, to=billing_manager) == [(False, False), (False, True)]


def marks_of(people: list[Membership], *, to: Membership) -> list[tuple[bool, bool]]:
    rows = {one.membership_id: one for one in billing_managers_panel(to).managers}
    return [(rows[str(one.pk)].view_only, rows[str(one.pk)].removable) for one in people]


def test_seats_are_counted_where_they_are_sold(admin: Membership) -> None:
    organization = admin.organization
    MembershipFactory.create_batch(2, organization=organization)
    MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    for role in (Role.MEMBER, Role.BILLING_MANAGER):
        InvitationFactory(organization=organization, inviter=admin, role=role)
    for edition_code, seats in (("team-pro", (3, 1)), ("team-growth", (0, 0))):
        organization.edition_code = edition_code
        panel = billing_managers_panel(admin)
        assert (panel.seats_taken, panel.seats_reserved) == seats


def test_who_may_no_longer_invite_reads_nothing_of_what_they_sent(billing_manager: Membership) -> None:
    InvitationFactory(organization=billing_manager.organization, inviter=billing_manager)
    panel = billing_managers_panel(billing_manager)
    assert (panel.pending.shown, panel.pending.total) == ([], 0)


@pytest.mark.parametrize(
    ("invitation", "copied_again"),
    [
        ({"kind": Kind.LINK}, True),
        ({"kind": Kind.LINK, "last_day": LAST_DAY}, False),
        ({"kind": Kind.LINK, "role": Role.BILLING_VIEWER}, False),
        ({"kind": Kind.LINK, "sent_at": timezone.now() - timedelta(days=9)}, False),
        ({"kind": Kind.MAIL}, False),
    ],
    ids=["for good", "until a day", "view only", "expired", "mailed"],
)
def test_the_invite_link_that_waits_is_copied_again(
    invitation: dict[str, object], copied_again: bool, admin: Membership
) -> None:
    Organization.objects.update(invitation_max_age_days=7)
    admin.organization.refresh_from_db()
    InvitationFactory(organization=admin.organization, inviter=admin, **invitation)
    assert billing_managers_panel(admin).waiting_link is copied_again


def test_an_error_at_accepting_is_shown(admin: Membership) -> None:
    InvitationFactory(
        organization=admin.organization,
        last_error="unverified",
        last_error_by="lee@ledger.test",
        last_error_at=timezone.now(),
    )
    assert (
        "lee@ledger.test could not accept. The account&#x27;s email address isn&#x27;t verified."
        in panel_of(admin)
    )


def test_a_billing_manager_does_not_learn_from_an_error_who_belongs_to_the_organization(
    delegated: Organization, billing_manager: Membership
) -> None:
    invitation = InvitationFactory(
        organization=delegated,
        inviter=billing_manager,
        last_error="already_in",
        last_error_by="member@acme.test",
        last_error_at=timezone.now(),
    )
    panel = panel_of(billing_manager)
    assert invitation.email in panel
    assert "member@acme.test" not in panel
    assert "belongs to the organization" not in panel


def test_links_are_told_apart_by_who_made_them_and_at_what_time(
    delegated: Organization, admin: Membership, billing_manager: Membership
) -> None:
    made_at = timezone.now() - timedelta(hours=2)
    for inviter in (admin, billing_manager):
        InvitationFactory(organization=delegated, inviter=inviter, kind=Kind.LINK, email="", sent_at=made_at)
    to_the_minute = f"{made_at:%H:%M} UTC</time>"
    by_admin, by_manager = (f"Invite link, made by {person.user.name}" for person in (admin, billing_manager))
    assert by_admin in panel_of(admin)
    assert by_manager in panel_of(admin)
    assert panel_of(admin).count(to_the_minute) == 2
    assert by_manager in panel_of(billing_manager)
    assert panel_of(billing_manager).count("made by") == 1


def test_an_undelivered_mail_is_shown(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization)
    sentence = "The mail could not be delivered."
    assert sentence not in panel_of(admin)
    mail = OutgoingEmail.objects.create(
        kind="invitation_sent", to=invitation.email, dedupe_key=mail_key(invitation), state=MailState.FAILED
    )
    assert sentence in panel_of(admin)
    OutgoingEmail.objects.filter(pk=mail.pk).update(dedupe_key="another")
    assert sentence not in panel_of(admin)


def test_an_expired_invitation_is_marked_and_its_link_not_offered(admin: Membership) -> None:
    Organization.objects.update(invitation_max_age_days=1)
    InvitationFactory(organization=admin.organization, sent_at=timezone.now() - timedelta(days=2))
    panel = panel_of(admin)
    assert "Expired" in panel
    assert "Copy link" not in panel
    assert "Send again" in panel


def test_without_anybody_the_panel_says_so(admin: Membership) -> None:
    assert "No billing manager yet" in panel_of(admin)


def test_many_stand_on_several_pages_and_are_counted_on_each(
    compiled_anew: None, monkeypatch: pytest.MonkeyPatch, admin: Membership, sign_in: SignIn
) -> None:
    monkeypatch.setattr(managers, "MANAGERS_PER_PAGE", 2)
    joined = timezone.now()
    people = [
        MembershipFactory(
            organization=admin.organization,
            role=Role.BILLING_MANAGER,
            joined_at=joined + timedelta(seconds=number),
        )
        for number in range(5)
    ]
    # A reader who is one of them stands on the page of their place alone.
    for reader, parts in ((admin, [2, 2, 1]), (people[0], [2, 2, 1])):
        seen, after = [], ""
        for part in parts:
            panel = billing_managers_panel(reader, after=after)
            assert (len(panel.managers), panel.total, panel.taken) == (part, 5, 5)
            assert panel.is_first is (after == "")
            seen += [manager.membership_id for manager in panel.managers]
            after = panel.later
        assert (seen, after) == ([str(person.pk) for person in people], "")
    client, page = sign_in(admin), url(admin.organization, "")
    first = text(client.get(page))
    ((_before, following),) = re.findall(r'href="([^"]+)(\?managers_after=[^"]+)"', first)
    assert "First page" not in first
    second = text(client.get(page + following.partition("#")[0]))
    assert f'href="{page}#billing-managers"' in second
    shown = [person.user.name in second for person in people]
    assert shown == [False, False, True, True, False]
    people[-1].delete()
    assert billing_managers_panel(admin, after=billing_managers_panel(admin).later).later == ""


def test_a_page_with_nobody_left_shows_the_first(admin: Membership, billing_manager: Membership) -> None:
    for after in (f"{timezone.now().isoformat()}~{admin.pk}", "nonsense"):
        assert billing_managers_panel(admin, after=after) == billing_managers_panel(admin)


def test_the_panel_takes_two_statements_however_many_rows(admin: Membership) -> None:
    for _row in range(10):
        MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
        InvitationFactory(organization=admin.organization)
    membership = Membership.objects.select_related("organization", "user").get(pk=admin.pk)
    with CaptureQueriesContext(connection) as statements:
        render_to_string(
            "invitations/_billing_managers.html",
            {"panel": billing_managers_panel(membership), "organization": membership.organization},
        )
    assert len(statements) == 2


def test_an_admin_invites_by_mail(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert "Send invitation" in text(client.get(url(admin.organization, "managers/invite/")))
    response = client.post(url(admin.organization, "managers/invite/"), {"email": "lee@ledger.test"})
    assert response.headers["Location"] == url(admin.organization, "")
    assert Invitation.objects.get().role == Role.BILLING_MANAGER


def test_the_only_place_is_given_once_with_a_clear_sentence(sign_in: SignIn) -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    client = sign_in(admin)
    client.post(url(organization, "managers/invite/"), {"email": "lee@ledger.test"})
    response = client.post(url(organization, "managers/invite/"), {"email": "kim@ledger.test"})
    assert response.status_code == 422
    assert "Team Growth has room for 1 billing manager" in text(response)
    assert "kim@ledger.test" in text(response)
    refused = client.post(url(organization, "managers/link/"))
    assert refused.status_code == 422
    assert "Team Growth has room for 1 billing manager" in text(refused)


def test_the_invite_link_stands_in_a_plain_field(admin: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(url(admin.organization, "managers/link/"))
    assert re.search(r'<input[^>]+value="http[^"]+/invitations/l[^"]+/" readonly', text(response))
    assert Invitation.objects.get().kind == Kind.LINK


def test_with_htmx_the_link_comes_with_the_renewed_panel(admin: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(url(admin.organization, "managers/link/"), headers={"HX-Request": "true"})
    page = text(response)
    assert "data-copy-now" in page
    assert re.search(r'id="billing-managers"[^>]*hx-swap-oob="true"', page)


@pytest.mark.parametrize("path", ["managers/invite/", "managers/link/"])
def test_members_and_by_default_billing_managers_invite_nobody(
    member: Membership, billing_manager: Membership, sign_in: SignIn, path: str
) -> None:
    for membership in (member, billing_manager):
        response = sign_in(membership).post(url(member.organization, path), {"email": "lee@ledger.test"})
        assert response.status_code == 403
    assert not Invitation.objects.exists()


def test_removing_asks_first_then_ends_the_membership(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    path = url(admin.organization, f"managers/{billing_manager.pk}/remove/")
    assert f"Remove {billing_manager.user.name} as billing manager?" in text(client.get(path))
    assert Membership.objects.filter(pk=billing_manager.pk).exists()
    response = client.post(path, {"shown_role": "billing_manager"})
    assert response.headers["Location"] == url(admin.organization, "")
    assert not Membership.objects.filter(pk=billing_manager.pk).exists()


def test_a_billing_manager_without_a_name_is_called_by_their_address(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    User.objects.filter(pk=billing_manager.user_id).update(name="")
    client = sign_in(admin)
    path = url(admin.organization, f"managers/{billing_manager.pk}/remove/")
    assert f"Remove {billing_manager.user.email} as billing manager?" in text(client.get(path))
    done = client.post(path, {"shown_role": "billing_manager"}, follow=True)
    assert f"{billing_manager.user.email} was removed." in text(done)


def test_only_billing_managers_of_this_organization_are_removed_here(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    foreign = MembershipFactory(role=Role.BILLING_MANAGER)
    client = sign_in(admin)
    for target in (member, foreign):
        path = url(admin.organization, f"managers/{target.pk}/remove/")
        assert client.get(path).status_code == client.post(path).status_code == 404
        assert Membership.objects.filter(pk=target.pk).exists()


def test_where_allowed_a_billing_manager_removes_another_and_not_himself(
    delegated: Organization, billing_manager: Membership, sign_in: SignIn
) -> None:
    other = MembershipFactory(organization=delegated, role=Role.BILLING_MANAGER)
    client = sign_in(billing_manager)
    for target in (billing_manager, other):
        client.post(url(delegated, f"managers/{target.pk}/remove/"), {"shown_role": "billing_manager"})
    assert Membership.objects.filter(pk=billing_manager.pk).exists()
    assert not Membership.objects.filter(pk=other.pk).exists()


@pytest.fixture
def of_one(organization: Organization) -> Organization:
    """An organization whose edition has room for one billing manager."""
    organization.edition_code = "team-pro"
    organization.save()
    return organization


ROOM_FOR_ONE = "Team Pro has room for 1 billing manager, pending invitations included."


def test_while_a_place_is_free_inviting_is_offered(of_one: Organization, admin: Membership) -> None:
    panel = panel_of(admin)
    assert "0 of 1 on Team Pro, pending included" in panel
    assert "Invite billing manager" in panel
    assert ROOM_FOR_ONE not in panel


@pytest.mark.parametrize("holder", ["a billing manager", "an invitation"])
def test_when_every_place_is_taken_the_panel_says_why_nobody_can_be_invited(
    holder: str, of_one: Organization, admin: Membership
) -> None:
    if holder == "an invitation":
        InvitationFactory(organization=of_one)
    else:
        MembershipFactory(organization=of_one, role=Role.BILLING_MANAGER)
    panel = panel_of(admin)
    assert "1 of 1 on Team Pro, pending included" in panel
    assert ROOM_FOR_ONE in panel
    assert "Invite billing manager" not in panel
    assert "Copy billing manager invite link" not in panel


def test_beside_a_manager_who_has_the_last_place_no_invitation_is_sent_or_copied(
    of_one: Organization, admin: Membership
) -> None:
    InvitationFactory(organization=of_one)
    admin.organization = of_one
    (waiting,) = billing_managers_panel(admin).pending.shown
    assert waiting.menu.may_resend
    assert waiting.menu.may_copy
    MembershipFactory(organization=of_one, role=Role.BILLING_MANAGER)
    (waiting,) = billing_managers_panel(admin).pending.shown
    assert not waiting.menu.may_resend
    assert not waiting.menu.may_copy


def test_an_invite_link_that_waits_can_be_copied_again_though_it_holds_the_last_place(
    of_one: Organization, admin: Membership
) -> None:
    InvitationFactory(organization=of_one, kind=Kind.LINK, email="")
    panel = panel_of(admin)
    assert "Copy billing manager invite link" in panel
    assert "Invite billing manager" not in panel


def test_an_invitation_past_its_age_and_one_for_members_hold_no_place(
    of_one: Organization, admin: Membership
) -> None:
    of_one.invitation_max_age_days = 3
    of_one.save()
    InvitationFactory(organization=of_one, sent_at=timezone.now() - timedelta(days=4))
    InvitationFactory(organization=of_one, role=Role.MEMBER)
    InvitationFactory()
    panel = panel_of(admin)
    assert "0 of 1 on Team Pro" in panel
    assert "Invite billing manager" in panel


def test_who_may_not_invite_reads_of_no_pending_invitation(
    of_one: Organization, billing_manager: Membership
) -> None:
    InvitationFactory(organization=of_one)
    panel = panel_of(billing_manager)
    assert "1 of 1 on Team Pro" in panel
    assert "pending" not in panel
