"""Payment methods: cards (https://docs.stripe.com/api/payment_methods)."""

from typing import Any

from stripe_simulator.cards import ATTACHES_BUT_FAILS, DECLINED, Card
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import CardDeclinedError, StripeError, required
from stripe_simulator.fields import apply, emptied, full_address
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": DECLINED,
    "pm_card_chargeCustomerFail": ATTACHES_BUT_FAILS,
}
"""Stripe's ready-made test payment methods; attaching one makes a payment method of that card."""


def make_card(simulator: Simulator, card: Card, *, name: str | None = None, email: str | None = None) -> Json:
    """A payment method that isn't attached or saved yet. `card[number]` itself is not kept."""
    return simulator.new(
        "payment_method",
        "pm",
        allow_redisplay="unspecified",
        billing_details={
            "address": full_address({"line1": ""}),
            "email": email,
            "name": name,
            "phone": None,
            "tax_id": None,
        },
        card={
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.month,
            "exp_year": card.year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        customer=None,
        customer_account=None,
        metadata={},
        type="card",
    )


def attach_method(simulator: Simulator, method: Json, customer: str) -> Json:
    method["customer"] = customer
    simulator.save(method)
    simulator.emit("payment_method.attached", method)
    return method


def attach_named(simulator: Simulator, identifier: str, customer: str, *, param: str = "id") -> Json:
    """Attach a payment method, or one of Stripe's test methods, which makes one of that card."""
    if identifier in TEST_METHODS:
        if TEST_METHODS[identifier] == DECLINED:
            raise CardDeclinedError()
        card = Card(TEST_METHODS[identifier], 12, simulator.today()[0] + 3)
        return attach_method(simulator, make_card(simulator, card), customer)
    method = simulator.find("payment_method", identifier, param=param)
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise StripeError(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    return attach_method(simulator, method, customer)


@endpoint("customers.payment_methods.list", "type allow_redisplay")
def list_of_customer(simulator: Simulator, params: Json, customer: str) -> Json:
    simulator.find("customer", customer)
    filters = {
        "customer": customer,
        "type": params.get("type"),
        "allow_redisplay": params.get("allow_redisplay"),
    }
    url = f"/v1/customers/{customer}/payment_methods"
    return page(simulator.store, "payment_method", url, params, filters=filters)


@endpoint("payment_methods.attach", "customer")
def attach(simulator: Simulator, params: Json, identifier: str) -> Json:
    if "customer" not in params:
        raise required("customer")
    simulator.find("customer", params["customer"], param="customer")
    return attach_named(simulator, identifier, params["customer"])


@endpoint("payment_methods.detach")
def detach(simulator: Simulator, _params: Json, identifier: str) -> Json:
    method = simulator.find("payment_method", identifier)
    owner = method["customer"]
    if not owner:
        raise StripeError(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    method["customer"] = None
    simulator.save(method)
    simulator.emit("payment_method.detached", method, previous={"customer": owner})
    customer = simulator.find("customer", owner)
    if customer["invoice_settings"]["default_payment_method"] == identifier:
        customer["invoice_settings"]["default_payment_method"] = None
        simulator.save(customer, "customer.updated")
    for subscription in simulator.store.select("subscription", where="AND customer = ?", values=[owner]):
        if subscription["default_payment_method"] == identifier:
            simulator.save({**subscription, "default_payment_method": None}, "customer.subscription.updated")
    return method


@endpoint("payment_methods.update", "allow_redisplay billing_details card metadata")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    method = simulator.find("payment_method", identifier)
    if not method["customer"]:
        raise StripeError(
            "You must save this PaymentMethod to a customer before you can update it.",
            code="payment_method_unexpected_state",
        )
    apply(method, params, "allow_redisplay")
    for name, value in (params.get("billing_details") or {}).items():
        method["billing_details"][name] = full_address(value) if name == "address" else emptied(value)
    method["card"] |= {
        name: params["card"][name] for name in ("exp_month", "exp_year") if name in params.get("card", {})
    }
    return simulator.save(method, "payment_method.updated")
