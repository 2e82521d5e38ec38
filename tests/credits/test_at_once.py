"""Settling on real connections, while hours are still counted."""

from functools import partial

import pytest

from credits.models import Entry
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.months import DECEMBER, HOUR, NOVEMBER, burnt_of, count, terms
from tests.factories import OrganizationFactory
from tests.races import ROUNDS, at_once

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


def count_late(organization: Organization) -> None:
    count(organization, {NOVEMBER + 3 * HOUR: 15})
