"""Querysets compiled once: each call asks with its own values, and what can't be told apart is refused."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from bench.statements import sent_statements
from orgs import compiled as module
from orgs.compiled import Compiled, NotCompilableError, compiled
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.factories import MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
Memberships = QuerySet[Membership, Any]
JOINED = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _declared_here_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "declared", [])


class Row(NamedTuple):
    id: uuid.UUID
    role: str


def rows(memberships: QuerySet[Membership]) -> Memberships:
    return memberships.order_by("joined_at", "id").values_list("id", "role")


def test_each_call_asks_with_its_own_values() -> None:
    @compiled(Row)
    def joined(organization: uuid.UUID, role: Role, since: datetime) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(role=role, joined_at__gte=since))

    admin = MembershipFactory(role=Role.ADMIN, joined_at=JOINED)
    member = MembershipFactory(role=Role.MEMBER, joined_at=JOINED, organization=admin.organization)
    other = MembershipFactory(role=Role.ADMIN, joined_at=JOINED)
    assert joined(admin.organization_id, Role.ADMIN, JOINED) == [Row(admin.pk, "admin")]
    assert joined(other.organization_id, Role.ADMIN, since=JOINED) == [Row(other.pk, "admin")]
    assert joined(organization=admin.organization_id, role=Role.MEMBER, since=JOINED) == [
        Row(member.pk, "member")
    ]
    assert joined(admin.organization_id, Role.ADMIN, JOINED + timedelta(microseconds=1)) == []


def test_values_of_one_type_are_told_apart() -> None:
    @compiled(Row)
    def one_of(person: uuid.UUID, organization: uuid.UUID, end: datetime, start: datetime) -> Memberships:
        span = Membership.objects.filter(joined_at__gte=start, joined_at__lt=end)
        return rows(span.filter(organization=organization, user=person, organization__in=[organization]))

    found = MembershipFactory(joined_at=JOINED)
    later = JOINED + timedelta(days=1)
    assert one_of(found.user_id, found.organization_id, later, JOINED) == [Row(found.pk, "member")]
    assert one_of(found.organization_id, found.user_id, later, JOINED) == []
    assert one_of(found.user_id, found.organization_id, JOINED, later) == []


def test_django_compiles_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    @compiled(Row)
    def people(organization: uuid.UUID) -> Memberships:
        built.append(organization)
        return rows(Membership.objects.for_org(organization))

    found = MembershipFactory()
    people(found.organization_id)
    built.clear()
    with sent_statements() as statements:
        assert people(found.organization_id) == [Row(found.pk, "member")]
    assert (len(built), len(statements)) == (0, 1)


def test_whole_objects_are_as_from_the_queryset() -> None:
    @compiled(Organization)
    def organizations(pk: uuid.UUID) -> QuerySet[Organization]:
        return Organization.objects.filter(pk=pk)

    expected = OrganizationFactory(edition_code="team-pro", seats=3)
    (found,) = organizations(expected.pk)
    assert vars(found) | {"_state": None} == vars(Organization.objects.get()) | {"_state": None}
    found.seats = 4
    found.save()
    assert Organization.objects.get().seats == 4


def people(organization: uuid.UUID) -> QuerySet[Membership]:
    return Membership.objects.for_org(organization)


def forgotten(organization: uuid.UUID) -> Memberships:
    return rows(Membership.objects.all())


def changed(organization: uuid.UUID, at: datetime) -> Memberships:
    return rows(people(organization).filter(joined_at__gt=at - timedelta(days=1)))


def also_changed(organization: uuid.UUID, at: datetime) -> Memberships:
    span = people(organization).filter(joined_at__gt=at, joined_at__lt=at + timedelta(days=1))
    return rows(span)


def as_text(organization: uuid.UUID) -> Memberships:
    return rows(people(organization).filter(user__name=str(organization)))


def folded(organization: uuid.UUID, at: datetime) -> Memberships:
    return rows(people(organization).filter(joined_at__gt=max(at, JOINED)))


def branched(organization: uuid.UUID, at: datetime) -> Memberships:
    past = at < JOINED
    return rows(people(organization).filter(joined_at__gt=at).exclude(role="admin" if past else "member"))


def clock(organization: uuid.UUID) -> Memberships:
    return rows(people(organization).filter(joined_at__lt=timezone.now()))


def empty(organization: uuid.UUID) -> Memberships:
    return rows(people(organization).none())


def other_columns(organization: uuid.UUID) -> Memberships:
    return people(organization).values_list("role", "id")


def unlisted(organization: uuid.UUID) -> Memberships:
    return people(organization)


# Querysets whose statements can't be told apart from the values, and what is said of each.
REFUSED = [
    pytest.param(forgotten, "doesn't ask for organization", id="forgotten"),
    pytest.param(changed, "doesn't ask for at", id="changed"),
    pytest.param(also_changed, "a value is changed", id="also_changed"),
    pytest.param(as_text, "a value is changed", id="as_text"),
    pytest.param(folded, "doesn't ask for at", id="folded"),
    pytest.param(branched, "a value is changed", id="branched"),
    pytest.param(clock, "a clock read", id="clock"),
    pytest.param(empty, "never finds anything", id="empty"),
    pytest.param(other_columns, "the columns are role, id", id="other_columns"),
    pytest.param(unlisted, "the columns are", id="unlisted"),
]


@pytest.mark.parametrize(("build", "reason"), REFUSED)
def test_a_queryset_that_can_not_be_told_apart_is_refused(
    build: Callable[..., Memberships], reason: str
) -> None:
    parameters = {"organization": uuid.uuid4(), "at": JOINED}
    query: Compiled[..., Row] = compiled(Row)(build)
    with pytest.raises(NotCompilableError, match=reason):
        query(**{name: parameters[name] for name in query.parameters})


def test_objects_bring_what_is_fetched_with_them() -> None:
    @compiled(Membership)
    def memberships(organization: uuid.UUID) -> QuerySet[Membership]:
        counted = Membership.objects.for_org(organization).annotate(people=Count("organization__memberships"))
        return counted.select_related("organization", "user")

    expected = MembershipFactory(role=Role.ADMIN)
    (found,) = memberships(expected.organization_id)
    with sent_statements() as statements:
        assert (found, found.role, found.people) == (expected, "admin", 1)
        assert vars(found.user) | {"_state": None} == vars(User.objects.get()) | {"_state": None}
        assert found.organization.name == expected.organization.name
    assert len(statements) == 1


def test_rows_of_columns_are_no_objects() -> None:
    @compiled(Membership)
    def columns(organization: uuid.UUID) -> QuerySet[Membership, Any]:
        return Membership.objects.for_org(organization).values_list("id", "role")

    with pytest.raises(NotCompilableError, match="the columns are id, role"):
        columns(uuid.uuid4())


def test_a_text_is_a_parameter() -> None:
    @compiled(Row)
    def named(organization: uuid.UUID, name: str) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(user__name=name))

    found = MembershipFactory(user__name="Ada")
    assert named(found.organization_id, "Ada") == [Row(found.pk, "member")]
    assert named(found.organization_id, "") == []


def test_a_part_of_a_text_is_none() -> None:
    @compiled(Row)
    def named(organization: uuid.UUID, name: str) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(user__name__contains=name))

    with pytest.raises(NotCompilableError, match="doesn't ask for name"):
        named(uuid.uuid4(), "Ada")


def test_numbers_are_no_parameters() -> None:
    def seated(organization: uuid.UUID, seats: int) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(organization__seats=seats))

    with pytest.raises(NotCompilableError, match="seats can be no parameter"):
        compiled(Row)(seated)


def test_the_database_s_clock_may_be_read() -> None:
    @compiled(Row)
    def joined(organization: uuid.UUID) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(joined_at__lt=Now()))

    found = MembershipFactory(joined_at=JOINED - timedelta(days=365 * 10))
    assert joined(found.organization_id) == [Row(found.pk, "member")]


def test_a_day_is_a_parameter() -> None:
    @compiled(Row)
    def joined_on(organization: uuid.UUID, day: date) -> Memberships:
        return rows(Membership.objects.for_org(organization).filter(joined_at__date=day))

    found = MembershipFactory(joined_at=JOINED)
    assert joined_on(found.organization_id, JOINED.date()) == [Row(found.pk, "member")]
    assert joined_on(found.organization_id, date(2026, 11, 21)) == []
