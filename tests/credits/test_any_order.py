"""However and whenever hours are counted and settled, the ledger comes to the same, and its sums hold."""

from datetime import datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from credits.models import Entry, Grant
from credits.selectors import period_credits
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, burnt_of, count, grant, net, terms
from tests.factories import OrganizationFactory

# What comes to pass, in any order: an hour is counted, the hours before one are settled, a grant is bought.
acts = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(0, 15), st.integers(0, 30)),
        st.tuples(st.just("settle"), st.integers(0, 18), st.just(0)),
        st.tuples(st.just("grant"), st.integers(0, 12), st.integers(1, 60)),
    ),
    max_size=14,
)


def organization_with_period() -> Organization:
    organization = OrganizationFactory()
    follow_terms(organization_id=organization.pk, terms=terms(credits=40))
    return organization


def buy(organization: Organization, number: int, begins: int, amount: int) -> None:
    since = NOVEMBER + begins * HOUR
    # Each has its place in the order, which the id would decide else.
    span = {"effective_at": since, "expires_at": since + 6 * HOUR}
    grant(organization, amount, source=str(number), priority=number, **span)


# Without shrinking, which would take minutes: the acts are few.
@pytest.mark.slow
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts)
@pytest.mark.usefixtures("db")
def test_any_order_comes_to_the_same(drawn: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        one, other = organization_with_period(), organization_with_period()
        counted: dict[datetime, int] = {}
        for number, (act, place, amount) in enumerate(drawn):
            hour = NOVEMBER + place * HOUR
            if act == "count":
                counted[hour] = max(amount, counted.get(hour, 0))
                count(one, {hour: counted[hour]})
            elif act == "settle":
                settle(organization_id=one.pk, until=hour)
                assert_sums(one)
            else:
                buy(one, number, place, amount)
                buy(other, number, place, amount)
        settle(organization_id=one.pk, until=NOVEMBER + DAY)
        count(other, counted)
        settle(organization_id=other.pk, until=NOVEMBER + DAY)
        assert by_hour(one) == {hour: amount for hour, amount in counted.items() if amount}
        assert burnt_of(one) == burnt_of(other)
        assert net(one) == net(other)
        assert_sums(one)
        transaction.set_rollback(True)


def by_hour(organization: Organization) -> dict[datetime, int]:
    sums: dict[datetime, int] = {}
    for (_booked, hour, _source), amount in net(organization).items():
        sums[hour] = sums.get(hour, 0) + amount
    return sums


def assert_sums(organization: Organization) -> None:
    """Granted is burnt, expired, voided and left; no grant is overdrawn; the entries have no gap."""
    numbers = Entry.objects.for_org(organization).order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))
    found = period_credits(organization.pk)
    if found is None:
        return
    burnt = burnt_of(organization)
    for one in found.grants:
        assert 0 <= one.burnt + one.burnt_before <= one.credits
        assert one.credits == one.burnt + one.burnt_before + one.expired + one.voided + one.left
    total = sum(amount for source, amount in burnt.items() if source)
    assert total == found.burnt
    assert burnt.get(None, 0) == found.beyond
    grants = Grant.objects.for_org(organization).with_left(organization.pk)
    assert sum(one.credits - one.left for one in grants) == total
    assert sum(one.credits for one in found.grants if one.is_free) == 40
    assert found.until == DECEMBER
