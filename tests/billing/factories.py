"""Mirror rows for tests that ask nothing of Stripe."""

import uuid
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import factory
from django.utils import timezone

from billing.gateway.records import Address, CreditNote, Document, InvoiceLine, Party, Payment
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    OperationState,
    PaymentLink,
    PaymentMethod,
    StripeOperation,
    Subscription,
)
from billing.models.payment_links import LIFE
from orgs.models import Organization
from tests.factories import OrganizationFactory

ADDRESS = Address(line1="", line2="", postal_code="", city="", state="", country="")
SYNCED = datetime(2026, 11, 1, 8, tzinfo=UTC)


def line(description: str, amount: int, *, quantity: str = "1") -> InvoiceLine:
    return InvoiceLine(
        description=description,
        quantity=quantity,
        unit_amount=str(amount // int(quantity)),
        amount=amount,
        net=amount,
        period_start="2026-10-01",
        period_end="2026-11-01",
        item="",
        price="price_test",
        product="prod_test",
        credits_since="",
    )


def payment(amount: int, **fields: Any) -> Payment:
    """Received from a card, unless ``fields`` say otherwise."""
    received = {
        "status": "paid",
        "kind": "card",
        "brand": "visa",
        "last4": "4242",
        "failure": "",
        "refunded": 0,
        "off_stripe": False,
        "at": "2026-11-01T01:00:00+00:00",
    }
    return Payment(amount=amount, **{**received, **fields})


def credit_note(amount: int, **fields: Any) -> CreditNote:
    """``fields`` say what became of the amount."""
    issued = {
        "number": "TEST-0001-CN-01",
        "day": "2026-11-09",
        "reason": "",
        "memo": "",
        "before_payment": 0,
        "refunded": 0,
        "to_balance": 0,
        "off_stripe": 0,
    }
    return CreditNote(amount=amount, **{**issued, **fields})


def customer_of(organization: Organization) -> str:
    """The organization's customer, where it has one so far."""
    account = None if organization._state.adding else getattr(organization, "billing_account", None)
    return str(account.stripe_customer_id) if account else ""


def document(lines: list[InvoiceLine], **fields: Any) -> dict[str, Any]:
    """As an invoice or a preview keeps it."""
    empty: dict[str, Any] = {
        "discounts": [],
        "taxes": [],
        "shipping": 0,
        "billing_credits": 0,
        "starting_balance": 0,
        "credited_before_payment": 0,
        "overpaid": 0,
        "paid_off_stripe": 0,
        "payments": [],
        "credit_notes": [],
        "issuer": "Northwind Cloud",
        "party": Party(name="Test Company", address=ADDRESS, tax_ids=[]),
        "fields": [],
        "footer": "",
    }
    return asdict(Document(lines=lines, **{**empty, **fields}))


class BillingAccountFactory(factory.django.DjangoModelFactory[BillingAccount]):
    """With a customer and a card that lasts."""

    class Meta:
        model = BillingAccount

    organization = factory.SubFactory(OrganizationFactory)
    stripe_customer_id = factory.Sequence(lambda n: f"cus_test{n}")
    payment_method_id = factory.Sequence(lambda n: f"pm_test{n}")
    payment_method_kind = "card"
    card_brand = "visa"
    card_last4 = "4242"
    card_exp_month = 12
    card_exp_year = 2040
    synced_at = SYNCED


class PaymentMethodFactory(factory.django.DjangoModelFactory[PaymentMethod]):
    """A card that lasts, and pays nothing."""

    class Meta:
        model = PaymentMethod

    organization = factory.SubFactory(OrganizationFactory)
    stripe_id = factory.Sequence(lambda n: f"pm_saved{n}")
    kind = "card"
    brand = "mastercard"
    last4 = "4444"
    exp_month = 12
    exp_year = 2040
    created_at = datetime(2026, 1, 1, tzinfo=UTC)


class SubscriptionFactory(factory.django.DjangoModelFactory[Subscription]):
    """Active, one licensed item: 10 x $20.00, November 2026."""

    class Meta:
        model = Subscription

    organization = factory.SubFactory(OrganizationFactory)
    stripe_id = factory.Sequence(lambda n: f"sub_test{n}")
    status = "active"
    currency = "usd"
    items = factory.LazyFunction(
        lambda: [
            {
                "id": "si_1",
                "price_id": "price_1",
                "lookup_key": "team-pro-seat-monthly",
                "description": "Team Pro seat",
                "quantity": 10,
                "unit_amount": "2000",
                "metered": False,
                "credits": 0,
                "interval": "month",
                "interval_count": 1,
                "period_start": "2026-11-01T00:00:00+00:00",
                "period_end": "2026-12-01T00:00:00+00:00",
            }
        ]
    )
    preview = factory.LazyAttribute(
        lambda row: {
            "missing": "",
            "currency": row.currency,
            "at": "2026-12-01T01:00:00+00:00",
            "total": 20_000,
            "amount_due": 20_000,
            "document": document([line("10 × Team Pro seat (at $20.00 / month)", 20_000, quantity="10")]),
        }
    )
    previewed_at = SYNCED
    period_start = datetime(2026, 11, 1, tzinfo=UTC)
    period_end = datetime(2026, 12, 1, tzinfo=UTC)
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    fetched_seq = 0
    synced_at = SYNCED


class InvoiceFactory(factory.django.DjangoModelFactory[Invoice]):
    """Paid, of $58.25 on one line."""

    class Meta:
        model = Invoice

    organization = factory.SubFactory(OrganizationFactory)
    stripe_id = factory.Sequence(lambda n: f"in_test{n}")
    customer_id = factory.LazyAttribute(lambda row: customer_of(row.organization))
    number = factory.Sequence(lambda n: f"TEST-{n:04}")
    status = InvoiceStatus.PAID
    currency = "usd"
    total = amount_due = 5825
    amount_paid = factory.LazyAttribute(lambda row: row.total if row.status == "paid" else 0)
    amount_remaining = factory.LazyAttribute(lambda row: row.total - row.amount_paid)
    created_at = datetime(2026, 11, 1, tzinfo=UTC)
    issued_at = finalized_at = factory.SelfAttribute("created_at")
    billed_from, billed_until = date(2026, 10, 1), date(2026, 11, 1)
    paid_at = factory.LazyAttribute(lambda row: row.finalized_at if row.status == "paid" else None)
    hosted_url = factory.LazyAttribute(lambda row: f"https://invoice.stripe.test/{row.stripe_id}")
    pdf_url = factory.LazyAttribute(lambda row: f"https://invoice.stripe.test/{row.stripe_id}.pdf")
    document = factory.LazyAttribute(
        lambda row: document(
            [line("On-demand credits", row.total)],
            payments=[payment(row.amount_paid)] if row.amount_paid else [],
        )
    )
    fetched_seq = 0
    synced_at = SYNCED


class CardSetupFactory(factory.django.DjangoModelFactory[StripeOperation]):
    """A card set-up that waits for its person at Stripe's page."""

    class Meta:
        model = StripeOperation

    organization = factory.SubFactory(OrganizationFactory)
    kind = OperationKind.SET_UP_CARD
    state = OperationState.WAITING
    params = {"customer": "cus_test"}
    idempotency_key = factory.Sequence(lambda n: f"portal-test{n}")
    stripe_id = factory.Sequence(lambda n: f"cs_test{n}")
    actor_name = "Somebody"


class PurchaseFactory(CardSetupFactory):
    """A purchase that waits for its person at Stripe's page."""

    kind = OperationKind.START_SUBSCRIPTION
    params = {"edition": "enterprise-growth", "session": {"customer": "cus_test"}}


class PaymentLinkFactory(factory.django.DjangoModelFactory[PaymentLink]):
    """To add a card, unless it has an invoice. Good for a week from now."""

    class Meta:
        model = PaymentLink

    organization = factory.SubFactory(OrganizationFactory)
    maker_id = factory.LazyFunction(uuid.uuid4)
    maker_name = "Somebody"
    expires_at = factory.LazyFunction(lambda: timezone.now() + LIFE)
