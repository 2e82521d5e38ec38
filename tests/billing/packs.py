"""An organization on a prepaid edition, which buys packs of credits."""

from typing import Any

from django.utils import timezone

from billing.mirror.prices import sync_prices
from billing.models import StripeOperation
from credits.models import Grant
from tests.billing.plans import Customer

EDITION, PACK = "enterprise-growth", "enterprise-growth-credits"
INCLUDED, IN_A_PACK, COST = 12_000_000, 1_000_000, 475_00
PATH = "credits/buy/?packs={}"


def sell_packs(customer: Customer, **terms: Any) -> None:
    """Subscribe to the edition, and let packs be sold."""
    customer.included = {EDITION: INCLUDED}
    customer.buy(EDITION, **terms)
    price_packs(customer)


def price_packs(customer: Customer, *, cost: int = COST) -> None:
    customer.api.prices.create(
        {
            "currency": "usd",
            "unit_amount": cost,
            "lookup_key": PACK,
            "transfer_lookup_key": True,
            "product_data": {"name": f"{IN_A_PACK:,} credits"},
            "metadata": {"credits": str(IN_A_PACK)},
        }
    )
    sync_prices()


def purchase() -> StripeOperation:
    return StripeOperation.objects.filter(kind="buy_credits").latest("created_at")


def bought(customer: Customer) -> list[int]:
    """The credits of what was bought and not taken back, the first first."""
    grants = Grant.objects.for_org(customer.account.organization_id).filter(
        source__startswith="invoice:", voiding=None, effective_at__lte=timezone.now()
    )
    return list(grants.order_by("created_at").values_list("credits", flat=True))
