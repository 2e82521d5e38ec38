"""What requests ask of the database: few statements, and not one more for more rows.

A page of an organization begins with three: session, person, organization with membership.
"""

import uuid
from datetime import timedelta
from itertools import cycle

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.services import Actor, record
from bench.statements import sent_statements
from billing.gateway import API_VERSION
from billing.models import InvoiceStatus, Subscription
from invitations.claims import mint
from invitations.models import Kind
from invitations.refusals import Reason
from orgs.actions import ROLE_CHANGED
from orgs.checks import all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.start import start_url
from tests.billing.factories import InvoiceFactory
from tests.billing.world import deliver
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept
from tests.sampling import Part, in_parts
from tests.world import World, signed_in
from usage.readings import HourlyReading
from usage.services import record_counts

EVERY_PAGE = 3
A_PAGE = 8
AN_ACCEPTANCE = 16
A_WEBHOOK = 3
MANY = 40

INSIDE = [
    route
    for route in all_routes()
    if "<slug:slug>" in route.path and route.access is not None and route.access.allows("GET")
]
PERSONAL = [
    route for route in all_routes() if route.name in {"organizations", "new_organization", "invitation"}
]


def statements_of(client: Client, url: str) -> int:
    with sent_statements() as statements:
        response = client.get(url)
    # The PDF of an invoice needs Stripe, which isn't there.
    assert response.status_code < 500 or response.status_code == 503
    return len(statements)


def statements_by_page(world: World, part: Part) -> dict[tuple[str, str], int]:
    """Of every page of an organization, and of one's own pages, for each role."""
    return {
        (route.name or route.path, role.value): statements_of(
            client, world.url(route) + world.query(route, role)
        )
        for route in part.of((*INSIDE, *PERSONAL))
        for role, client in world.clients.items()
    }


def add_many_of_everything(world: World) -> None:
    """People of each role, invitations of each kind, invoices in each state, counted stacks, audit events."""
    organization = world.organization
    admin = world.memberships[Role.ADMIN]
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for number, role, status in zip(range(MANY), cycle(Role), cycle(InvoiceStatus.values), strict=False):
        person = MembershipFactory(organization=organization, role=role)
        InvitationFactory(
            organization=organization,
            inviter=person,
            role=role,
            last_error=Reason.OTHER_ADDRESS,
            last_error_by=person.user.email,
            last_error_at=hour,
        )
        InvitationFactory(organization=organization, inviter=admin, role=role, kind=Kind.LINK)
        InvoiceFactory(organization=organization, status=status, created_at=hour - timedelta(days=number))
        InvoiceFactory(organization=organization, status=InvoiceStatus.OPEN)
        with transaction.atomic():
            record(
                ROLE_CHANGED,
                actor=Actor.person(person.user),
                organization=organization,
                target=(uuid.uuid4(), "Somebody"),
                old=Role.MEMBER.value,
                new=Role.ADMIN.value,
            )
        for membership in world.memberships.values():
            elsewhere = OrganizationFactory()
            MembershipFactory(user=membership.user, organization=elsewhere)
            InvitationFactory(organization=OrganizationFactory(), inviter=admin, email=membership.user.email)
    record_counts(
        organization_id=organization.pk,
        counts=[
            HourlyReading(stack=f"stack-{number}", hour=hour - timedelta(days=number % 25), resources=number)
            for number in range(MANY)
        ],
    )


def test_every_page_takes_what_is_said_here(world: World) -> None:
    url = reverse("dashboard", args=[world.organization.slug])
    assert statements_of(world.clients[Role.ADMIN], url) > EVERY_PAGE


@in_parts(12)
def test_a_page_takes_at_most_eight_statements_beyond_what_every_page_takes(part: Part, world: World) -> None:
    taken = statements_by_page(world, part)
    assert {page: count for page, count in taken.items() if count > EVERY_PAGE + A_PAGE} == {}


@in_parts(12)
def test_a_page_takes_no_more_statements_for_more_rows(part: Part, world: World) -> None:
    few = statements_by_page(world, part)
    add_many_of_everything(world)
    many = statements_by_page(world, part)
    assert {page: (few[page], many[page]) for page in few if few[page] < many[page]} == {}


@pytest.mark.parametrize(
    "edition", ["team-growth", "team-pro", "enterprise", "enterprise-growth", "business-critical"]
)
def test_billing_takes_at_most_eight_statements_in_every_edition(world: World, edition: str) -> None:
    Organization.objects.filter(pk=world.organization.pk).update(edition_code=edition, seats=12)
    url = reverse("billing", args=[world.organization.slug])
    assert statements_of(world.clients[Role.ADMIN], url) <= EVERY_PAGE + A_PAGE


def test_choosing_an_edition_takes_at_most_eight_statements(world: World) -> None:
    Subscription.objects.for_org(world.organization).delete()
    url = reverse("purchase", args=[world.organization.slug])
    assert EVERY_PAGE < statements_of(world.clients[Role.ADMIN], url) <= EVERY_PAGE + A_PAGE


@pytest.mark.parametrize("admins", [1, MANY])
@pytest.mark.parametrize("role", list(Role))
def test_accepting_takes_at_most_sixteen_statements_however_many_are_told(
    admin: Membership, role: Role, admins: int
) -> None:
    for _number in range(admins - 1):
        MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, role=role)
    client = signed_in(UserFactory(email=invitation.email))
    client.get(reverse("invitation_token", args=[mint(by_mail(invitation))]))
    with sent_statements() as statements:
        response = accept(client, invitation)
    assert response.headers["Location"] == start_url(admin.organization.slug, role)
    assert len(statements) <= AN_ACCEPTANCE


def test_a_webhook_is_answered_with_at_most_three_statements(db: None) -> None:
    event = {
        "id": "evt_1",
        "type": "invoice.paid",
        "livemode": False,
        "api_version": API_VERSION,
        "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}},
    }
    with sent_statements() as statements:
        assert deliver(event).status_code == 200
    assert 1 <= len(statements) <= A_WEBHOOK
