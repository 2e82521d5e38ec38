"""What becomes of a charge or a refund, by the test number of a card or a bank account (https://docs.stripe.com/testing).

Only the number's fingerprint is kept on a payment method, so outcomes are found by fingerprint.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why a payment failed, as `last_payment_error` says it."""

    code: str
    message: str
    decline_code: str | None = None


DECLINED = Refusal("card_declined", "Your card was declined.", "generic_decline")
INSUFFICIENT_FUNDS = Refusal("card_declined", "Your card has insufficient funds.", "insufficient_funds")
LOST = Refusal("card_declined", "Your card was declined.", "lost_card")
STOLEN = Refusal("card_declined", "Your card was declined.", "stolen_card")
EXPIRED = Refusal("expired_card", "Your card has expired.")
WRONG_CODE = Refusal("incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING_ERROR = Refusal(
    "processing_error", "An error occurred while processing your card. Try again in a little bit."
)
CARD_REFUSALS = {
    "generic_decline": DECLINED,
    "insufficient_funds": INSUFFICIENT_FUNDS,
    "lost_card": LOST,
    "stolen_card": STOLEN,
    "expired_card": EXPIRED,
    "processing_error": PROCESSING_ERROR,
}

DEBIT_FAILED = Refusal("payment_intent_payment_attempt_failed", "The payment failed.")
DEBIT_REFUSALS = {
    "generic_could_not_process": DEBIT_FAILED,
    "account_closed": Refusal("account_closed", "The customer's bank account has been closed."),
    "no_account": Refusal("no_account", "The customer's bank account could not be located."),
    "insufficient_funds": Refusal(
        "insufficient_funds", "The customer's account has insufficient funds to cover this payment."
    ),
    "debit_not_authorized": Refusal(
        "debit_not_authorized", "The customer has notified their bank that this payment was unauthorized."
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What a charge leads to.

    `days` is how long the bank takes to say so, None for good; cards say so at once. `refused_at_setup`: a
    card that can't even be saved. `authentication` is when the bank asks the person (3-D Secure). `refund` is
    what becomes of a refund.
    """

    refusal: Refusal | None = None
    days: int | None = 0
    refused_at_setup: bool = False
    authentication: Literal["never", "until set up", "always"] = "never"
    refund: Literal["succeeds", "takes time", "fails"] = "succeeds"


def _refused(refusal: Refusal) -> Outcome:
    return Outcome(refusal, refused_at_setup=True)


CARDS = {
    "4000000000000002": _refused(DECLINED),
    "4000000000009995": _refused(INSUFFICIENT_FUNDS),
    "4000000000009987": _refused(LOST),
    "4000000000009979": _refused(STOLEN),
    "4000000000000069": _refused(EXPIRED),
    "4000000000000127": _refused(WRONG_CODE),
    "4000000000000119": _refused(PROCESSING_ERROR),
    "4000000000000341": Outcome(DECLINED),
    "4000002500003155": Outcome(authentication="until set up"),
    "4000002760003184": Outcome(authentication="always"),
    "4000008260003178": Outcome(INSUFFICIENT_FUNDS, authentication="always"),
    "4000000000007726": Outcome(refund="takes time"),
    "4000000000005126": Outcome(refund="fails"),
}

DEBIT_DAYS = {"sepa_debit": 5, "us_bank_account": 4, "bacs_debit": 4}
"""How long a bank debit takes, in days; Stripe counts business days."""
BANK_ACCOUNTS: dict[str, dict[str, str | None]] = {
    "sepa_debit": {
        "AT611904300234573201": None,
        "AT861904300235473202": "generic_could_not_process",
        "AT981904300002222227": "insufficient_funds",
        "DE89370400440532013000": None,
        "DE62370400440532013001": "generic_could_not_process",
        "DE61370400440002222227": "insufficient_funds",
        "NL39RABO0300065264": None,
        "BE62510007547061": None,
    },
    "us_bank_account": {
        "000123456789": None,
        "000111111113": "account_closed",
        "000111111116": "no_account",
        "000222222227": "insufficient_funds",
        "000333333335": "debit_not_authorized",
        "000000000009": None,
    },
    "bacs_debit": {
        "00012345": None,
        "22222227": "insufficient_funds",
        "33333335": "debit_not_authorized",
    },
}
"""By type and account number, how a debit of it fails in the end, or None if it succeeds."""
STAYS_PROCESSING = "000000000009"


def _debit(kind: str, number: str, failure: str | None) -> Outcome:
    days = None if number == STAYS_PROCESSING else DEBIT_DAYS[kind]
    return Outcome(DEBIT_REFUSALS[failure] if failure else None, days=days, refund="takes time")


def fingerprint_of(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]


BY_FINGERPRINT = {fingerprint_of(number): outcome for number, outcome in CARDS.items()} | {
    fingerprint_of(number): _debit(kind, number, failure)
    for kind, accounts in BANK_ACCOUNTS.items()
    for number, failure in accounts.items()
}


def outcome_of(method: Json) -> Outcome:
    """What a charge of this payment method leads to; a control call may have ordered another one."""
    kind = method["type"]
    found = BY_FINGERPRINT.get(method[kind].get("fingerprint", ""), Outcome())
    ordered = method.get("simulated", {}).get("refusal")
    if ordered is None:
        return found
    refusals = DEBIT_REFUSALS if kind in DEBIT_DAYS else CARD_REFUSALS
    return Outcome(refusals[ordered], days=found.days, refund=found.refund)


def is_asked(method: Json, *, on_session: bool) -> bool:
    """Whether the bank asks the person before this charge; not twice in one session."""
    when = outcome_of(method).authentication
    known = method.get("simulated", {})
    if known.get("is_answered"):
        return False
    return when == "always" or (when == "until set up" and (on_session or not known.get("is_set_up")))
