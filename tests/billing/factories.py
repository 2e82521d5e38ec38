"""Mirror rows for tests that ask nothing of Stripe."""

from datetime import UTC, datetime

import factory

from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from tests.factories import OrganizationFactory

SYNCED = datetime(2026, 11, 1, 8, tzinfo=UTC)


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
                "interval": "month",
                "interval_count": 1,
            }
        ]
    )
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
    number = factory.Sequence(lambda n: f"TEST-{n:04}")
    status = InvoiceStatus.PAID
    currency = "usd"
    subtotal = total = amount_due = 5825
    amount_paid = factory.LazyAttribute(lambda row: row.total if row.status == "paid" else 0)
    amount_remaining = factory.LazyAttribute(lambda row: row.total - row.amount_paid)
    created_at = finalized_at = period_end = datetime(2026, 11, 1, tzinfo=UTC)
    period_start = datetime(2026, 10, 1, tzinfo=UTC)
    paid_at = factory.LazyAttribute(lambda row: row.finalized_at if row.status == "paid" else None)
    hosted_url = factory.LazyAttribute(lambda row: f"https://invoice.stripe.test/{row.stripe_id}")
    pdf_url = factory.LazyAttribute(lambda row: f"https://invoice.stripe.test/{row.stripe_id}.pdf")
    lines = factory.LazyAttribute(
        lambda row: [
            {
                "description": "On-demand credits",
                "quantity": 1,
                "unit_amount": str(row.total),
                "amount": row.total,
                "period_start": "2026-10-01",
                "period_end": "2026-11-01",
            }
        ]
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
