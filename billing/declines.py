"""Why a bank or card refused, in plain words.

The codes: https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Said to the owner of the card in general words only: https://docs.stripe.com/declines/codes
GENERAL = _("the bank gave no reason")
REASONS = {
    "authentication_required": _("the bank wants you to confirm the payment"),
    "approve_with_id": _("the bank could not approve it just now"),
    "call_issuer": _("the bank asks you to call it"),
    "card_not_supported": _("the card can't be used for this kind of purchase"),
    "card_velocity_exceeded": _("the limit of the card or account was reached"),
    "currency_not_supported": _("the card can't pay in this currency"),
    "debit_not_authorized": _("the account's owner did not authorize the debit"),
    "account_closed": _("the bank account is closed"),
    "bank_account_unusable": _("the bank account can't be used"),
    "invalid_account_number": _("the bank account's number is wrong"),
    "no_account": _("the bank account was not found"),
    "refer_to_customer": _("the bank asks you to get in touch with it"),
    "expired_card": _("the card has expired"),
    "incorrect_cvc": _("the security code was wrong"),
    "invalid_cvc": _("the security code was wrong"),
    "incorrect_number": _("the card number is wrong"),
    "invalid_number": _("the card number is wrong"),
    "incorrect_zip": _("the postal code was wrong"),
    "insufficient_funds": _("there was not enough money in the account"),
    "invalid_account": _("the card or its account is not valid"),
    "no_payment_method": _("nothing was saved that could pay"),
    "issuer_not_available": _("the bank could not be reached"),
    "processing_error": _("something went wrong at the bank"),
    "reenter_transaction": _("something went wrong at the bank"),
    "try_again_later": _("the bank could not approve it just now"),
    "withdrawal_count_limit_exceeded": _("the limit of the card or account was reached"),
    "payment_method_provider_timeout": _("the bank did not answer in time"),
    "payment_intent_payment_attempt_failed": _("the payment was refused"),
    "payment_method_customer_decline": _("the payment was not confirmed"),
    "payment_intent_authentication_failure": _("the payment was not confirmed"),
    "setup_intent_authentication_failure": _("the payment was not confirmed"),
    "transaction_not_allowed": _("the bank does not allow this payment"),
}

# What the same card or account can't mend by being tried again.
ANOTHER_METHOD = {
    "account_closed",
    "bank_account_unusable",
    "card_not_supported",
    "currency_not_supported",
    "debit_not_authorized",
    "expired_card",
    "incorrect_number",
    "invalid_account",
    "invalid_account_number",
    "invalid_number",
    "lost_card",
    "no_account",
    "no_payment_method",
    "pickup_card",
    "restricted_card",
    "stolen_card",
}


def asks_for_another(code: str) -> bool:
    """Whether another card or account must pay. A page that offers so doesn't tell why it is."""
    return code in ANOTHER_METHOD


def reason_of(code: str) -> Promise:
    """Such as *there was not enough money in the account*, to be put after a colon."""
    return REASONS.get(code, GENERAL)
