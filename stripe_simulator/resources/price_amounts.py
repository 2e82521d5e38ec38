"""The amounts, tiers and packages of a price, as its parameters ask for them.

See https://docs.stripe.com/products-prices/pricing-models.
"""

from decimal import Decimal
from typing import Any

from stripe_simulator.errors import StripeError, required
from stripe_simulator.money import THREE_DECIMAL

Json = dict[str, Any]


def amounts_of(params: Json) -> Json:
    """The fields of a price that say what it costs, from the parameters of its creation."""
    is_tiered = params.get("billing_scheme", "per_unit") == "tiered"
    if is_tiered:
        for name in ("tiers", "tiers_mode"):
            if name not in params:
                raise required(name)
        for name in ("unit_amount", "unit_amount_decimal", "transform_quantity"):
            if name in params:
                raise StripeError(f"You cannot use `{name}` with `billing_scheme=tiered`.", param=name)
        return {
            "billing_scheme": "tiered",
            # Stripe shows them only where `tiers` is expanded.
            "simulated": {"tiers": _tiers(params["tiers"], params["currency"].lower())},
            "tiers_mode": params["tiers_mode"],
            "transform_quantity": None,
            "unit_amount": None,
            "unit_amount_decimal": None,
        }
    if "tiers" in params or "tiers_mode" in params:
        raise StripeError("You must set `billing_scheme=tiered` to use tiers.", param="billing_scheme")
    if ("unit_amount" in params) == ("unit_amount_decimal" in params):
        raise StripeError(
            "You must specify exactly one of `unit_amount` or `unit_amount_decimal`.",
            code="parameter_missing",
            param="unit_amount",
        )
    transform = params.get("transform_quantity")
    if transform and transform["divide_by"] < 1:
        raise StripeError("Invalid positive integer", param="transform_quantity[divide_by]")
    return {
        "billing_scheme": "per_unit",
        "tiers_mode": None,
        "transform_quantity": transform,
        **_amount("unit_amount", params, params["currency"].lower(), "unit_amount"),
    }


def _tiers(given: list[Json], currency: str) -> list[Json]:
    tiers, reached = [], 0
    for index, tier in enumerate(given):
        place = f"tiers[{index}]"
        is_last = index == len(given) - 1
        top = tier["up_to"]
        if (top == "inf") != is_last:
            raise StripeError("The last tier, and only it, must be up to `inf`.", param=f"{place}[up_to]")
        if top != "inf" and top <= reached:
            raise StripeError("Tiers must be given in ascending order.", param=f"{place}[up_to]")
        if not {"unit_amount", "unit_amount_decimal", "flat_amount", "flat_amount_decimal"} & set(tier):
            raise required(f"{place}[unit_amount]")
        tiers.append(
            {
                **_amount("flat_amount", tier, currency, place),
                **_amount("unit_amount", tier, currency, place),
                "up_to": None if top == "inf" else top,
            }
        )
        reached = 0 if top == "inf" else top
    return tiers


def _amount(name: str, given: Json, currency: str, param: str) -> Json:
    """An amount in its two forms: whole minor units, or none of them, and exactly."""
    decimal = f"{name}_decimal"
    if name in given and decimal in given:
        raise StripeError(f"You must not specify both `{name}` and `{decimal}`.", param=param)
    if name not in given and decimal not in given:
        return {name: None, decimal: None}
    exact = Decimal(given[name] if name in given else given[decimal])
    if exact < 0:
        raise StripeError(
            "This value must be greater than or equal to 0.", code="parameter_invalid_integer", param=param
        )
    if name in given and currency in THREE_DECIMAL and exact % 10:
        raise StripeError(
            "Invalid amount: in currencies of three decimals the last digit must be 0.", param=param
        )
    whole = int(exact) if exact == int(exact) else None
    return {name: whole, decimal: format(exact, "f")}
