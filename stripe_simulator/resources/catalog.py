"""Products and prices (https://docs.stripe.com/api/products, https://docs.stripe.com/api/prices)."""

from decimal import Decimal
from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, not_simulated
from stripe_simulator.fields import apply
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint(
    "products.create",
    "active description id images marketing_features metadata name shippable statement_descriptor tax_code"
    " type unit_label url",
)
def create_product(simulator: Simulator, params: Json) -> Json:
    if "id" in params and simulator.store.get(params["id"]):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    product = simulator.new(
        "product",
        "prod",
        active=True,
        default_price=None,
        description=None,
        images=[],
        marketing_features=[],
        metadata={},
        name=params["name"],
        package_dimensions=None,
        shippable=None,
        statement_descriptor=None,
        tax_code=None,
        type="service",
        unit_label=None,
        updated=simulator.clock.now(),
        url=None,
    )
    apply(
        product,
        params,
        "id active description images marketing_features shippable statement_descriptor tax_code type"
        " unit_label url",
    )
    simulator.save(product)
    simulator.emit("product.created", product)
    return product


@endpoint("products.list", "active created ids")
def list_products(simulator: Simulator, params: Json) -> Json:
    filters = {"active": params.get("active"), "id": params.get("ids")}
    return page(simulator.store, "product", "/v1/products", params, filters=filters)


@endpoint(
    "prices.create",
    "active currency lookup_key metadata nickname product product_data recurring tax_behavior"
    " transfer_lookup_key unit_amount unit_amount_decimal",
)
def create_price(simulator: Simulator, params: Json) -> Json:
    return make_price(simulator, params)


@endpoint("prices.list", "active created currency lookup_keys product recurring type")
def list_prices(simulator: Simulator, params: Json) -> Json:
    filters = {
        "active": params.get("active"),
        "currency": params.get("currency"),
        "lookup_key": params.get("lookup_keys"),
        "product": params.get("product"),
        "type": params.get("type"),
    }
    for name, value in params.get("recurring", {}).items():
        filters[f"recurring.{name}"] = value
    return page(simulator.store, "price", "/v1/prices", params, filters=filters)


def make_price(simulator: Simulator, params: Json) -> Json:
    """Save a new price, from the parameters of the endpoint or of a `price_data`."""
    if "product_data" in params:
        product = create_product(simulator, params["product_data"])["id"]
    elif "product" in params:
        product = simulator.find("product", params["product"], param="product")["id"]
    else:
        raise StripeError(
            "You must specify either `product` or `product_data` when creating a price.",
            code="parameter_missing",
            param="product",
        )
    price = simulator.new(
        "price",
        "price",
        active=params.get("active", True),
        billing_scheme="per_unit",
        currency=params["currency"].lower(),
        custom_unit_amount=None,
        lookup_key=params.get("lookup_key"),
        metadata=params.get("metadata") or {},
        nickname=params.get("nickname"),
        product=product,
        recurring=_recurring(params.get("recurring")),
        tax_behavior=params.get("tax_behavior", "unspecified"),
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if "recurring" in params else "one_time",
        **_unit_amounts(params),
    )
    _claim_lookup_key(simulator, params)
    simulator.save(price)
    simulator.emit("price.created", price)
    return price


def _recurring(given: Json | None) -> Json | None:
    if given is None:
        return None
    if given.get("usage_type", "licensed") != "licensed" or "meter" in given:
        raise not_simulated("knows licensed prices only", "recurring")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": "licensed",
    }


def _unit_amounts(params: Json) -> Json:
    if ("unit_amount" in params) == ("unit_amount_decimal" in params):
        raise StripeError(
            "You must specify exactly one of `unit_amount` or `unit_amount_decimal`.",
            code="parameter_missing",
            param="unit_amount",
        )
    exact = Decimal(params["unit_amount" if "unit_amount" in params else "unit_amount_decimal"])
    if exact < 0:
        raise StripeError(
            "This value must be greater than or equal to 0.",
            code="parameter_invalid_integer",
            param="unit_amount",
        )
    whole = int(exact) if exact == int(exact) else None
    return {"unit_amount": whole, "unit_amount_decimal": format(exact, "f")}


def _claim_lookup_key(simulator: Simulator, params: Json) -> None:
    key = params.get("lookup_key")
    if not key:
        return
    for owner in simulator.store.select(
        "price", where="AND json_extract(body, '$.lookup_key') = ?", values=(key,)
    ):
        if not params.get("transfer_lookup_key"):
            raise StripeError(
                f"A price (`{owner['id']}`) already uses that lookup key.",
                code="resource_already_exists",
                param="lookup_key",
            )
        simulator.save({**owner, "lookup_key": None}, "price.updated")
