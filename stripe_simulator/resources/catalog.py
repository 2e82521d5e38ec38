"""Products and prices (https://docs.stripe.com/api/products, https://docs.stripe.com/api/prices)."""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError
from stripe_simulator.fields import apply
from stripe_simulator.paging import page
from stripe_simulator.resources.price_amounts import amounts_of
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

PRODUCT = "active description images marketing_features statement_descriptor tax_code unit_label url"
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
"""How many intervals may lie between two invoices."""


@endpoint("products.create", f"id metadata name shippable type {PRODUCT}")
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
    apply(product, params, f"id shippable type {PRODUCT}")
    simulator.save(product)
    simulator.emit("product.created", product)
    return product


@endpoint("products.retrieve")
def retrieve_product(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("product", identifier)


@endpoint(
    "products.update",
    f"default_price metadata name {PRODUCT}",
)
def update_product(simulator: Simulator, params: Json, identifier: str) -> Json:
    product = simulator.find("product", identifier)
    if "default_price" in params:
        simulator.find("price", params["default_price"], param="default_price")
    apply(product, params, f"default_price name {PRODUCT}")
    product["updated"] = simulator.clock.now()
    return simulator.save(product, "product.updated")


@endpoint("products.list", "active created ids")
def list_products(simulator: Simulator, params: Json) -> Json:
    filters = {"active": params.get("active"), "id": params.get("ids")}
    return page(simulator.store, "product", "/v1/products", params, filters=filters)


@endpoint(
    "prices.create",
    "active billing_scheme currency lookup_key metadata nickname product product_data recurring tax_behavior"
    " tiers tiers_mode transfer_lookup_key transform_quantity unit_amount unit_amount_decimal",
)
def create_price(simulator: Simulator, params: Json) -> Json:
    return make_price(simulator, params)


@endpoint("prices.retrieve")
def retrieve_price(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("price", identifier)


@endpoint("prices.update", "active lookup_key metadata nickname tax_behavior transfer_lookup_key")
def update_price(simulator: Simulator, params: Json, identifier: str) -> Json:
    price = simulator.find("price", identifier)
    _claim_lookup_key(simulator, params, claimant=identifier)
    apply(price, params, "active lookup_key nickname tax_behavior")
    return simulator.save(price, "price.updated")


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
        currency=params["currency"].lower(),
        custom_unit_amount=None,
        lookup_key=params.get("lookup_key"),
        metadata=params.get("metadata") or {},
        nickname=params.get("nickname"),
        product=product,
        recurring=_recurring(simulator, params.get("recurring")),
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if "recurring" in params else "one_time",
        **amounts_of(params),
    )
    _claim_lookup_key(simulator, params)
    simulator.save(price)
    simulator.emit("price.created", price)
    return price


def _recurring(simulator: Simulator, given: Json | None) -> Json | None:
    if given is None:
        return None
    usage_type = given.get("usage_type", "licensed")
    count = given.get("interval_count", 1)
    if not 1 <= count <= LONGEST[given["interval"]]:
        raise StripeError(
            f"Invalid interval_count: a price can recur every 1 to {LONGEST[given['interval']]} "
            f"{given['interval']}s, at most three years apart.",
            param="recurring[interval_count]",
        )
    if (usage_type == "metered") != ("meter" in given):
        raise StripeError(
            "Prices with usage_type=metered must be backed by a meter, and only those.",
            param="recurring[meter]",
        )
    if "meter" in given:
        simulator.find("billing.meter", given["meter"], param="recurring[meter]")
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": given.get("meter"),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": usage_type,
    }


def _claim_lookup_key(simulator: Simulator, params: Json, *, claimant: str | None = None) -> None:
    key = params.get("lookup_key")
    if not key:
        return
    for owner in simulator.store.select(
        "price", where="AND json_extract(body, '$.lookup_key') = ?", values=(key,)
    ):
        if owner["id"] == claimant:
            continue
        if not params.get("transfer_lookup_key"):
            raise StripeError(
                f"A price (`{owner['id']}`) already uses that lookup key.",
                code="resource_already_exists",
                param="lookup_key",
            )
        simulator.save({**owner, "lookup_key": None}, "price.updated")
