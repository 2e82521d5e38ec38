"""Cost labels: what stacks held counts under the label that they have, from the beginning of the month on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission
from tests.api.program import is_problem, program_of_organization, told
from tests.billing.pages import text_of
from tests.conftest import SignIn
from tests.factories import OrganizationFactory
from usage import labels
from usage.forms import choice_in, choice_of
from usage.labels import label_stacks, resource_hours_by_label
from usage.models import HourlyCount, LabelHour, Stack
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def record(organization: Organization, *counts: tuple[str, datetime, int]) -> None:
    readings = [HourlyReading(stack=stack, hour=hour, resources=held) for stack, hour, held in counts]
    record_counts(organization_id=organization.pk, counts=readings)


def by_label(organization: Organization, since: datetime = NOVEMBER) -> dict[str, int]:
    return resource_hours_by_label(organization.pk, since, DECEMBER)


@pytest.fixture
def counted(organization: Organization) -> Organization:
    record(organization, ("web", NOVEMBER, 3), ("web", NOVEMBER + HOUR, 4), ("data", NOVEMBER, 10))
    record(OrganizationFactory(), ("web", NOVEMBER, 99))
    return organization


def test_without_labels_all_is_without_a_label(counted: Organization) -> None:
    assert by_label(counted) == {"": 17}


def test_a_label_holds_for_the_month_and_for_what_comes(counted: Organization, admin: Membership) -> None:
    record(counted, ("web", NOVEMBER - HOUR, 50))
    assert label_stacks(actor=admin, names=["web"], label="Ops") == 1
    record(counted, ("web", NOVEMBER + 2 * HOUR, 5), ("web", NOVEMBER, 4), ("new", NOVEMBER, 1))
    assert by_label(counted) == {"Ops": 4 + 4 + 5, "": 11}
    assert by_label(counted, NOVEMBER - HOUR) == {"Ops": 13, "": 61}


def test_another_label_takes_it_over_and_none_gives_it_back(counted: Organization, admin: Membership) -> None:
    label_stacks(actor=admin, names=["web", "data"], label="Ops")
    label_stacks(actor=admin, names=["web"], label="Shop")
    assert by_label(counted) == {"Ops": 10, "Shop": 7, "": 0}
    assert label_stacks(actor=admin, names=["web", "data"], label="") == 2
    assert label_stacks(actor=admin, names=["web"], label="") == 0
    assert by_label(counted) == {"": 17}


Steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.integers(-3, 3), st.integers(0, 9)),
        st.tuples(st.sets(st.sampled_from("abc"), min_size=1), st.sampled_from(["", "Ops", "Shop"])),
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=Steps)
def test_labels_are_the_sums_of_their_stacks_whatever_happened(steps: list[tuple], admin: Membership) -> None:
    organization = OrganizationFactory()
    admin.organization = organization
    admin.save()
    record(organization, *((name, NOVEMBER, 1) for name in "abc"))
    for step in steps:
        if len(step) == 3:
            name, hour, resources = step
            record(organization, (name, NOVEMBER + hour * HOUR, resources))
        else:
            label_stacks(actor=admin, names=step[0], label=step[1])
    expected: dict[str, int] = {"": 0}
    for stack in Stack.objects.filter(organization=organization):
        counts = held_in_november(stack)
        if counts or not stack.cost_label:
            expected[stack.cost_label] = expected.get(stack.cost_label, 0) + counts
    assert by_label(organization) == expected


def held_in_november(stack: Stack) -> int:
    rows = HourlyCount.objects.filter(organization=stack.organization_id, stack=stack, hour__gte=NOVEMBER)
    return sum(row.resources for row in rows)


def test_only_admins_label_and_only_what_is_theirs(
    counted: Organization, admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    for person in (member, billing_manager):
        with pytest.raises(Denied):
            label_stacks(actor=person, names=["web"], label="Ops")
    Stack.objects.create(organization=OrganizationFactory(), name="foreign")
    with pytest.raises(Refused, match="There is no stack foreign"):
        label_stacks(actor=admin, names=["web", "foreign"], label="Ops")
    assert not LabelHour.objects.exists()


def test_there_can_be_so_many_labels(
    counted: Organization, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MOST_LABELS", 1)
    label_stacks(actor=admin, names=["web"], label="Ops")
    with pytest.raises(Refused, match="Use at most 1 labels"):
        label_stacks(actor=admin, names=["data"], label="Shop")
    assert by_label(counted) == {"Ops": 7, "": 10}
    label_stacks(actor=admin, names=["data"], label="Ops")


def test_a_label_that_another_has_given_meanwhile_stays(counted: Organization, admin: Membership) -> None:
    label_stacks(actor=admin, names=["web"], label="Ops")
    with pytest.raises(PageOutdated):
        label_stacks(actor=admin, names=["web"], label="Shop", shown={"web": ""})
    assert by_label(counted) == {"Ops": 7, "": 10}


@given(name=st.text(min_size=1, max_size=20), label=st.text(max_size=50))
def test_a_choice_tells_name_and_label(name: str, label: str) -> None:
    assert choice_in(choice_of(name, label)) == (name, label)


@pytest.fixture
def label(counted: Organization, admin: Membership, sign_in: SignIn) -> Callable[..., object]:
    client: Client = sign_in(admin)
    url = reverse("stacks", args=[counted.slug])
    return lambda **data: client.post(url, data, follow=True)


def test_the_page_labels_the_chosen_stacks(counted: Organization, label: Callable[..., object]) -> None:
    page = label(stack=["0~web", "0~data"], label=" Ops ")
    assert "Label set." in text_of(page)
    assert 'value="3~Opsweb"' in page.content.decode()  # type: ignore[attr-defined]
    assert by_label(counted) == {"Ops": 17, "": 0}
    assert "Label taken off." in text_of(label(stack=["3~Opsweb"], label=""))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"label": "Ops"}, "Choose at least one stack."),
        ({"stack": "0~web", "label": "x" * 51}, "Use at most 50 characters for a label."),
        ({"stack": "0~web", "label": "https://evil.example/x"}, "Use a name without web addresses"),
        ({"stack": "0~gone", "label": "Ops"}, "There is no stack gone."),
        ({"stack": "x", "label": "Ops"}, "There is no stack"),
        ({"stack": "4~Shopweb", "label": "Ops"}, "Somebody else labeled some of these stacks meanwhile."),
    ],
)
def test_what_can_not_be_is_refused_with_one_sentence(
    data: dict[str, str], sentence: str, counted: Organization, label: Callable[..., object]
) -> None:
    assert text_of(label(**data)).count(sentence) == 1
    assert by_label(counted) == {"": 17}


def test_a_program_labels_them_too(counted: Organization) -> None:
    program = program_of_organization(counted, Permission.STACKS_LABEL, Permission.RUM_PER_STACK)
    body = {"stacks": ["web", "data"], "label": "Ops"}
    assert told(program.ask("PUT", "stacks/labels", body)) == {"changed": 2}
    assert told(program.ask("PUT", "stacks/labels", body)) == {"changed": 0}
    assert [row["label"] for row in told(program.get("stacks"))["data"]] == ["Ops", "Ops"]
    is_problem(program.ask("PUT", "stacks/labels", {"stacks": ["gone"], "label": "Ops"}), 409)
    is_problem(program.ask("PUT", "stacks/labels", {"stacks": ["web"], "label": "a\nb"}), 422)
    is_problem(program.ask("PUT", "stacks/labels", {"stacks": [], "label": "Ops"}), 422)
