"""Currencies, and amounts in their minor units (https://docs.stripe.com/currencies)."""

from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency

_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"
_TWO = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny"
    " cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk"
    " jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio"
    " nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs"
    " top try ttd twd tzs uah ugx usd uyu uzs wst yer zar zmw"
)
ZERO_DECIMAL = frozenset(_ZERO.split())
THREE_DECIMAL = frozenset(_THREE.split())
MINIMUM = {
    "aed": 200,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | frozenset(_TWO.split())


def money(amount: int | Decimal, currency: str) -> str:
    """Write an amount for people; a unit price may have parts of a minor unit."""
    major = Decimal(amount).scaleb(-_decimals(currency))
    return format_currency(major, currency.upper(), locale="en_US", decimal_quantization=False)


def chargeable_amount(amount: int, currency: str) -> int:
    """What is asked for of an amount: nothing below zero or below the least that can be charged.

    https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts. Of other currencies Stripe converts
    the least of the account's own; here it is half a unit, 50 where there are no decimals.
    """
    least = MINIMUM.get(currency, 500 if currency in THREE_DECIMAL else 50)
    return amount if amount >= least else 0


def rounded(exact: Decimal, currency: str) -> int:
    """Round half away from zero to what can be charged: of three decimals, Stripe takes two only."""
    step = 10 if currency in THREE_DECIMAL else 1
    return int((exact / step).quantize(Decimal(1), ROUND_HALF_UP)) * step


def shared_out(total: int, weights: list[int], currency: str) -> list[int]:
    """Split an amount by weight, so that the parts sum up to it."""
    whole, parts, given = sum(weights), [], 0
    passed = 0
    for weight in weights:
        passed += weight
        part = rounded(Decimal(total) * passed / whole, currency) - given if whole else 0
        parts.append(part)
        given += part
    return parts


def _decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
