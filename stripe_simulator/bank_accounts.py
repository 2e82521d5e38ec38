"""What the hosted pages' bank account form refuses, and the fields of payment methods that debit a bank."""

import re
from typing import Any

from stripe_simulator.outcomes import BANK_ACCOUNTS, fingerprint_of

Json = dict[str, Any]

ROUTING_NUMBER = "110000000"
SORT_CODE = "108800"
NAMES = {
    "sepa_debit": "SEPA Direct Debit",
    "us_bank_account": "US bank account",
    "bacs_debit": "Bacs Direct Debit",
    "ideal": "iDEAL",
    "bancontact": "Bancontact",
    "link": "Link",
}
REUSABLE = {"ideal": "NL39RABO0300065264", "bancontact": "BE62510007547061"}
"""Methods that pay once, and the account that they set up for SEPA Direct Debit."""


DEBITS = {"eur": "sepa_debit", "gbp": "bacs_debit", "usd": "us_bank_account"}
"""The bank debit that takes a currency."""


class BankAccountInputError(Exception):
    """What the person typed is no account of Stripe's test accounts. Holds the sentence to show."""

    field = "account"


def offered_types(currency: str | None, *, for_later: bool = False) -> list[str]:
    """The payment methods that a hosted page offers for a currency by itself.

    `for_later`: to be saved, which iDEAL and Bancontact do by setting up SEPA Direct Debit.
    """
    debit = DEBITS.get(currency or "")
    once = list(REUSABLE) if for_later and debit == "sepa_debit" else []
    return ["card", "link", *([debit] if debit else []), *once]


def read_account(kind: str, number: str) -> str:
    """Return the account number without its spaces. Raises BankAccountInputError if it is no test account."""
    plain = re.sub(r"[\s-]", "", number).upper()
    if plain not in BANK_ACCOUNTS[kind]:
        name = "IBAN" if kind == "sepa_debit" else "account number"
        raise BankAccountInputError(f"Enter an {name} of Stripe's test accounts.")
    return plain


def account_details(kind: str, number: str) -> Json:
    """The hash that a payment method of this type has under its type's name."""
    common = {"fingerprint": fingerprint_of(number), "last4": number[-4:]}
    match kind:
        case "sepa_debit":
            return {
                **common,
                "bank_code": number[4:12],
                "branch_code": "",
                "country": number[:2],
                "generated_from": {"charge": None, "setup_attempt": None},
            }
        case "us_bank_account":
            return {
                **common,
                "account_holder_type": "company",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "financial_connections_account": None,
                "networks": {"preferred": "ach", "supported": ["ach"]},
                "routing_number": ROUTING_NUMBER,
                "status_details": {},
            }
        case _:
            return {**common, "sort_code": SORT_CODE}
