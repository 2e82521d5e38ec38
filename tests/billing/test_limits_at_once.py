"""Limits compared on real connections, by many at once."""

from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from billing import tasks
from billing.operations.limits import change_limits, check_limits
from credits.models import Ledger
from credits.services.grants import grant_bought
from credits.services.periods import follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from orgs.policy import Role
from orgs.services import Change
from outbox.models import OutgoingEmail
from tests.credits.months import NOVEMBER, NOW, count, terms
from tests.factories import MembershipFactory, OrganizationFactory
from tests.races import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_many_workers_and_a_person_tell_each_threshold_once(
    rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="team-growth")
        manager = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
        follow_terms(organization_id=organization.pk, terms=terms(credits=100))
        count(organization, {NOVEMBER: 100})
        stop = partial(change_limits, actor=manager, changes={"usage_stops": Change(False, True)})
        work = partial(settled_and_checked, organization)
        outcomes = at_once(work, work, stop, work, work)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        work()

        assert OutgoingEmail.objects.filter(to=manager.user.email).count() == 1
        acts = AuditEvent.objects.filter(organization_id=organization.pk).values_list("action", flat=True)
        assert sorted(acts) == ["usage.stop_changed", "usage.stopped", "usage.threshold_reached"]
        organization.refresh_from_db()
        assert organization.usage_stopped_at == NOW


def test_credits_bought_at_the_end_of_a_settling_are_not_left_to_the_next_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    organization = OrganizationFactory(edition_code="team-growth", usage_stops=True)
    follow_terms(organization_id=organization.pk, terms=terms(credits=100))
    count(organization, {NOVEMBER: 100})
    buy = partial(grant_bought, organization_id=organization.pk, source="x", amount=50, paid_at=NOW)
    purchase = Thread(target=lambda: (buy(), connection.close()))

    def buys_before_the_release(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith('UPDATE "credits_ledger"') and '"error"' in sql:
            purchase.start()
            purchase.join(timeout=0.3)
        return execute(sql, *arguments)

    with connection.execute_wrapper(buys_before_the_release):
        tasks.settle_credits()
    purchase.join()
    assert Ledger.objects.due().filter(organization=organization).exists()
    tasks.settle_credits()
    organization.refresh_from_db()
    assert organization.usage_stopped_at is None


def settled_and_checked(organization: Organization) -> None:
    settle(organization_id=organization.pk, until=NOW)
    with transaction.atomic():
        check_limits(Organization.objects.locked(organization.pk))
