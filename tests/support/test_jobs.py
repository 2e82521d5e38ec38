"""How often people, and staff, do the jobs that support staff did by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from audit.models import ActorKind, AuditEvent
from audit.services import Actor, record
from invitations.services.sending import create_link, invite_by_mail
from orgs import actions
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import change_role, leave, remove_member
from support.jobs import JOBS, count_jobs, count_recent_jobs
from support.models import Job, JobCount
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.STAFF, "Sam of support")


def removed(
    organization: Organization, *, by: Actor, at: datetime, role: Role = Role.BILLING_MANAGER
) -> None:
    with transaction.atomic():
        event = record(
            actions.MEMBERSHIP_REMOVED,
            actor=by,
            organization=organization,
            target=("x", "Lee"),
            role=role.value,
        )
        copy = {field.attname: getattr(event, field.attname) for field in AuditEvent._meta.fields}
        AuditEvent.objects.create(**{**copy, "id": None, "created_at": at})


def counted() -> dict[tuple[str, str, str], int]:
    return {(f"{row.month:%Y-%m}", row.job, row.done_by): row.count for row in JobCount.objects.all()}


def this_month() -> dict[str, int]:
    count_recent_jobs()
    return {row.job: row.count for row in JobCount.objects.filter(done_by=ActorKind.PERSON)}


def test_every_job_is_made_of_acts() -> None:
    assert set(JOBS) == set(Job)


def test_inviting_and_removing_billing_managers_are_jobs_and_members_are_none(admin: Membership) -> None:
    invite_by_mail(actor=admin, email="manager@ledger.test", role=Role.BILLING_MANAGER)
    create_link(actor=admin, role=Role.BILLING_MANAGER)
    invite_by_mail(actor=admin, email="member@ledger.test", role=Role.MEMBER)
    for role in (Role.BILLING_MANAGER, Role.MEMBER):
        person = MembershipFactory(organization=admin.organization, role=role)
        remove_member(actor=admin, membership_id=person.pk)
    leave(membership=MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER))
    assert this_month() == {Job.MANAGER_INVITED: 2, Job.MANAGER_REMOVED: 1}


def test_a_change_of_role_is_a_job_where_a_billing_manager_comes_or_goes(admin: Membership) -> None:
    person = MembershipFactory(organization=admin.organization, role=Role.MEMBER)
    for role in (Role.ADMIN, Role.BILLING_MANAGER, Role.MEMBER):
        change_role(actor=admin, membership_id=person.pk, role=role)
    assert this_month() == {Job.ROLE_CHANGED: 2}


def test_what_staff_and_what_people_did_are_told_apart_and_the_portal_does_no_job(
    organization: Organization,
) -> None:
    at = datetime(2024, 2, 10, tzinfo=UTC)
    for by in (STAFF, STAFF, Actor.system(), Actor.stripe(), Actor(ActorKind.PERSON, "Ada")):
        removed(organization, by=by, at=at)
    count_jobs(at.date())
    assert counted() == {
        ("2024-02", Job.MANAGER_REMOVED, ActorKind.STAFF): 2,
        ("2024-02", Job.MANAGER_REMOVED, ActorKind.PERSON): 1,
    }


@pytest.mark.parametrize("day", [date(2024, 2, 1), date(2024, 2, 29)])
def test_a_month_ends_with_its_last_instant_in_utc(organization: Organization, day: date) -> None:
    begin, end = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    for at in (begin - tick, begin, end - tick, end):
        removed(organization, by=STAFF, at=at)
    count_jobs(day)
    assert counted() == {("2024-02", Job.MANAGER_REMOVED, ActorKind.STAFF): 2}


def test_counting_again_changes_nothing_and_corrects_what_is_wrong(organization: Organization) -> None:
    at = datetime(2024, 2, 10, tzinfo=UTC)
    removed(organization, by=STAFF, at=at)
    count_jobs(at.date())
    JobCount.objects.update(count=99)
    for _again in range(2):
        count_jobs(at.date())
    assert counted() == {("2024-02", Job.MANAGER_REMOVED, ActorKind.STAFF): 1}
