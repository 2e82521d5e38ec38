"""What a quantity of a price costs (https://docs.stripe.com/products-prices/pricing-models)."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from stripe_simulator.money import money, rounded

Json = dict[str, Any]


@dataclass(frozen=True)
class Charge:
    """What becomes one line. Amounts are in minor units."""

    quantity: int
    amount: int
    unit_amount: str | None
    label: str


def charges_of(price: Json, quantity: int) -> list[Charge]:
    """The lines that a whole period costs: one, or one for each tier that the quantity reaches into."""
    if price["billing_scheme"] == "tiered":
        return _tiered(price, quantity)
    unit = Decimal(price["unit_amount_decimal"])
    label = money(unit, price["currency"])
    packages: int | Decimal = quantity
    if price["transform_quantity"]:
        size = price["transform_quantity"]["divide_by"]
        rounding = ROUND_CEILING if price["transform_quantity"]["round"] == "up" else ROUND_FLOOR
        packages = (Decimal(quantity) / size).quantize(Decimal(1), rounding)
        label += f" per {size} units"
    amount = rounded(unit * packages, price["currency"])
    return [Charge(quantity, amount, price["unit_amount_decimal"], label)]


def period_amount(price: Json, quantity: int) -> int:
    return sum(charge.amount for charge in charges_of(price, quantity))


def _tiered(price: Json, quantity: int) -> list[Charge]:
    charges, reached = [], 0
    for number, tier in enumerate(price["simulated"]["tiers"], start=1):
        top = tier["up_to"]
        is_last = top is None or quantity <= top
        if price["tiers_mode"] == "volume":
            if is_last:
                charges = _tier(price, tier, number, quantity)
        else:
            charges += _tier(price, tier, number, (quantity if is_last else top) - reached)
        if is_last:
            break
        reached = top
    return charges


def _tier(price: Json, tier: Json, number: int, quantity: int) -> list[Charge]:
    currency, charges = price["currency"], []
    if tier["unit_amount_decimal"] is not None:
        unit = Decimal(tier["unit_amount_decimal"])
        label = f"Tier {number} at {money(unit, currency)}"
        charges.append(
            Charge(quantity, rounded(unit * quantity, currency), tier["unit_amount_decimal"], label)
        )
    if tier["flat_amount_decimal"] is not None:
        flat = rounded(Decimal(tier["flat_amount_decimal"]), currency)
        label = f"Tier {number}, flat fee of {money(flat, currency)}"
        charges.append(Charge(1 if charges else quantity, flat, tier["flat_amount_decimal"], label))
    return charges
