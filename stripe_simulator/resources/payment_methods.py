"""Payment methods (https://docs.stripe.com/api/payment_methods)."""

from typing import Any

from stripe_simulator.bank_accounts import BankAccountInputError, read_account
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import CardDeclinedError, StripeError, not_simulated, required
from stripe_simulator.fields import apply, emptied, full_address
from stripe_simulator.methods import make_bank_account, make_link, make_test_method
from stripe_simulator.outcomes import BANK_ACCOUNTS, outcome_of
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def attach_method(simulator: Simulator, method: Json, customer: str) -> Json:
    method["customer"] = customer
    simulator.save(method)
    simulator.emit("payment_method.attached", method)
    return method


def attach_named(simulator: Simulator, identifier: str, customer: str, *, param: str = "id") -> Json:
    """Attach a payment method, or one of Stripe's test methods, which makes one of that kind."""
    made = make_test_method(simulator, identifier)
    if made:
        outcome = outcome_of(made)
        if outcome.refusal and outcome.refused_at_setup:
            raise CardDeclinedError(outcome.refusal)
        return attach_method(simulator, made, customer)
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


@endpoint(
    "payment_methods.create",
    "allow_redisplay bacs_debit billing_details link metadata sepa_debit type us_bank_account",
)
def create(simulator: Simulator, params: Json) -> Json:
    """Of bank accounts and Link; a card's number is typed on a hosted page."""
    if "type" not in params:
        raise required("type")
    kind = params["type"]
    if kind == "link":
        method = make_link(simulator)
    elif kind in BANK_ACCOUNTS:
        given = params.get(kind) or {}
        name = "iban" if kind == "sepa_debit" else "account_number"
        if name not in given:
            raise required(f"{kind}[{name}]")
        method = make_bank_account(simulator, kind, _account(kind, given[name], f"{kind}[{name}]"))
    else:
        raise not_simulated("makes payment methods of bank accounts and Link only", "type")
    _change_billing_details(method, params.get("billing_details"))
    if kind == "link":
        method["link"]["email"] = method["billing_details"]["email"]
    apply(method, params, "allow_redisplay")
    return simulator.save(method)


@endpoint("payment_methods.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("payment_method", identifier)


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
    _change_billing_details(method, params.get("billing_details"))
    if "card" in params:
        _change_card(method, params["card"])
    return simulator.save(method, "payment_method.updated")


def _account(kind: str, number: str, param: str) -> str:
    try:
        return read_account(kind, number)
    except BankAccountInputError:
        message = "The Stripe simulator knows the account numbers of https://docs.stripe.com/testing only."
        raise StripeError(message, code="parameter_not_simulated", param=param) from None


def _change_billing_details(method: Json, change: Json | None) -> None:
    for name, value in (change or {}).items():
        method["billing_details"][name] = full_address(value) if name == "address" else emptied(value)


def _change_card(method: Json, change: Json) -> None:
    if method["type"] != "card":
        raise StripeError(
            f"You cannot update the `card` of a PaymentMethod of type {method['type']}.", param="card"
        )
    method["card"] |= {name: change[name] for name in ("exp_month", "exp_year") if name in change}
