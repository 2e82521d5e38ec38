"""Customers (https://docs.stripe.com/api/customers)."""

import re
import secrets
import string
from typing import Any

from stripe_simulator.collection import stop_collecting
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError
from stripe_simulator.fields import apply, emptied, full_address
from stripe_simulator.frozen_time import KIND
from stripe_simulator.paging import page
from stripe_simulator.resources.payment_methods import attach_named
from stripe_simulator.resources.tax_ids import add_tax_id
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import require_source
from stripe_simulator.subscribing import end_subscription

Json = dict[str, Any]

PREFIX = re.compile(r"[A-Z0-9]{3,12}")
COMMON = (
    "address business_name description email individual_name invoice_prefix invoice_settings metadata name"
    " next_invoice_sequence phone preferred_locales shipping tax_exempt"
)
PLAIN = (
    "business_name description email individual_name invoice_prefix name next_invoice_sequence phone"
    " tax_exempt"
)


CUSTOM_FIELDS, CUSTOM_FIELD_NAME, CUSTOM_FIELD_VALUE = 4, 40, 140
"""How many a customer may have, and how many characters a name and a value."""


@endpoint("customers.create", f"{COMMON} payment_method tax_id_data test_clock")
def create(simulator: Simulator, params: Json) -> Json:
    prefix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8))
    customer = simulator.new(
        "customer",
        "cus",
        address=None,
        balance=0,
        balances={},
        currency=None,
        customer_account=None,
        default_source=None,
        delinquent=False,
        description=None,
        discount=None,
        email=None,
        invoice_prefix=prefix,
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        metadata={},
        name=None,
        next_invoice_sequence=1,
        phone=None,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        test_clock=params.get("test_clock"),
    )
    customer["id"] = customer["id"][:18]
    if "test_clock" in params:
        simulator.find(KIND, params["test_clock"], param="test_clock")
    if "payment_method" in params:
        given = params["payment_method"]
        method = attach_named(simulator, given, customer["id"], param="payment_method")["id"]
        settings = params.get("invoice_settings", {})
        if settings.get("default_payment_method") == given:
            params["invoice_settings"] = {**settings, "default_payment_method": method}
    _change(simulator, customer, params)
    simulator.save(customer)
    simulator.emit("customer.created", customer)
    for tax_id in params.get("tax_id_data", []):
        add_tax_id(simulator, customer["id"], tax_id)
    return customer


@endpoint("customers.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    found = simulator.store.get(identifier)
    if found and found["object"] == "customer" and found.get("deleted"):
        return found
    return simulator.find("customer", identifier)


@endpoint("customers.update", f"{COMMON} default_source")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    customer = simulator.find("customer", identifier)
    _change(simulator, customer, params)
    return simulator.save(customer, "customer.updated")


@endpoint("customers.list", "email created")
def list_customers(simulator: Simulator, params: Json) -> Json:
    return page(simulator.store, "customer", "/v1/customers", params, filters={"email": params.get("email")})


@endpoint("customers.delete")
def delete(simulator: Simulator, _params: Json, identifier: str) -> Json:
    customer = simulator.find("customer", identifier)
    for subscription in simulator.store.select("subscription", where="AND customer = ?", values=[identifier]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end_subscription(simulator, subscription)
    for method in simulator.store.select("payment_method", where="AND customer = ?", values=[identifier]):
        simulator.save({**method, "customer": None})
    stop_collecting(simulator, identifier)
    simulator.emit("customer.deleted", customer)
    return simulator.save({"id": identifier, "object": "customer", "deleted": True})


def _change(simulator: Simulator, customer: Json, params: Json) -> None:
    if not PREFIX.fullmatch(params.get("invoice_prefix") or customer["invoice_prefix"]):
        raise StripeError(
            "Invoice prefixes must be 3 to 12 uppercase letters or numbers.", param="invoice_prefix"
        )
    apply(customer, params, PLAIN)
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    if "preferred_locales" in params:
        customer["preferred_locales"] = params["preferred_locales"]
    if "address" in params:
        customer["address"] = full_address(params["address"])
    if "shipping" in params:
        shipping = params["shipping"] or None
        customer["shipping"] = shipping and {**shipping, "address": full_address(shipping["address"])}
    if "default_source" in params:
        require_source(simulator, customer["id"], params["default_source"])
        customer["default_source"] = params["default_source"]
    settings = params.get("invoice_settings", {})
    _check_custom_fields(settings.get("custom_fields") or [])
    method = settings.get("default_payment_method")
    if method:
        _require_attached(simulator, customer["id"], method)
    customer["invoice_settings"] |= {name: emptied(value) for name, value in settings.items()}


def _check_custom_fields(fields: list[Json]) -> None:
    param = "invoice_settings[custom_fields]"
    if len(fields) > CUSTOM_FIELDS:
        raise StripeError(f"You can set up to {CUSTOM_FIELDS} custom fields.", param=param)
    for index, entry in enumerate(fields):
        for name, longest in (("name", CUSTOM_FIELD_NAME), ("value", CUSTOM_FIELD_VALUE)):
            if not 0 < len(entry[name]) <= longest:
                raise StripeError(
                    f"Invalid string: {entry[name][:10]}; must be 1 to {longest} characters",
                    param=f"{param}[{index}][{name}]",
                )


def _require_attached(simulator: Simulator, customer: str, method: str) -> None:
    param = "invoice_settings[default_payment_method]"
    if simulator.find("payment_method", method, param=param)["customer"] != customer:
        raise StripeError(
            f"The customer does not have a payment method with the ID {method}. The payment method must be "
            "attached to the customer.",
            code="resource_missing",
            param=param,
        )
