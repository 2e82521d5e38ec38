"""Mirror rows for tests that ask nothing of Stripe."""

import factory
from django.utils import timezone

from billing.models import BillingAccount, Invoice, InvoiceStatus, OperationKind, StripeOperation
from tests.factories import OrganizationFactory


class BillingAccountFactory(factory.django.DjangoModelFactory[BillingAccount]):
    class Meta:
        model = BillingAccount

    organization = factory.SubFactory(OrganizationFactory)
    stripe_customer_id = factory.Sequence(lambda n: f"cus_test{n}")
    synced_at = factory.LazyFunction(timezone.now)


class InvoiceFactory(factory.django.DjangoModelFactory[Invoice]):
    """A paid invoice of $75.00."""

    class Meta:
        model = Invoice

    organization = factory.SubFactory(OrganizationFactory)
    stripe_id = factory.Sequence(lambda n: f"in_test{n}")
    number = factory.Sequence(lambda n: f"TEST-{n:04}")
    status = InvoiceStatus.PAID
    currency = "usd"
    subtotal = total = amount_due = amount_paid = 7500
    created_at = factory.LazyFunction(timezone.now)
    pdf_url = "https://pay.stripe.test/invoice.pdf"
    fetched_seq = 1
    synced_at = factory.LazyFunction(timezone.now)


class CardSetupFactory(factory.django.DjangoModelFactory[StripeOperation]):
    """A card set-up that waits for its person at Stripe's page."""

    class Meta:
        model = StripeOperation

    organization = factory.SubFactory(OrganizationFactory)
    kind = OperationKind.SET_UP_CARD
    state = "waiting"
    params = {"customer": "cus_test"}
    idempotency_key = factory.Sequence(lambda n: f"key-{n}")
    stripe_id = factory.Sequence(lambda n: f"cs_test{n}")
    actor_name = "Somebody"
