"""Countries and languages by their codes, named in the reader's language."""

import re
from functools import cache

from babel import Locale
from django.utils.translation import get_language

COUNTRY = re.compile("[A-Z]{2}")
# Territories in Unicode's list that are no country: groups of countries, pseudo-locales, the unknown one.
NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
# Those that Stripe's pages are translated to: https://docs.stripe.com/js/appendix/supported_locales
INVOICE_LOCALES = (
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt"),
    *("lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "sk", "sl", "sv", "th", "tr", "vi", "zh"),
)


def countries() -> list[tuple[str, str]]:
    """Codes and names, by name."""
    return _countries(get_language() or "en")


@cache
def _countries(language: str) -> list[tuple[str, str]]:
    named = Locale.parse(language, sep="-").territories
    found = [(code, name) for code, name in named.items() if COUNTRY.fullmatch(code)]
    return sorted((one for one in found if one[0] not in NO_COUNTRIES), key=lambda one: one[1])


def country_name(code: str) -> str:
    """The code itself where nobody knows the country."""
    return str(_locale().territories.get(code.upper(), code))


def language_name(code: str) -> str:
    name = Locale.parse(code, sep="-").get_display_name(_locale())
    return name[:1].upper() + name[1:] if name else code


def _locale() -> Locale:
    return Locale.parse(get_language() or "en", sep="-")
