"""Payment methods as Stripe shows them, each of its type, and Stripe's ready-made test methods."""

from typing import Any

from stripe_simulator.bank_accounts import NAMES, account_details
from stripe_simulator.cards import Card
from stripe_simulator.fields import full_address
from stripe_simulator.outcomes import BANK_ACCOUNTS
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

TEST_CARDS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
TEST_ACCOUNTS = {
    "pm_usBankAccount_success": ("us_bank_account", "000123456789"),
    "pm_usBankAccount_accountClosed": ("us_bank_account", "000111111113"),
    "pm_usBankAccount_noAccount": ("us_bank_account", "000111111116"),
    "pm_usBankAccount_insufficientFunds": ("us_bank_account", "000222222227"),
    "pm_usBankAccount_debitNotAuthorized": ("us_bank_account", "000333333335"),
    "pm_usBankAccount_processing": ("us_bank_account", "000000000009"),
}


def make_card(simulator: Simulator, card: Card, *, name: str | None = None, email: str | None = None) -> Json:
    """A payment method that isn't attached or saved yet. `card[number]` itself is not kept."""
    return _make(simulator, "card", card_details(card), name=name, email=email)


def make_bank_account(
    simulator: Simulator, kind: str, number: str, *, name: str | None = None, email: str | None = None
) -> Json:
    """Of type `sepa_debit`, `us_bank_account` or `bacs_debit`; not attached or saved yet."""
    return _make(simulator, kind, account_details(kind, number), name=name, email=email)


def make_link(simulator: Simulator, *, name: str | None = None, email: str | None = None) -> Json:
    """Link's wallet, which tells nothing of the card behind it."""
    return _make(simulator, "link", {"email": email, "persistent_token": None}, name=name, email=email)


def make_once(simulator: Simulator, kind: str, *, name: str | None = None, email: str | None = None) -> Json:
    """iDEAL or Bancontact: pays once, and can set up SEPA Direct Debit."""
    details = {"bank": "rabobank", "bic": "RABONL2U"} if kind == "ideal" else {}
    return _make(simulator, kind, details, name=name, email=email)


def make_test_method(simulator: Simulator, token: str) -> Json | None:
    """The payment method that one of Stripe's ready-made test methods stands for."""
    if token in TEST_CARDS:
        return make_card(simulator, Card(TEST_CARDS[token], 12, simulator.today()[0] + 3))
    if token in TEST_ACCOUNTS:
        return make_bank_account(simulator, *TEST_ACCOUNTS[token], name="Test Company")
    return None


def is_debit(method: Json) -> bool:
    return method["type"] in BANK_ACCOUNTS


def shown_in_error(method: Json) -> Json:
    """A payment method as an error names it."""
    return {name: value for name, value in method.items() if name != "simulated"}


def charge_details(method: Json) -> Json:
    """What a charge says of the payment method that it charged."""
    kind, details = method["type"], method[method["type"]]
    match kind:
        case "card":
            names = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
            said = {name: details[name] for name in names}
            return {"type": kind, kind: {**said, "network": details["brand"], "wallet": None}}
        case "link":
            return {"type": kind, kind: {"country": "US"}}
        case _:
            left_out = ("generated_from", "financial_connections_account", "networks", "status_details")
            said = {name: value for name, value in details.items() if name not in left_out}
            return {"type": kind, kind: {**said, "mandate": None}}


def name_of(charge: Json) -> str:
    """How a document names what a charge took the money from."""
    details = charge["payment_method_details"]
    kind = details["type"]
    last4 = details[kind].get("last4")
    name = details[kind]["brand"].capitalize() if kind == "card" else NAMES[kind]
    return f"{name} ending in {last4}" if last4 else name


def card_details(card: Card) -> Json:
    return {
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
    }


def _make(simulator: Simulator, kind: str, details: Json, *, name: str | None, email: str | None) -> Json:
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
        **{kind: details},
        customer=None,
        customer_account=None,
        metadata={},
        type=kind,
    )
