"""Teams for tests, without people unless told otherwise."""

import factory

from teams.models import Team, TeamMembership, name_key
from tests.factories import MembershipFactory, OrganizationFactory


class TeamFactory(factory.django.DjangoModelFactory[Team]):
    class Meta:
        model = Team

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Team {n}")
    name_key = factory.LazyAttribute(lambda row: name_key(row.name))


class TeamMembershipFactory(factory.django.DjangoModelFactory[TeamMembership]):
    class Meta:
        model = TeamMembership

    team = factory.SubFactory(TeamFactory)
    membership = factory.LazyAttribute(lambda row: MembershipFactory(organization=row.team.organization))
