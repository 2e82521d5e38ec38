"""What an organization takes with it when it closes."""

import csv
import io
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.services import Actor, record
from billing.actions import USAGE_RESUMED
from orgs.models import Organization
from orgs.policy import Role
from tests.billing.factories import InvoiceFactory
from tests.billing.on_demand import charge_of
from tests.conftest import SignIn
from tests.credits.months import grant
from tests.factories import MembershipFactory, OrganizationFactory
from tests.teams.factories import TeamFactory, TeamMembershipFactory
from usage.models import Stack

pytestmark = pytest.mark.django_db


def test_the_archive_holds_all_of_the_organization_and_nothing_of_another(sign_in: SignIn) -> None:
    admin = MembershipFactory(
        role=Role.ADMIN, organization__closes_after=timezone.now().date() + timedelta(days=30)
    )
    for organization, name in ((admin.organization, "A-1"), (OrganizationFactory(), "B-1")):
        used_by(organization, name)
    place = TeamMembershipFactory(team__organization=admin.organization, membership=admin)
    empty = TeamFactory(organization=admin.organization)
    TeamMembershipFactory()

    answer = sign_in(admin).post(reverse("organization_data", args=[admin.organization.slug]))
    with ZipFile(io.BytesIO(b"".join(answer))) as archive:
        rows = {
            name: list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))[1:]
            for name in archive.namelist()
        }

    assert [row[2] for row in rows["people.csv"]] == [admin.user.email]
    assert {(row[0], row[3]) for row in rows["teams.csv"]} == {
        (str(place.team_id), str(admin.user_id)),
        (str(empty.pk), ""),
    }
    assert [row[0] for row in rows["invoices.csv"]] == ["A-1"]
    assert [row[:3] for row in rows["credits.csv"]] == [["paid", "500", "500"]]
    span = ["2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"]
    assert rows["on-demand-credits.csv"] == [[*span, "300000", "0.00025", "7500"]]
    assert rows["stacks.csv"] == [["A-1", "Shop"]]
    assert [row[4] for row in rows["audit-log.csv"]] == ["usage.resumed"]


def used_by(organization: Organization, name: str) -> None:
    InvoiceFactory(organization=organization, number=name)
    grant(organization, 500)
    charge_of(organization)
    Stack.objects.create(organization=organization, name=name, cost_label="Shop")
    record(USAGE_RESUMED, actor=Actor.system(), organization=organization)
