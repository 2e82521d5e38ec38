"""One organization with a person in every role, a foreign one full of canaries, a stranger, and staff.

``staff``: with the role support; it and ``billing_support`` have a session open.
"""

import re
import time
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.services import Actor, record
from orgs.actions import ORGANIZATION_RENAMED
from orgs.checks import Route
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import Role, StaffRole
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    PaymentLinkFactory,
    PaymentMethodFactory,
    PurchaseFactory,
    SubscriptionFactory,
)
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.hooks.factories import DeliveryFactory, EndpointFactory
from tests.invitations.factories import InvitationFactory
from tests.programs.factories import ConnectionFactory, DeviceRequestFactory
from tests.support.factories import staff_member, with_session
from tests.teams.factories import TeamFactory, TeamMembershipFactory
from tests.tokens.factories import AccessTokenFactory
from usage.models import Stack
from usage.readings import HourlyReading
from usage.services import record_counts

CANARY = "CANARY-b7d1"
PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")


def signed_in(user: User, *, ago: timedelta = timedelta()) -> Client:
    """A client in which a person has signed in with the password: just now, or some time ago.

    The session is written as signing in leaves it: Django's `force_login` takes four times as long.
    """
    at = time.time() - ago.total_seconds()
    session = SessionStore()
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            "account_authentication_methods": [{"method": "password", "at": at}],
            "account_authentication_methods_user": str(user.pk),
        }
    )
    session.create()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def staff_with(*roles: StaffRole) -> Client:
    """A client in which support staff with these roles have a session open."""
    user = staff_member(*roles)
    return with_session(signed_in(user), user)


def copy_of(client: Client) -> Client:
    """Another browser with the same cookies, whose requests go through middleware set up already."""
    copy = Client()
    copy.handler = client.handler
    copy.cookies = deepcopy(client.cookies)
    return copy


# Pages whose membership is a billing manager's.
OF_MANAGERS = {"manager_remove", "manager_last_day"}


@dataclass(frozen=True)
class World:
    organization: Organization
    memberships: dict[Role, Membership]
    clients: dict[Role, Client]
    foreign: Organization
    foreign_admin: Membership
    stranger: Client
    staff: Client
    billing_support: Client
    staff_without_session: Client
    staff_without_second_factor: Client
    card_setups: dict[Role, object]
    purchases: dict[Role, object]
    own_ids: dict[str, object]
    foreign_ids: dict[str, object]

    def url(self, route: Route, *, slug: str | None = None, foreign: bool = False) -> str:
        """The address of a route in this world; ``foreign``: with the other organization's ids in it."""
        ids = self.foreign_ids if foreign else self.own_ids
        special = {"membership_id": ids["manager_id"]} if route.name in OF_MANAGERS else {}
        values = {**ids, **special, "slug": slug or self.organization.slug}

        def value(match: re.Match[str]) -> str:
            return str(values.get(match[1] or match[2], "x"))

        path = PARAMETER.sub(value, route.path)
        return "/" + re.sub(r"[\^$\\]|\.\*", "", path)

    def with_fresh_clients(self) -> "World":
        """The same world, seen by browsers that have just come to it."""
        return replace(
            self,
            clients={role: copy_of(client) for role, client in self.clients.items()},
            stranger=copy_of(self.stranger),
            staff=copy_of(self.staff),
            billing_support=copy_of(self.billing_support),
            staff_without_session=copy_of(self.staff_without_session),
            staff_without_second_factor=copy_of(self.staff_without_second_factor),
        )

    def query(self, route: Route, role: Role) -> str:
        """What this role's person has in the address line beside the path."""
        waiting = {"card_return": self.card_setups, "purchase_return": self.purchases}.get(route.name or "")
        return f"?operation={waiting[role]}" if waiting else ""


def build_world() -> World:
    organization, memberships, own_ids = build_organization("own", "Own")
    foreign, foreign_memberships, foreign_ids = build_organization("foreign", CANARY)
    return World(
        organization=organization,
        memberships=memberships,
        clients={role: signed_in(membership.user) for role, membership in memberships.items()},
        foreign=foreign,
        foreign_admin=foreign_memberships[Role.ADMIN],
        stranger=signed_in(MembershipFactory().user),
        staff=staff_with(StaffRole.SUPPORT),
        billing_support=staff_with(StaffRole.BILLING_SUPPORT),
        staff_without_session=signed_in(staff_member(*StaffRole)),
        staff_without_second_factor=signed_in(UserFactory(is_staff=True, is_superuser=True)),
        card_setups={
            role: CardSetupFactory(organization=organization, actor_id=membership.user_id).pk
            for role, membership in memberships.items()
        },
        purchases=purchases_of(organization, memberships),
        own_ids=own_ids,
        foreign_ids=foreign_ids,
    )


def purchases_of(organization: Organization, memberships: dict[Role, Membership]) -> dict[Role, object]:
    """One of each person, all but the last of which were left."""
    return {
        role: PurchaseFactory(
            organization=organization,
            actor_id=membership.user_id,
            state="waiting" if role is Role.BILLING_MANAGER else "failed",
        ).pk
        for role, membership in memberships.items()
    }


def build_organization(
    slug: str, mark: str
) -> tuple[Organization, dict[Role, Membership], dict[str, object]]:
    """An organization with something of everything, and ``mark`` in every text of it."""
    organization = OrganizationFactory(slug=slug, name=f"{mark} organization")

    def join(role: Role, name: str) -> Membership:
        user = UserFactory(name=f"{mark} {name}", email=f"{mark}.{name}@example.test".lower())
        return MembershipFactory(organization=organization, role=role, user=user)

    memberships = {role: join(role, role.value) for role in Role}
    invitation = InvitationFactory(
        organization=organization,
        inviter=memberships[Role.ADMIN],
        email=f"{mark}.invited@example.test".lower(),
        sent_at=timezone.now() - timedelta(days=1),
    )
    InvitationFactory(organization=organization, inviter=memberships[Role.ADMIN], role=Role.MEMBER)
    BillingAccountFactory(
        organization=organization,
        name=f"{mark} account",
        card_brand="visa",
        card_last4="4242",
        tax_ids=[{"id": f"txi_{slug}", "type": "eu_vat", "value": f"{mark}-vat", "status": "verified"}],
    )
    method = PaymentMethodFactory(organization=organization, brand=f"{mark} brand")
    invoice = InvoiceFactory(
        organization=organization,
        number=f"{mark}-0001",
        description=f"{mark} description",
        pdf_url=f"https://pay.stripe.test/{mark}.pdf",
    )
    stack = Stack.objects.create(organization=organization, name=f"{mark} stack")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    record_counts(
        organization_id=organization.pk, counts=[HourlyReading(stack=stack.name, hour=hour, resources=7)]
    )
    with transaction.atomic():
        record(
            ORGANIZATION_RENAMED,
            actor=Actor.person(memberships[Role.ADMIN].user),
            organization=organization,
            old=f"{mark} old",
            new=f"{mark} new",
        )
    other = join(Role.MEMBER, "other")
    AccessRequest.objects.create(
        membership=other, permission="billing.view", asked_at=timezone.now(), mail_at=timezone.now()
    )
    endpoint = EndpointFactory(
        organization=organization, url=f"https://{mark}.hooks.test/".lower(), events=["invoice.paid"]
    )
    team = TeamFactory(organization=organization, name=f"{mark} team", description=f"{mark} purpose")
    TeamMembershipFactory(team=team, membership=other)
    ids: dict[str, object] = {
        "membership_id": other.pk,
        "manager_id": join(Role.BILLING_MANAGER, "other-manager").pk,
        "invitation_id": invitation.pk,
        "invoice_id": invoice.pk,
        "subscription_id": SubscriptionFactory(organization=organization).pk,
        "method_id": method.pk,
        "tax_id": f"txi_{slug}",
        "token_id": AccessTokenFactory(
            organization=organization, name=f"{mark} token", maker_name=f"{mark} maker"
        ).pk,
        "team_id": team.pk,
        "organization_id": organization.pk,
        "user_id": memberships[Role.ADMIN].user_id,
        "role": Role.BILLING_MANAGER.value,
        "link_id": PaymentLinkFactory(organization=organization).pk,
        "endpoint_id": endpoint.pk,
        "connection_id": ConnectionFactory(membership=memberships[Role.ADMIN]).pk,
        "request_id": DeviceRequestFactory().pk,
        "delivery_id": DeliveryFactory(endpoint=endpoint, state="failed", answer=f"{mark} answer").pk,
    }
    return organization, memberships, ids
