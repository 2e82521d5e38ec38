"""When a period begins, what it brings, and what it ends."""

from datetime import timedelta

import pytest

from credits.models import Grant, GrantKind, Ledger, Period, Voiding
from credits.services.periods import follow_terms, stop_counting
from orgs.models import Organization
from tests.credits.conftest import SetClock
from tests.credits.months import DAY, DECEMBER, NOVEMBER, NOW, OCTOBER, grant, terms
from tests.factories import OrganizationFactory
from tests.races import at_once

YEARLY = {"edition_code": "enterprise-growth", "kind": GrantKind.PAID, "credits": 1200}


def follow(organization: Organization, **fields: object) -> Period | None:
    return follow_terms(organization_id=organization.pk, terms=terms(**fields))  # type: ignore[arg-type]


def grants(organization: Organization) -> list[tuple[str, int, object, object]]:
    found = Grant.objects.for_org(organization).order_by("effective_at")
    return [(one.kind, one.credits, one.effective_at, one.expires_at) for one in found]


def test_the_same_terms_again_bring_nothing(organization: Organization) -> None:
    assert follow(organization)
    assert not any(follow(organization) for _again in range(3))
    assert grants(organization) == [("promotional", 150_000, NOVEMBER, DECEMBER)]


def test_the_next_period_begins_when_the_subscription_says(organization: Organization) -> None:
    follow(organization, since=OCTOBER, until=NOVEMBER)
    follow(organization)
    assert [grant[2] for grant in grants(organization)] == [OCTOBER, NOVEMBER]
    assert not Voiding.objects.exists()


def test_a_period_that_begins_earlier_than_the_last_was_to_end_voids_what_was_free(
    organization: Organization,
) -> None:
    follow(organization)
    follow(organization, since=NOW - DAY, until=NOW + 30 * DAY)
    voiding = Voiding.objects.get()
    assert (voiding.grant.effective_at, voiding.voided_at) == (NOVEMBER, NOW - DAY)


def test_promotional_credits_of_their_own_term_stay(organization: Organization) -> None:
    follow(organization)
    grant(organization, 5, kind=GrantKind.PROMOTIONAL)
    follow(organization, since=NOW - DAY, until=NOW + 30 * DAY)
    assert Voiding.objects.get().grant.credits == 150_000


def test_other_terms_and_none_are_settled_at_once(organization: Organization) -> None:
    """So that a stop at a limit ends with what it was about."""
    for change in (follow, stop):
        Ledger.objects.locked(organization.pk)
        Ledger.objects.update(next_attempt_at=DECEMBER + 1000 * DAY)
        assert change(organization)
        assert Ledger.objects.due().exists()


def stop(organization: Organization) -> Period | None:
    return stop_counting(organization_id=organization.pk, edition_code="team-pro")


def test_what_an_edition_gives_for_free_changes_with_the_next_period(organization: Organization) -> None:
    follow(organization)
    assert follow(organization, credits=100_000) is None


def test_what_was_paid_stays_until_it_expires(organization: Organization) -> None:
    follow(organization, until=NOVEMBER + 365 * DAY, **YEARLY)
    follow(organization, since=NOW - DAY, until=NOW + 30 * DAY)
    assert not Voiding.objects.exists()


def test_a_calendar_month_waits_until_the_subscriptions_period_is_over(
    organization: Organization, set_clock: SetClock
) -> None:
    follow(organization, since=OCTOBER + 13 * DAY, until=NOVEMBER + 25 * DAY)
    calendar = {"since": NOVEMBER, "until": DECEMBER, "is_exact": False}
    assert follow(organization, **calendar) is None
    set_clock(NOVEMBER + 26 * DAY)
    period = follow(organization, **calendar)
    assert period is not None
    assert (period.starts_at, period.ends_at) == (NOVEMBER + 25 * DAY, DECEMBER)


def test_terms_that_change_within_a_period_begin_now(organization: Organization) -> None:
    follow(organization, edition_code="other", credits=7)
    period = follow(organization)
    assert period is not None
    assert (period.starts_at, period.ends_at) == (NOW, DECEMBER)
    assert Voiding.objects.get().voided_at == NOW


def test_more_prepaid_credits_within_a_period_come_for_the_time_that_is_left(
    organization: Organization, set_clock: SetClock
) -> None:
    until = NOVEMBER + 100 * DAY
    follow(organization, until=until, **YEARLY)
    set_clock(NOVEMBER + 75 * DAY)
    follow(organization, until=until, **{**YEARLY, "credits": 2000})
    assert [grant[1] for grant in grants(organization)] == [1200, 200]
    set_clock(NOVEMBER + 80 * DAY)
    follow(organization, until=until, **{**YEARLY, "credits": 1000})
    assert [grant[1] for grant in grants(organization)] == [1200, 200]
    assert not Voiding.objects.exists()


def test_terms_that_are_not_known_begin_nothing(organization: Organization) -> None:
    assert follow(organization, credits=None) is None
    assert not Period.objects.exists()


def test_a_new_period_makes_the_ledger_due(organization: Organization) -> None:
    follow(organization, since=OCTOBER, until=NOVEMBER)
    Ledger.objects.update(next_attempt_at=NOW + timedelta(days=900))
    follow(organization)
    assert Ledger.objects.due().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_follow_at_once_grant_once() -> None:
    organization = OrganizationFactory()
    assert [outcome for outcome in at_once(*[lambda: follow(organization)] * 4) if outcome is not None]
    assert len(grants(organization)) == 1
