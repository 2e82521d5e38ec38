"""Legacy sources, `card_…`, `ba_…` and `src_…`, which still can be a customer's default (https://docs.stripe.com/api/cards)."""

from typing import Any

from stripe_simulator.bank_accounts import ROUTING_NUMBER, account_details
from stripe_simulator.cards import Card
from stripe_simulator.errors import missing
from stripe_simulator.fields import full_address
from stripe_simulator.methods import card_details
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

KINDS = ("card", "bank_account", "source")
TOKENS = {
    "tok_visa": "4242424242424242",
    "tok_mastercard": "5555555555554444",
    "tok_chargeCustomerFail": "4000000000000341",
}
BANK_TOKENS = {"btok_us_verified": "000123456789"}
"""Stripe's ready-made test tokens, and the numbers that they stand for."""
BRANDS = {"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express"}


def chargeable(simulator: Simulator, identifier: str) -> Json:
    """A payment method or a legacy source, with what charging needs of a payment method."""
    found = simulator.store.get(identifier)
    if found is None or found.get("deleted"):
        return {"customer": None}
    if found["object"] == "payment_method":
        return found
    known = found["simulated"]
    return {
        **found,
        "billing_details": _billing_details(),
        "type": known["type"],
        known["type"]: known["details"],
    }


def require_source(
    simulator: Simulator, customer: str, identifier: str, *, param: str = "default_source"
) -> None:
    """Raises StripeError unless this is a source of the customer."""
    found = simulator.store.get(identifier)
    if found is None or found["object"] not in KINDS or found.get("customer") != customer:
        raise missing("source", identifier, param=param)


def make_card_source(simulator: Simulator, number: str, customer: str) -> Json:
    """A `card_…`; not saved."""
    details = card_details(Card(number, 12, simulator.today()[0] + 3))
    return {
        "id": new_id("card"),
        "object": "card",
        **dict.fromkeys(("address_city", "address_country", "address_state", "address_zip")),
        "address_line1": None,
        "address_line1_check": None,
        "address_line2": None,
        "address_zip_check": None,
        "brand": BRANDS[details["brand"]],
        "country": "US",
        "customer": customer,
        "cvc_check": "pass",
        "dynamic_last4": None,
        **{name: details[name] for name in ("exp_month", "exp_year", "fingerprint", "funding", "last4")},
        "metadata": {},
        "name": None,
        "regulated_status": "unregulated",
        "tokenization_method": None,
        "simulated": {"type": "card", "details": details},
    }


def make_bank_source(number: str, customer: str) -> Json:
    """A verified `ba_…`; not saved."""
    details = account_details("us_bank_account", number)
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account_holder_name": "Test Company",
        "account_holder_type": "company",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "currency": "usd",
        "customer": customer,
        "fingerprint": details["fingerprint"],
        "last4": details["last4"],
        "metadata": {},
        "routing_number": ROUTING_NUMBER,
        "status": "verified",
        "simulated": {"type": "us_bank_account", "details": details},
    }


def make_source(simulator: Simulator, number: str) -> Json:
    """A `src_…` of a card, not attached or saved yet."""
    details = card_details(Card(number, 12, simulator.today()[0] + 3))
    names = ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return simulator.new(
        "source",
        "src",
        allow_redisplay="unspecified",
        amount=None,
        card={
            "address_line1_check": None,
            "address_zip_check": None,
            "brand": BRANDS[details["brand"]],
            "cvc_check": "pass",
            "dynamic_last4": None,
            "name": None,
            "three_d_secure": "optional",
            "tokenization_method": None,
            **{name: details[name] for name in names},
        },
        client_secret=new_id("src_client_secret"),
        currency=None,
        flow="none",
        metadata={},
        owner={
            **dict.fromkeys(("address", "email", "name", "phone")),
            **dict.fromkeys(("verified_address", "verified_email", "verified_name", "verified_phone")),
        },
        statement_descriptor=None,
        status="chargeable",
        type="card",
        usage="reusable",
        simulated={"type": "card", "details": details},
    )


def _billing_details() -> Json:
    nothing: Json = dict.fromkeys(("email", "name", "phone", "tax_id"))
    return {"address": full_address({"line1": ""}), **nothing}
