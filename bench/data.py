"""The measured organization, and others around it."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from audit.services import Actor, record
from bench.simulator import StripeCustomer
from billing.gateway.records import Document, InvoiceLine, Payment
from billing.models import BillingAccount, Invoice, InvoiceStatus, Subscription
from invitations.models import Invitation, Kind
from orgs.actions import ROLE_CHANGED
from orgs.models import Membership, Organization
from orgs.policy import Role
from usage.readings import HourlyReading
from usage.services import record_counts

PEOPLE, ADMINS, MANAGERS, PENDING = 100, 3, 3, 4
STACKS, DAYS, INVOICES, AUDIT_EVENTS = 14, 45, 200, 300
SMALL, LARGE, HUGE = 10, 1_000, 10_000
BOOKKEEPERS = 100
# Postgres takes 65,535 values in a statement.
BATCH = 1_000
OTHERS, THEIR_PEOPLE, THEIR_STACKS, THEIR_DAYS, THEIR_INVOICES = 40, 12, 5, 10, 25


@dataclass(frozen=True)
class Data:
    """``admin`` asks for the pages; ``invitee`` has an account and a proven address, and is no member yet.

    ``by_size``: organizations of so many people and invoices, and an admin of each. ``by_managers``: those of
    so many billing managers. ``visitors`` belong to so many organizations, ``admin`` to one.
    """

    organization: Organization
    admin: User
    invitee: User
    by_size: dict[int, tuple[Organization, User]]
    by_managers: dict[int, tuple[Organization, User]]
    visitors: dict[int, User]
    customer: StripeCustomer


def load(customer: StripeCustomer) -> Data:
    for number in range(OTHERS):
        other = organization_with(
            f"other-{number}", f"cus_other{number}", people=THEIR_PEOPLE, invoices=THEIR_INVOICES
        )
        _count(other, stacks=THEIR_STACKS, days=THEIR_DAYS)
    organization = organization_with("measured", customer.id, people=PEOPLE, invoices=INVOICES)
    Invoice.objects.filter(stripe_id=f"in_{customer.id}_0").update(stripe_id=customer.invoice_id)
    Subscription.objects.filter(stripe_id=f"sub_{customer.id}").update(stripe_id=customer.subscription_id)
    _count(organization, stacks=STACKS, days=DAYS)
    admin = first_admin(organization)
    _audit(organization, admin)
    (invitee,) = people_named("invitee", 1)
    by_size = {}
    for size in (SMALL, LARGE, HUGE):
        of_size = organization_with(f"people-{size}", f"cus_{size}", people=size, invoices=size)
        by_size[size] = (of_size, first_admin(of_size))
    by_managers = {}
    for size in (SMALL, HUGE):
        managed = organization_with(
            f"managers-{size}", f"cus_managers{size}", people=SMALL, invoices=SMALL, managers=size
        )
        by_managers[size] = (managed, first_admin(managed))
    visitors = {size: _visitor(size) for size in (SMALL, BOOKKEEPERS, HUGE)}
    with connection.cursor() as cursor:
        # As autovacuum leaves the tables.
        cursor.execute("VACUUM ANALYZE")
    return Data(
        organization=organization,
        admin=admin,
        invitee=invitee,
        by_size=by_size,
        by_managers=by_managers,
        visitors=visitors,
        customer=customer,
    )


def first_admin(organization: Organization) -> User:
    admins = Membership.objects.for_org(organization).admins().select_related("user")
    return admins.order_by("joined_at")[0].user


def _visitor(organizations: int) -> User:
    """Somebody who belongs to so many organizations, each with a subscription."""
    (visitor,) = people_named(f"visitor-{organizations}", 1)
    now = timezone.now()
    visited = Organization.objects.bulk_create(
        Organization(
            name=f"Visited {number}",
            slug=f"visited-{organizations}-{number}",
            edition_code="team-growth",
        )
        for number in range(organizations)
    )
    Membership.objects.bulk_create(
        Membership(organization=organization, user=visitor, role=Role.ADMIN) for organization in visited
    )
    customers = [(organization, f"cus_{organization.slug}") for organization in visited]
    BillingAccount.objects.bulk_create((_account(*one, now) for one in customers), batch_size=BATCH)
    Subscription.objects.bulk_create((_subscription(*one, now) for one in customers), batch_size=BATCH)
    return visitor


def organization_with(
    slug: str, customer: str, *, people: int, invoices: int, managers: int = MANAGERS
) -> Organization:
    """An organization with people in every role, pending invitations, a card, a subscription and invoices."""
    organization = Organization.objects.create(name=slug.title(), slug=slug, edition_code="enterprise-growth")
    now = timezone.now()
    users = people_named(slug, people + managers)
    roles = [Role.ADMIN] * ADMINS + [Role.MEMBER] * (people - ADMINS) + [Role.BILLING_MANAGER] * managers
    Membership.objects.bulk_create(
        Membership(organization=organization, user=user, role=role, joined_at=now - timedelta(hours=number))
        for number, (user, role) in enumerate(zip(users, roles, strict=True))
    )
    Invitation.objects.bulk_create(
        Invitation(
            organization=organization,
            kind=Kind.MAIL,
            role=role,
            email=f"{role.value}{number}@{slug}.test",
            invited_by=users[0],
            invited_by_name=users[0].name,
            sent_at=now - timedelta(days=number),
        )
        for role in (Role.MEMBER, Role.BILLING_MANAGER)
        for number in range(PENDING)
    )
    _account(organization, customer, now).save()
    _subscription(organization, customer, now).save()
    _invoices(organization, customer, now, invoices)
    return organization


def people_named(prefix: str, count: int) -> list[User]:
    users = User.objects.bulk_create(
        User(name=f"{prefix.title()} person {number}", email=f"person{number}@{prefix}.test")
        for number in range(count)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, primary=True, verified=True) for user in users
    )
    return users


def _account(organization: Organization, customer: str, now: datetime) -> BillingAccount:
    return BillingAccount(
        organization=organization,
        stripe_customer_id=customer,
        name=f"{organization.name} Inc.",
        email=f"invoices@{organization.slug}.test",
        payment_method_id="pm_1",
        payment_method_kind="card",
        card_brand="visa",
        card_last4="4242",
        card_exp_month=12,
        card_exp_year=now.year + 3,
        synced_at=now,
    )


def _subscription(organization: Organization, customer: str, now: datetime) -> Subscription:
    return Subscription(
        organization=organization,
        stripe_id=f"sub_{customer}",
        status="active",
        currency="usd",
        items=[
            {
                "id": "si_1",
                "price_id": "price_1",
                "lookup_key": "enterprise-growth-yearly",
                "description": "Enterprise Growth",
                "quantity": 1_000_000,
                "unit_amount": "0.05",
                "metered": False,
                "interval": "year",
                "interval_count": 1,
                "period_start": (now - timedelta(days=40)).isoformat(),
                "period_end": (now + timedelta(days=325)).isoformat(),
            }
        ],
        preview={
            "missing": "",
            "currency": "usd",
            "at": (now + timedelta(days=325)).isoformat(),
            "total": 50_000,
            "amount_due": 50_000,
            "document": _document(lines=1, paid=0),
        },
        previewed_at=now,
        period_start=now - timedelta(days=40),
        period_end=now + timedelta(days=325),
        created_at=now - timedelta(days=40),
        fetched_seq=1,
        synced_at=now,
    )


def _invoices(organization: Organization, customer: str, now: datetime, count: int) -> None:
    """All paid but the latest, which is open."""
    documents = [_document(lines=3, paid=paid) for paid in (0, 150_000)]
    Invoice.objects.bulk_create(
        Invoice(
            organization=organization,
            stripe_id=f"in_{customer}_{number}",
            customer_id=customer,
            number=f"{organization.slug.upper()}-{number:04}",
            status=InvoiceStatus.PAID if number else InvoiceStatus.OPEN,
            currency="usd",
            total=150_000,
            amount_due=150_000,
            amount_paid=150_000 if number else 0,
            amount_remaining=0 if number else 150_000,
            created_at=now - timedelta(hours=number),
            issued_at=now - timedelta(days=7 * number),
            finalized_at=now - timedelta(days=7 * number),
            due_at=now + timedelta(days=30 - 7 * number),
            paid_at=now - timedelta(days=7 * number) if number else None,
            billed_from=(now - timedelta(days=7 * number + 7)).date(),
            billed_until=(now - timedelta(days=7 * number)).date(),
            hosted_url="https://invoice.stripe.com/i/measured",
            pdf_url="https://pay.stripe.com/invoice/measured/pdf",
            document=documents[bool(number)],
            fetched_seq=1,
            synced_at=now,
        )
        for number in range(count)
    )


def _document(*, lines: int, paid: int) -> dict[str, Any]:
    """As an invoice keeps it: so many lines of $500.00, and a payment by card."""
    line = InvoiceLine(
        description="1,000,000 × Enterprise Growth credits",
        quantity="1000000",
        unit_amount="0.05",
        amount=50_000,
        net=50_000,
        period_start="2026-10-01",
        period_end="2026-11-01",
        item="",
        price="price_bench",
        product="prod_bench",
        credits_since="",
    )
    payment = Payment(
        status="paid",
        amount=paid,
        kind="card",
        brand="visa",
        last4="4242",
        failure="",
        refunded=0,
        off_stripe=False,
        at="2026-11-01T01:00:00+00:00",
    )
    return asdict(
        Document(
            lines=[line] * lines,
            discounts=[],
            taxes=[],
            shipping=0,
            billing_credits=0,
            starting_balance=0,
            credited_before_payment=0,
            overpaid=0,
            paid_off_stripe=0,
            payments=[payment] if paid else [],
            credit_notes=[],
            issuer="Northwind Cloud",
            party=["Measured"],
            fields=[],
            footer="",
        )
    )


def _count(organization: Organization, *, stacks: int, days: int) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    record_counts(
        organization_id=organization.pk,
        counts=[
            HourlyReading(
                stack=f"stack-{stack}", hour=hour - timedelta(hours=ago), resources=40 + 90 * stack + ago % 7
            )
            for stack in range(stacks)
            for ago in range(24 * days)
        ],
    )


@transaction.atomic
def _audit(organization: Organization, admin: User) -> None:
    for _number in range(AUDIT_EVENTS):
        record(
            ROLE_CHANGED,
            actor=Actor.person(admin),
            organization=organization,
            target=(uuid.uuid4(), "Somebody"),
            old=Role.MEMBER.value,
            new=Role.ADMIN.value,
        )
