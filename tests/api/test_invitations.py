"""Invitations and billing managers, told as they are, and to those alone who see them on the page.

Mutants of `invitations/api.py` that are the same program: one row more is read than tells whether there is a
next page; `_person` refuses a token, which the gate refused before; a manager of another organization is
looked for, whom `remove_member` doesn't find either. The topics are headings of the document.
"""

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

import orgs.services
from bench.statements import sent_statements
from invitations.models import Kind, State
from orgs.models import Membership
from orgs.policy import Role
from tests.api.program import is_problem, program_of, told
from tests.api.test_access import browser
from tests.api.test_reads import all_pages
from tests.factories import MembershipFactory
from tests.invitations.factories import InvitationFactory

pytestmark = pytest.mark.django_db
AN_HOUR_AGO = timezone.now().replace(microsecond=0) - timedelta(hours=1)


def in_json(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_an_invitation_is_told_as_it_is(admin: Membership) -> None:
    organization = admin.organization
    link = InvitationFactory(
        organization=organization, inviter=admin, kind=Kind.LINK, role=Role.MEMBER, sent_at=AN_HOUR_AGO
    )
    facts = {
        "id": str(link.pk),
        "kind": "link",
        "role": "member",
        "state": "pending",
        "email": None,
        "invited_by": admin.user.name,
        "sent_at": in_json(AN_HOUR_AGO),
        "expires_at": None,
    }
    assert told(program_of(admin).get("invitations")) == {"data": [facts], "next": None}
    organization.invitation_max_age_days = 7
    organization.save()
    (row,) = told(program_of(admin).get("invitations"))["data"]
    assert row == {**facts, "expires_at": in_json(AN_HOUR_AGO + timedelta(days=7))}


def test_pending_invitations_come_a_page_at_a_time_the_latest_first(admin: Membership) -> None:
    sent = [
        InvitationFactory(
            organization=admin.organization, inviter=admin, sent_at=AN_HOUR_AGO + timedelta(minutes=number)
        )
        for number in (2, 0, 4, 1, 3)
    ]
    InvitationFactory(
        organization=admin.organization, inviter=admin, state=State.REVOKED, decided_at=timezone.now()
    )
    listed = all_pages(program_of(admin), "invitations")
    latest_first = sorted(sent, key=lambda invitation: invitation.sent_at, reverse=True)
    assert [row["id"] for row in listed] == [str(invitation.pk) for invitation in latest_first]


def test_what_is_sent_again_is_told_as_it_is_now(admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, sent_at=AN_HOUR_AGO)
    again = told(program_of(admin).post(f"invitations/{invitation.pk}/resend"))
    assert (again["id"], again["state"]) == (str(invitation.pk), "pending")
    assert datetime.fromisoformat(again["sent_at"]) > AN_HOUR_AGO


def test_of_an_admins_invitation_that_is_not_ones_own_nothing_is_told(
    admin: Membership, billing_manager: Membership
) -> None:
    organization = admin.organization
    organization.managers_manage_managers = True
    organization.save()
    others = InvitationFactory(organization=organization, inviter=admin, role=Role.ADMIN)
    is_problem(browser(billing_manager, organization.slug).post(f"invitations/{others.pk}/resend"), 404)
    foreign = InvitationFactory(role=Role.ADMIN)
    is_problem(program_of(admin).post(f"invitations/{foreign.pk}/resend"), 404)


def test_billing_managers_come_the_first_to_join_first(admin: Membership) -> None:
    ids = sorted((uuid.uuid4() for _number in range(4)), reverse=True)
    late, *at_once = (
        MembershipFactory(
            pk=pk,
            organization=admin.organization,
            role=Role.BILLING_MANAGER,
            joined_at=AN_HOUR_AGO + timedelta(minutes=number == 0),
        )
        for number, pk in enumerate([uuid.UUID(int=1), *ids])
    )
    MembershipFactory(role=Role.BILLING_MANAGER)
    rows = told(program_of(admin).get("billing-managers"))["data"]
    assert [row["id"] for row in rows] == [str(one.pk) for one in [*reversed(at_once), late]]
    assert rows[-1] == {
        "id": str(late.pk),
        "name": late.user.name,
        "email": late.user.email,
        "joined_at": in_json(late.joined_at),
    }


def test_who_may_not_see_the_mails_of_billing_managers_reads_names_alone(billing_manager: Membership) -> None:
    rows = told(browser(billing_manager, billing_manager.organization.slug).get("billing-managers"))["data"]
    name = billing_manager.user.name
    assert rows == [{"id": str(billing_manager.pk), "name": name, "email": None, "joined_at": None}]


def test_more_billing_managers_take_no_more_statements(
    admin: Membership, billing_manager: Membership
) -> None:
    program = program_of(admin)
    program.get("billing-managers")
    counts = []
    for _time in range(2):
        with sent_statements() as sent:
            told(program.get("billing-managers"))
        counts.append(len(sent))
        MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    assert counts[0] == counts[1]


def test_who_is_no_billing_manager_any_more_is_not_removed_as_one(
    admin: Membership, billing_manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = orgs.services.remove_member

    def remove_late(**values: object) -> None:
        Membership.objects.filter(pk=billing_manager.pk).update(role=Role.MEMBER)
        remove(**values)

    monkeypatch.setattr(orgs.services, "remove_member", remove_late)
    is_problem(program_of(admin).ask("DELETE", f"billing-managers/{billing_manager.pk}"), 409)
    assert Membership.objects.filter(pk=billing_manager.pk).exists()
