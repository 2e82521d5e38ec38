"""Settling on real connections, while hours are still counted."""

from datetime import datetime
from functools import partial

import pytest
from django.db.models import F

from credits.models import Entry
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.months import DECEMBER, HOUR, NOVEMBER, OCTOBER, burnt_of, count, terms
from tests.factories import OrganizationFactory
from tests.races import ROUNDS, at_once
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_many_that_settle_at_once_burn_each_hour_once(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory()
        count(organization, {NOVEMBER + number * HOUR: 10 for number in range(24)})
        begin = partial(follow_terms, organization_id=organization.pk, terms=terms(credits=100))
        settling = partial(settle, organization_id=organization.pk, until=DECEMBER)
        late = partial(count_late, organization)
        outcomes = at_once(begin, settling, settling, begin, late, settling, settling)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        settling()

        assert sum(burnt_of(organization).values()) == 24 * 10 + 5
        assert burnt_of(organization)[f"period:{NOVEMBER.isoformat()}"] == 100
        numbers = Entry.objects.for_org(organization).order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_usage_recorded_while_a_span_closes_is_told_that_it_is_late_if_it_is_booked_so(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory()
        for since, until in ((OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER)):
            follow_terms(organization_id=organization.pk, terms=terms(since, until))
        settling = partial(settle, organization_id=organization.pk, until=DECEMBER)
        outcomes = at_once(settling, *(partial(report, organization, number) for number in range(4)))
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        settling()

        told = [outcome for outcome in outcomes if isinstance(outcome, datetime)]
        late = Entry.objects.for_org(organization).filter(booked_at__gt=F("hour"))
        assert sorted(told) == sorted(late.values_list("hour", flat=True))


def report(organization: Organization, number: int) -> datetime | None:
    """The hour, if it is said to be late."""
    reading = HourlyReading(stack="web", hour=OCTOBER + number * HOUR, resources=5)
    recorded = record_counts(organization_id=organization.pk, counts=[reading])
    return reading.hour if recorded.late else None


def count_late(organization: Organization) -> None:
    count(organization, {NOVEMBER + 3 * HOUR: 15})
