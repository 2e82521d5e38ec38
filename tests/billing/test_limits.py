"""Limits of use: each threshold is told once in a period, and the product is told to stop and to go on."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent
from billing import tasks
from billing.models import ReachedThreshold
from billing.operations.limits import change_limits
from credits.models import Ledger
from credits.services.periods import follow_terms
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import Change
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.billing.mishaps import Fuse, Killed
from tests.credits.months import DECEMBER, HOUR, NOVEMBER, NOW, count, grant, terms
from tests.factories import MembershipFactory, OrganizationFactory
from tests.sampling import Part, in_parts

pytestmark = pytest.mark.django_db
FREE = 150_000


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory(edition_code="team-growth", name="Acme")


@pytest.fixture
def manager(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)


def use(organization: Organization, resources: int, *, hour: int = 0) -> None:
    """Counts an hour of November, and lets it be settled."""
    count(organization, {NOVEMBER + hour * HOUR: resources})
    sweep(organization)


def sweep(organization: Organization) -> None:
    Ledger.objects.filter(organization=organization).update(next_attempt_at=NOVEMBER, leased_until=None)
    tasks.settle_credits()
    organization.refresh_from_db()


def limit(manager: Membership, *, budget: int | None = None, stops: bool = False) -> None:
    """Whatever it was before. ``budget``: in cents."""
    now = Organization.objects.get(pk=manager.organization_id)
    change_limits(
        actor=manager,
        changes={
            "usage_budget": Change(now.usage_budget, budget),
            "usage_stops": Change(now.usage_stops, stops),
        },
    )
    manager.organization.refresh_from_db()


def subjects() -> list[str]:
    return [
        renderer_of(mail.kind)(mail).subject for mail in OutgoingEmail.objects.order_by("created_at", "pk")
    ]


def told(organization: Organization) -> list[tuple[str, int]]:
    rows = ReachedThreshold.objects.for_org(organization).order_by("limit", "percent")
    return list(rows.values_list("limit", "percent"))


def acts(organization: Organization) -> list[tuple[str, Any]]:
    events = AuditEvent.objects.filter(organization_id=organization.pk, action__startswith="usage.")
    return [(event.action.removeprefix("usage."), event.data) for event in events.order_by("pk")]


def test_each_threshold_of_the_credits_is_told_once(organization: Organization, manager: Membership) -> None:
    for hour, share in enumerate([49, 1, 29, 1, 15, 4, 1, 40]):
        use(organization, FREE * share // 100, hour=hour)
        sweep(organization)
    assert subjects() == [f"Acme has used {percent}% of its credits" for percent in (50, 80, 95, 100)]
    assert told(organization) == [("credits", percent) for percent in (50, 80, 95, 100)]
    assert (organization.usage_reached, organization.usage_reached_of) == (100, "credits")


def test_of_several_that_are_crossed_at_once_the_highest_is_told(
    organization: Organization, manager: Membership
) -> None:
    use(organization, FREE * 96 // 100)
    assert subjects() == ["Acme has used 95% of its credits"]
    assert told(organization) == [("credits", 50), ("credits", 80), ("credits", 95)]
    period = NOVEMBER.isoformat()
    assert acts(organization) == [
        ("threshold_reached", {"limit": "credits", "percent": 95, "period": period})
    ]


def test_everybody_who_sees_billing_is_told_and_nobody_else(organization: Organization) -> None:
    people = {role: MembershipFactory(organization=organization, role=role) for role in Role}
    use(organization, FREE)
    readers = {people[role].user.email for role in Role if role is not Role.MEMBER}
    assert set(OutgoingEmail.objects.values_list("to", flat=True)) == readers


def test_a_budget_is_told_of_with_the_credits_in_one_mail(
    organization: Organization, manager: Membership
) -> None:
    limit(manager, budget=2500)
    use(organization, FREE + 80_000)
    assert subjects() == ["Acme has used 100% of its credits and 80% of its budget"]
    mail = OutgoingEmail.objects.get()
    text = renderer_of(mail.kind)(mail).text
    assert "150,000 of the 150,000 credits are used." in text
    assert "Credits on demand cost $20.00 so far, of a budget of $25.00." in text
    assert "What is used beyond them is billed on demand." in text


def test_a_raised_budget_repeats_nothing_and_the_next_period_begins_anew(
    organization: Organization, manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(manager, budget=2500)
    use(organization, FREE + 80_000)
    limit(manager, budget=4000)
    assert (organization.usage_reached, organization.usage_reached_of) == (100, "credits")
    use(organization, 48_000, hour=1)
    assert len(subjects()) == 1
    limit(manager, budget=3300)
    assert subjects()[1:] == ["Acme has used 95% of its budget"]

    monkeypatch.setattr(timezone, "now", lambda: DECEMBER + 30 * HOUR)
    count(organization, {DECEMBER: FREE})
    sweep(organization)
    assert subjects()[2:] == ["Acme has used 100% of its credits"]


def test_what_the_last_hours_of_a_period_reach_is_told_after_its_end(
    organization: Organization, manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(organization, FREE // 4)
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER + 5 * HOUR)
    limit(manager, budget=1, stops=True)
    sweep(organization)
    assert subjects() == []
    count(organization, {DECEMBER - HOUR: FREE * 4 // 5, DECEMBER: 1})
    sweep(organization)
    assert subjects() == ["Acme has used 100% of its credits"]
    mail = OutgoingEmail.objects.get()
    assert "told to stop" not in renderer_of(mail.kind)(mail).text
    assert {row.period_start for row in ReachedThreshold.objects.all()} == {NOVEMBER}
    assert (organization.usage_reached, organization.usage_reached_of) == (0, "")


def test_use_stops_at_its_credits_where_it_is_to_and_goes_on_with_more(
    organization: Organization, manager: Membership
) -> None:
    use(organization, FREE)
    assert organization.usage_stopped_at is None
    limit(manager, stops=True)
    assert organization.usage_stopped_at == NOW
    grant(organization, 1000)
    sweep(organization)
    assert organization.usage_stopped_at is None
    use(organization, 1000, hour=1)
    assert organization.usage_stopped_at == NOW
    limit(manager, stops=False)
    assert organization.usage_stopped_at is None
    assert [act for act, _data in acts(organization)] == [
        "threshold_reached",
        "stop_changed",
        "stopped",
        "resumed",
        "stopped",
        "stop_changed",
        "resumed",
    ]


def test_with_a_budget_use_stops_at_that(organization: Organization, manager: Membership) -> None:
    limit(manager, budget=1000, stops=True)
    use(organization, FREE + 39_999)
    assert organization.usage_stopped_at is not None, "9.99975 is 10.00, rounded as it is billed"
    limit(manager, budget=1100, stops=True)
    assert organization.usage_stopped_at is None
    use(organization, 4_001, hour=1)
    assert organization.usage_stopped_at == NOW
    mail = OutgoingEmail.objects.order_by("created_at").first()
    assert mail is not None
    assert "The product was told to stop." in renderer_of(mail.kind)(mail).text


def test_bought_credits_let_use_go_on_whatever_the_budget(
    organization: Organization, manager: Membership
) -> None:
    """They are burnt first: until nothing is left of them, nothing more is on demand."""
    limit(manager, budget=1000, stops=True)
    use(organization, FREE + 40_000)
    assert organization.usage_stopped_at is not None
    grant(organization, 1000, effective_at=NOVEMBER + HOUR)
    sweep(organization)
    assert organization.usage_stopped_at is None
    use(organization, 1000, hour=1)
    assert organization.usage_stopped_at is not None


def test_a_period_without_any_credits_is_at_its_limit(
    organization: Organization, manager: Membership
) -> None:
    """As after a downgrade in mid-period, once all credits that were bought before are burnt."""
    limit(manager, stops=True)
    follow_terms(organization_id=organization.pk, terms=terms(credits=0))
    sweep(organization)
    assert organization.usage_stopped_at == NOW
    assert told(organization) == []


def test_the_next_period_lets_use_go_on_at_its_beginning(
    organization: Organization, manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(manager, stops=True)
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER - timedelta(minutes=10))
    use(organization, FREE)
    assert organization.usage_stopped_at is not None
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    sweep(organization)
    assert organization.usage_stopped_at is None


def test_nothing_is_limited_where_no_credits_are_counted(manager: Membership) -> None:
    organization = manager.organization
    Organization.objects.filter(pk=organization.pk).update(edition_code="team-pro")
    limit(manager, budget=100, stops=True)
    use(organization, FREE)
    assert (told(organization), organization.usage_stopped_at) == ([], None)


def test_a_closed_organization_is_told_of_nothing(organization: Organization, manager: Membership) -> None:
    follow_terms(organization_id=organization.pk, terms=terms())
    Organization.objects.filter(pk=organization.pk).update(closes_after=NOW.date(), closed_at=NOW)
    use(organization, FREE)
    assert told(organization) == []


@pytest.fixture
def fuse() -> Iterator[Fuse]:
    fuse = Fuse()
    with connection.execute_wrapper(fuse.before_statement):
        yield fuse


@pytest.mark.slow
@in_parts(5)
def test_a_worker_that_dies_before_any_statement_tells_nothing_twice_and_misses_nothing(
    part: Part, fuse: Fuse
) -> None:
    for steps in part.of(itertools.count()):
        organization = OrganizationFactory(edition_code="team-growth", usage_stops=True)
        manager = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
        follow_terms(organization_id=organization.pk, terms=terms())
        count(organization, {NOVEMBER: FREE})
        died = dies_after(steps, fuse)
        sweep(organization)
        assert OutgoingEmail.objects.filter(to=manager.user.email).count() == 1
        assert [act for act, _data in acts(organization)] == ["threshold_reached", "stopped"]
        if not died:
            break


def dies_after(steps: int, fuse: Fuse) -> bool:
    """Whether the sweep comes to that statement at all."""
    fuse.steps_left = steps
    try:
        tasks.settle_credits()
    except Killed:
        return True
    finally:
        fuse.reset()
    return False
