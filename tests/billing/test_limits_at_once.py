"""Limits compared on real connections, by many at once."""

from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import AuditEvent
from billing.operations.limits import change_limits, check_limits
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


def settled_and_checked(organization: Organization) -> None:
    settle(organization_id=organization.pk, until=NOW)
    with transaction.atomic():
        check_limits(Organization.objects.locked(organization.pk))
