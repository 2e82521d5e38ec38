"""One organization with a person in every role, a foreign one full of canaries, a stranger, and staff."""

import re
import time
import uuid
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.test import Client

from orgs.checks import Route
from orgs.models import Membership, Organization, User
from orgs.policy import Role
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

CANARY = "CANARY-b7d1"
PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")


def signed_in(user: User) -> Client:
    """A client in which a person has just signed in with the password."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


@dataclass(frozen=True)
class World:
    organization: Organization
    memberships: dict[Role, Membership]
    clients: dict[Role, Client]
    foreign: Organization
    foreign_admin: Membership
    stranger: Client
    staff: Client
    staff_without_second_factor: Client
    own_ids: dict[str, object]
    foreign_ids: dict[str, object]

    def own_url(self, name: str) -> str:
        return f"/orgs/{self.organization.slug}/" + {"audit_log": "settings/audit/"}[name]

    def url(self, route: Route, *, slug: str | None = None, foreign: bool = False) -> str:
        """The address of a route in this world; ``foreign``: with the other organization's ids in it."""
        ids = {**(self.foreign_ids if foreign else self.own_ids), "slug": slug or self.organization.slug}

        def value(match: re.Match[str]) -> str:
            return str(ids.get(match[1] or match[2], "x"))

        path = PARAMETER.sub(value, route.path)
        return "/" + re.sub(r"[\^$\\]|\.\*", "", path)


def build_world() -> World:
    organization = OrganizationFactory(slug="own")
    memberships = {role: MembershipFactory(organization=organization, role=role) for role in Role}
    other = MembershipFactory(organization=organization, role=Role.MEMBER)
    foreign = OrganizationFactory(slug="foreign", name=f"{CANARY} organization")
    foreign_admin = MembershipFactory(
        organization=foreign,
        role=Role.ADMIN,
        user=UserFactory(name=f"{CANARY} admin", email=f"{CANARY}@f.test".lower()),
    )
    foreign_member = MembershipFactory(organization=foreign, user=UserFactory(name=f"{CANARY} member"))
    staff, unprotected = (UserFactory(is_staff=True, is_superuser=True) for _ in range(2))
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={"secret": "x"})
    return World(
        organization=organization,
        memberships=memberships,
        clients={role: signed_in(membership.user) for role, membership in memberships.items()},
        foreign=foreign,
        foreign_admin=foreign_admin,
        stranger=signed_in(MembershipFactory().user),
        staff=signed_in(staff),
        staff_without_second_factor=signed_in(unprotected),
        own_ids={"membership_id": other.pk},
        foreign_ids={"membership_id": foreign_member.pk, "key": "x", "pk": uuid.uuid4()},
    )
