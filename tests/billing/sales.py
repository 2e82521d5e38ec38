"""What tests of purchases share: the editions' prices at Stripe, and a person who buys one."""

import uuid

from billing.mirror.prices import sync_prices
from billing.models import Price, StripeOperation
from billing.operations.purchases import start_purchase
from orgs.models import Membership
from tests.billing.world import VISA, StripeWorld, operation_in

GROWTH = "enterprise-growth"
AMOUNTS = {
    "team-growth-monthly": (0, "month"),
    "enterprise-growth-yearly": (6_000_00, "year"),
    "business-critical-yearly": (15_000_00, "year"),
}


def put_up_for_sale(stripe: StripeWorld, **amounts: int) -> None:
    """Make the prices of the editions that are sold, and let the portal know of them."""
    price_at_stripe(stripe, **amounts)
    sync_prices()


def price_at_stripe(stripe: StripeWorld, **amounts: int) -> None:
    """The portal doesn't hear of it."""
    product = stripe.api.products.create({"name": "Editions"})
    for key, (amount, interval) in AMOUNTS.items():
        stripe.api.prices.create(
            {
                "currency": "usd",
                "unit_amount": amounts.get(key.replace("-", "_"), amount),
                "lookup_key": key,
                "transfer_lookup_key": True,
                "recurring": {"interval": interval},
                "product": product.id,
            }
        )


def price_id(edition_code: str = GROWTH) -> str:
    """The id of the price of an edition, as the pages show it."""
    return Price.objects.get(lookup_key__startswith=edition_code).stripe_id


def buy(actor: Membership, edition_code: str = GROWTH) -> str:
    """Press the button. Returns the address of Stripe's page."""
    return start_purchase(actor=actor, edition_code=edition_code, shown_price=price_id(edition_code))


def paid_at_stripe(stripe: StripeWorld, actor: Membership, number: str = VISA) -> uuid.UUID:
    """Buy and pay; returns the operation, of which the portal knows nothing yet."""
    return uuid.UUID(operation_in(stripe.control.enter_card(buy(actor), number=number)))


def purchase_of(organization_id: uuid.UUID) -> StripeOperation:
    return StripeOperation.objects.for_org(organization_id).get(kind="start_subscription")
