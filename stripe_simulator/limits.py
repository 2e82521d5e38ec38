"""What Stripe checks of a parameter's value, wherever a parameter of that name stands.

Types are checked before (`params.py`), and what hangs on other objects by the endpoint.
"""

import re
from collections.abc import Callable
from typing import Any

from babel import Locale

from stripe_simulator.errors import InvalidParameterError
from stripe_simulator.money import CURRENCIES

METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500
"""How many keys an object may have, and how many characters a key and a value (https://docs.stripe.com/api/metadata)."""
TEXT = 5000
LENGTHS = {
    "business_name": 150,
    "display_name": 250,
    "email": 512,
    "individual_name": 150,
    "lookup_key": 200,
    "phone": 20,
    "statement_descriptor": 22,
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
COUNTRIES = frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))
LONGEST_TRIAL = 730
"""Days."""


def check_values(params: dict[str, Any], path: str = "") -> None:
    """Raises InvalidParameterError as Stripe would."""
    for name, value in params.items():
        place = f"{path}[{name}]" if path else name
        if name == "metadata":
            _check_metadata(value, place)
        elif isinstance(value, dict):
            check_values(value, place)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    check_values(item, f"{place}[{index}]")
        elif value != "":
            _check_length(name, value, place)
            if name in CHECKS:
                CHECKS[name](value, place)


def check_metadata_size(metadata: dict[str, str]) -> None:
    """Raises InvalidParameterError if an object would come to have too many keys."""
    if len(metadata) > METADATA_KEYS:
        raise InvalidParameterError(
            f"You can have up to {METADATA_KEYS} metadata keys; this would make {len(metadata)}.",
            param="metadata",
        )


def _check_metadata(value: Any, place: str) -> None:
    if value == "":
        return
    check_metadata_size(value)
    for key, text in value.items():
        if len(key) > METADATA_KEY:
            raise InvalidParameterError(
                f"Metadata keys can have up to {METADATA_KEY} characters, but you passed in a key that is "
                f"{len(key)} characters. Invalid key: {key}",
                param=place,
            )
        if len(text) > METADATA_VALUE:
            raise InvalidParameterError(
                f"Metadata values can have up to {METADATA_VALUE} characters, but you passed in a value that "
                f"is {len(text)} characters. Invalid value: {text}",
                param=f"{place}[{key}]",
            )


def _check_length(name: str, value: Any, place: str) -> None:
    longest = LENGTHS.get(name, TEXT)
    if isinstance(value, str) and len(value) > longest:
        raise InvalidParameterError(
            f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {longest} characters", param=place
        )


def _check_currency(value: str, place: str) -> None:
    if value.lower() not in CURRENCIES:
        raise InvalidParameterError(
            f"Invalid currency: {value}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(CURRENCIES))}",
            param=place,
        )


def _check_email(value: str, place: str) -> None:
    if not EMAIL.fullmatch(value):
        raise InvalidParameterError(f"Invalid email address: {value}", code="email_invalid", param=place)


def _check_country(value: str, place: str) -> None:
    if value.upper() not in COUNTRIES:
        raise InvalidParameterError(
            f"Country '{value}' is unknown. Try using a 2-character alphanumeric country code instead, such "
            "as 'US', 'EG', or 'GB'.",
            code="country_code_invalid",
            param=place,
        )


def _at_least(smallest: int) -> Callable[[int, str], None]:
    def check(value: int, place: str) -> None:
        if value < smallest:
            raise InvalidParameterError(
                f"This value must be greater than or equal to {smallest}.",
                code="parameter_invalid_integer",
                param=place,
            )

    return check


def _check_trial_days(value: int, place: str) -> None:
    _at_least(1)(value, place)
    if value > LONGEST_TRIAL:
        raise InvalidParameterError(
            f"Invalid trial_period_days: must be at most {LONGEST_TRIAL}.", param=place
        )


CHECKS: dict[str, Callable[[Any, str], None]] = {
    "country": _check_country,
    "currency": _check_currency,
    "days_until_due": _at_least(0),
    "duration_in_months": _at_least(1),
    "email": _check_email,
    "customer_email": _check_email,
    "max_redemptions": _at_least(1),
    "quantity": _at_least(0),
    "trial_period_days": _check_trial_days,
}
