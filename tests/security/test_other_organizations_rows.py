"""What is read for a page is read for one organization: what others have changes nothing on its pages."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Model
from django.utils import timezone

from audit.services import Actor, record
from billing.models import BillingAccount, InvoiceStatus, PaymentStatus
from billing.selectors import InvoiceFilter, billing_page, credits_page, invoice_list, latest_activity
from billing.selectors.customers import customers_of
from billing.selectors.limits import limits_page
from billing.tasks import settle_credits
from invitations.models import Invitation
from invitations.selectors import billing_managers_panel, members, members_page, pending_invitations
from orgs import compiled
from orgs.actions import SEATS_CHANGED
from orgs.compiled import Compiled
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import Role
from orgs.selectors import latest_memberships, member_count
from support.models import StaffSession, StaffVisit
from support.selectors.organization import organization_page
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    SubscriptionFactory,
)
from tests.factories import MembershipFactory, OrganizationFactory
from tests.hooks.factories import EndpointFactory
from tests.invitations.factories import InvitationFactory
from tests.support.factories import MailFactory, StaffSessionFactory, StripeEventFactory
from tests.tokens.factories import AccessTokenFactory
from tokens.secret import OF_PERSON, digest_of, new_secret
from usage.dashboard import dashboard
from usage.export import export_stacks
from usage.periods import Granularity
from usage.readings import HourlyReading
from usage.selectors import usage_of_days
from usage.services import record_counts
from usage.spans import usual_span
from usage.sums import sums_by

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
# Those of our apps; tests declare some of their own.
OURS = [query for query in compiled.declared if not query.name.startswith("tests.")]
# For workers: it begins with an event of Stripe's, and no page reads it.
COMPILED = [query for query in OURS if query.name != "billing.models.events.due_together"]


@pytest.fixture(autouse=True)
def _short_pages_in_the_middle_of_a_month(monkeypatch: pytest.MonkeyPatch, compiled_anew: None) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr(members, "PEOPLE_PER_PAGE", 2)
    monkeypatch.setattr(sys.modules[invoice_list.__module__], "PAGE_SIZE", 2)


SECRET = new_secret(OF_PERSON)


def fill(organization: Organization, inviter: Membership, *, later: timedelta = timedelta()) -> None:
    """Invoices, people and invitations of four days, each day's some time later than at noon."""
    for days in range(1, 5):
        at = NOW - timedelta(days=days) + later
        status = InvoiceStatus.OPEN if days % 2 else InvoiceStatus.PAID
        failed = {"payment_status": PaymentStatus.FAILED} if days == 1 else {}
        InvoiceFactory(organization=organization, status=status, issued_at=at, created_at=at, **failed)
        for role in (Role.MEMBER, Role.BILLING_MANAGER):
            MembershipFactory(organization=organization, role=role, joined_at=at)
            InvitationFactory(organization=organization, inviter=inviter, role=role, sent_at=at)


def tell_of_seats(actor: Membership) -> None:
    organization = actor.organization
    record(SEATS_CHANGED, actor=Actor.person(actor.user), organization=organization, old=None, new=50)


def count(organization: Organization, *, resources: int, hours_ago: list[int]) -> None:
    hour = NOW.replace(minute=0)
    readings = [
        HourlyReading(
            stack=f"{organization.slug} {stack}", hour=hour - timedelta(hours=ago), resources=resources
        )
        for stack in range(2)
        for ago in hours_ago
    ]
    record_counts(organization_id=organization.pk, counts=readings)


def busy_organization(edition: str, *, with_card: bool) -> tuple[Membership, Membership]:
    """Its first admin and first billing manager; both see and have sent invitations."""
    organization = OrganizationFactory(edition_code=edition, seats=50, managers_manage_managers=True)
    admin, manager = (
        MembershipFactory(organization=organization, role=role, joined_at=NOW - timedelta(days=9))
        for role in (Role.ADMIN, Role.BILLING_MANAGER)
    )
    fill(organization, admin)
    InvitationFactory(organization=organization, inviter=manager, sent_at=NOW - timedelta(days=2))
    if with_card:
        BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, period_end=NOW + timedelta(days=10))
    ask_for_access(manager)
    tell_of_seats(admin)
    work_for(organization)
    be_visited(organization)
    count(organization, resources=5, hours_ago=[2, 3, 40])
    settle_credits()
    return admin, manager


def add_busier_organization(person: Membership) -> None:
    """Another one, to which the person belongs too, with rows before and after each of the first one's."""
    organization = OrganizationFactory(edition_code="team-growth", managers_manage_managers=True)
    again = MembershipFactory(
        organization=organization, user=person.user, role=Role.BILLING_MANAGER, joined_at=NOW
    )
    ask_for_access(again)
    for hours in (-1, 1):
        fill(organization, again, later=timedelta(hours=hours))
    InvitationFactory(email=person.user.email)
    BillingAccountFactory(organization=organization, card_last4="9999", synced_at=NOW)
    SubscriptionFactory(organization=organization, period_end=NOW + timedelta(days=5))
    tell_of_seats(again)
    work_for(organization)
    count(organization, resources=900, hours_ago=[1, 2, 3, 40, 60])
    settle_credits()


def work_for(organization: Organization) -> None:
    """A webhook, an operation and a mail."""
    account = BillingAccount.objects.filter(organization=organization).first()
    StripeEventFactory(customer_id=account.stripe_customer_id if account else "", received_at=NOW)
    CardSetupFactory(organization=organization, actor_id=organization.pk, created_at=NOW)
    MailFactory(organization_id=organization.pk, created_at=NOW)


def be_visited(organization: Organization) -> None:
    """Support staff have opened its page."""
    session = StaffSessionFactory()
    StaffVisit.objects.create(session_id=session.pk, organization_id=organization.pk)


def ask_for_access(membership: Membership) -> None:
    AccessRequest.objects.create(membership=membership, permission="audit.read", asked_at=NOW, mail_at=NOW)


def all_that_is_read(admin: Membership, manager: Membership) -> dict[str, object]:
    """What every page tells these people, page by page."""
    organization = admin.organization
    first = members_page(admin)
    second = members_page(admin, after=first.older)
    newest = invoice_list(organization, InvoiceFilter())
    older = invoice_list(organization, InvoiceFilter(), after=newest.after)
    readers = {"admin": admin, "manager": manager}
    return {
        "dashboard": dashboard(admin, usual_span()),
        "members": first,
        "older members": second,
        "newer members": members_page(admin, before=second.newer),
        "member count": member_count(organization.pk),
        "invoices": newest,
        "older invoices": older,
        "newer invoices": invoice_list(organization, InvoiceFilter(), before=older.before),
        "limits": limits_page(organization),
        "stacks by day": list(export_stacks(organization.pk, usual_span())),
        "resources by day": sums_by(Granularity.DAILY, organization.pk, NOW - timedelta(days=9), NOW.date()),
        "credits": credits_page(organization, opened=NOW.date()),
        "resource hours": usage_of_days(organization.pk, NOW.date() - timedelta(days=9), NOW.date()),
        **{f"billing for {name}": billing_page(reader) for name, reader in readers.items()},
        **{f"activity for {name}": latest_activity(reader) for name, reader in readers.items()},
        **{
            f"standing for {name}": [
                one
                for one in customers_of(reader.user_id, latest_memberships(reader.user_id))
                if one.membership.organization == organization.pk
            ]
            for name, reader in readers.items()
        },
        **{f"managers for {name}": billing_managers_panel(reader) for name, reader in readers.items()},
        "seen by support": organization_page(organization),
        **{
            f"{role.value}s invited by {name}": pending_invitations(reader, role)
            for name, reader in readers.items()
            for role in (Role.MEMBER, Role.BILLING_MANAGER)
        },
    }


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("with_card", [True, False], ids=["card", "no-card"])
@pytest.mark.parametrize("edition", ["team-growth", "team-pro", "enterprise-growth"])
def test_what_another_organization_has_changes_no_page(edition: str, with_card: bool) -> None:
    admin, manager = busy_organization(edition, with_card=with_card)
    alone = all_that_is_read(admin, manager)
    add_busier_organization(manager)
    beside_another = all_that_is_read(admin, manager)
    assert [page for page in alone if alone[page] != beside_another[page]] == []


def values_for(query: Compiled[Any, Any], reader: Membership) -> Iterator[dict[str, object]]:
    """For the parameters of a query, by their names: one set for each role that is asked for."""
    middle = NOW - timedelta(days=2, hours=6)
    known: dict[str, list[object]] = {
        "organization": [reader.organization_id],
        "reader": [reader.pk],
        "sender": [reader.user_id],
        "person": [reader.user_id],
        "invitee": [reader.user_id],
        "inviter": [reader.user_id],
        "digest": [digest_of(SECRET)],
        "email": [reader.user.email],
        "invitation": [Invitation.objects.for_org(reader.organization_id)[0].pk],
        "slug": [reader.organization.slug],
        "role": list(Role),
        "per_seat": [False, True],
        "at": [middle],
        "pk": [UUID(int=0)],
        "oldest": [middle],
        "cutoff": [middle],
        "hour": [NOW.replace(minute=0) - timedelta(hours=2)],
        "start": [NOW.date() - timedelta(days=9)],
        "first": [NOW.date() - timedelta(days=9)],
        "since": [NOW - timedelta(days=900)],
        "until": [NOW + timedelta(days=900)],
        "end": [NOW.date()],
        "last": [NOW.date()],
        "session": [StaffSession.objects.get().pk],
    }
    for values in product(*(known[name] for name in query.parameters)):
        yield dict(zip(query.parameters, values, strict=True))


def comparable(row: Any) -> object:
    """Objects of a model are equal if their keys are, whatever else they and those fetched with them hold."""
    if not isinstance(row, Model):
        return row
    fetched_with = {name: comparable(one) for name, one in row._state.fields_cache.items()}
    return vars(row) | {"_state": fetched_with}


@pytest.mark.django_db
@pytest.mark.parametrize("query", COMPILED, ids=lambda query: query.name)
def test_a_compiled_queryset_asks_for_one_organization_or_person(query: Compiled[Any, Any]) -> None:
    _admin, manager = busy_organization("team-growth", with_card=True)
    for values in values_for(query, manager):
        statement = query.statement_for(tuple(values[name] for name in query.variants))
        # The hash of a secret names one token, and with it an organization; so does an invitation's id. A
        # staff session names its person.
        asked_for = {name for _place, name in statement.places}
        assert {"organization", "person", "digest", "invitation", "session"} & asked_for


@pytest.mark.django_db
@pytest.mark.parametrize("query", COMPILED, ids=lambda query: query.name)
def test_a_compiled_queryset_finds_what_the_queryset_finds(query: Compiled[Any, Any]) -> None:
    _admin, manager = busy_organization("team-growth", with_card=True)
    add_busier_organization(manager)
    AccessTokenFactory(organization=manager.organization, membership=manager, secret=SECRET)
    EndpointFactory(organization=manager.organization)
    found = 0
    for values in values_for(query, manager):
        expected = [row if isinstance(row, Model) else query.row(*row) for row in query.queryset(**values)]
        rows = query(**values)
        assert [comparable(row) for row in rows] == [comparable(row) for row in expected]
        found += len(rows)
    assert found > 0
    assert query.statements


def test_there_are_compiled_querysets() -> None:
    assert len(COMPILED) >= 10
