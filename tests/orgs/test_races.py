"""Two people at once, in real transactions. Each of these fails when the organization's lock is taken out."""

import pytest

from orgs import services
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Role
from tests.factories import MembershipFactory, OrganizationFactory
from tests.races import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_last_admins_who_leave_at_once_one_stays(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory()
        admins = [MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2)]
        outcomes = at_once(*(lambda own=own: services.leave(membership=own) for own in admins))
        assert Membership.objects.for_org(organization).admins().count() == 1
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [Refused.__name__, list.__name__]


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_admins_who_demote_each_other_at_once_one_stays(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory()
        first, second = (MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2))
        at_once(
            lambda: services.change_role(actor=first, membership_id=second.pk, role=Role.MEMBER),
            lambda: services.change_role(actor=second, membership_id=first.pk, role=Role.MEMBER),
        )
        assert Membership.objects.for_org(organization).admins().count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_role_changes_for_one_place_one_is_refused(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="team-growth")
        admin = MembershipFactory(organization=organization, role=Role.ADMIN)
        members = [MembershipFactory(organization=organization) for _ in range(2)]
        outcomes = at_once(
            *(
                lambda pk=member.pk: services.change_role(
                    actor=admin, membership_id=pk, role=Role.BILLING_MANAGER
                )
                for member in members
            )
        )
        assert Membership.objects.for_org(organization).billing_managers().count() == 1
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1
