"""Invitations for tests: by mail, for a billing manager, sent by an admin, unless told otherwise."""

import factory

from accounts.models import display_name
from invitations.models import Invitation, Kind
from orgs.policy import Role
from tests.factories import MembershipFactory, OrganizationFactory


class InvitationFactory(factory.django.DjangoModelFactory[Invitation]):
    class Meta:
        model = Invitation

    class Params:
        inviter = factory.LazyAttribute(
            lambda row: MembershipFactory(organization=row.organization, role=Role.ADMIN)
        )

    organization = factory.SubFactory(OrganizationFactory)
    role = Role.BILLING_MANAGER
    kind = Kind.MAIL
    email = factory.Maybe(
        factory.LazyAttribute(lambda row: row.kind == Kind.MAIL),
        factory.Sequence(lambda n: f"invited{n}@example.test"),
        "",
    )
    invited_by = factory.LazyAttribute(lambda row: row.inviter.user)
    invited_by_name = factory.LazyAttribute(lambda row: display_name(row.inviter.user))
