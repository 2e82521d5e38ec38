"""What support staff find of invitations."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from bench.statements import sent_statements
from invitations.models import Invitation, Kind, State
from invitations.refusals import Reason
from orgs.policy import Role, StaffRole
from tests.factories import OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.world import staff_with

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def failed() -> Invitation:
    """It can't be accepted, and stands beside a newer and an older one of which nothing is asked here."""
    InvitationFactory(
        pk=UUID(int=2), kind=Kind.LINK, role=Role.MEMBER, state=State.REVOKED, decided_at=NOW, sent_at=NOW
    )
    InvitationFactory(pk=UUID(int=1), kind=Kind.LINK, role=Role.MEMBER, sent_at=NOW - timedelta(days=800))
    return InvitationFactory(
        pk=UUID(int=3),
        organization=OrganizationFactory(name="Ledger Ltd", slug="ledger-2"),
        email="lee@books.test",
        invited_by_name="Ada Doe",
        sent_at=NOW - timedelta(days=400),
        last_error=Reason.NO_ROOM,
        last_error_by="kim@books.test",
    )


@pytest.fixture
def staff() -> Client:
    return staff_with(StaffRole.SUPPORT)


def found(staff: Client, **query: str) -> list[int]:
    answer = staff.get("/admin/invitations/invitation/", query)
    assert answer.status_code == 200, query
    return [row.pk.int for row in answer.context["cl"].result_list]


def test_the_list_shows_the_latest_first_and_what_went_wrong(staff: Client, failed: Invitation) -> None:
    with sent_statements() as statements:
        page = text(staff.get("/admin/invitations/invitation/"))
    assert re.findall(r"column-(\w+)", page) == [
        "organization",
        "role",
        "kind",
        "email",
        "state",
        "invited_by_name",
        "sent_at",
        "last_error",
    ]
    assert found(staff) == [2, 3, 1]
    assert "The edition had no place left." in page
    InvitationFactory.create_batch(2)
    with sent_statements() as more:
        staff.get("/admin/invitations/invitation/")
    assert len(more) == len(statements)


def test_the_list_is_narrowed_by_what_a_customer_can_tell(staff: Client, failed: Invitation) -> None:
    for words in ("lee@books", "Ada Doe", "Ledger Ltd", "ledger-2", "kim@books"):
        assert found(staff, q=words) == [3], words
    for column, value in {"kind": "mail", "role": "billing_manager", "last_error": "no_room"}.items():
        assert found(staff, **{f"{column}__exact": value}) == [3], column
    assert found(staff, state__exact="pending") == [3, 1]
    assert found(staff, sent_at__year=str(failed.sent_at.year)) == [3]
