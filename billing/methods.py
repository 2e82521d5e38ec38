"""Saved payment methods, as people read of them."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from django.utils import timezone
from django.utils.translation import gettext as _

# So many days ahead people are warned that what pays expires: on the pages, and by mail.
WARNED_AHEAD = (30, 7)
EXPIRES_SOON, EXPIRES_VERY_SOON = (timedelta(days=days) for days in WARNED_AHEAD)
BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
# Kinds whose plain name is not the code in words: https://docs.stripe.com/api/payment_methods/object
KINDS = {
    "acss_debit": "Canadian pre-authorized debit",
    "au_becs_debit": "BECS debit",
    "bacs_debit": "Bacs debit",
    "ideal": "iDEAL",
    "nz_bank_account": "New Zealand bank account",
    "paypal": "PayPal",
    "sepa_debit": "SEPA debit",
    "us_bank_account": "US bank account",
}


class AccountFields(Protocol):
    """Where a billing account keeps what its customer pays with."""

    @property
    def payment_method_id(self) -> str: ...
    @property
    def payment_method_kind(self) -> str: ...
    @property
    def card_brand(self) -> str: ...
    @property
    def card_last4(self) -> str: ...
    @property
    def card_exp_month(self) -> int | None: ...
    @property
    def card_exp_year(self) -> int | None: ...


class MethodState(StrEnum):
    GOOD = "good"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Method:
    """``valid_until``: its last day, None where it has none."""

    id: str
    name: str
    is_card: bool
    valid_until: datetime | None

    @property
    def is_urgent(self) -> bool:
        """Expired, or about to within days."""
        return self.valid_until is not None and self.valid_until <= timezone.now() + EXPIRES_VERY_SOON

    @property
    def state(self) -> MethodState:
        if self.valid_until is None or self.valid_until > timezone.now() + EXPIRES_SOON:
            return MethodState.GOOD
        return MethodState.EXPIRING if self.valid_until > timezone.now() else MethodState.EXPIRED


def method_of(saved: Mapping[str, Any] | None) -> Method | None:
    """From the fields of a ``gateway.records.SavedMethod``; None when nothing is saved."""
    if not saved or not saved["id"]:
        return None
    return Method(
        id=saved["id"],
        name=method_name(saved["kind"], saved["brand"], saved["last4"]),
        is_card=saved["kind"] == "card",
        valid_until=_last_day(saved["exp_year"], saved["exp_month"]),
    )


def saved_by(account: AccountFields) -> dict[str, Any] | None:
    """The fields of the customer's own ``gateway.records.SavedMethod``; None when nothing is saved."""
    if not account.payment_method_id:
        return None
    return {
        "id": account.payment_method_id,
        "kind": account.payment_method_kind,
        "brand": account.card_brand,
        "last4": account.card_last4,
        "exp_month": account.card_exp_month,
        "exp_year": account.card_exp_year,
    }


def method_name(kind: str, brand: str, last4: str) -> str:
    """Such as *Visa ending 4242*; the kind's name alone where there is no number."""
    if kind == "card":
        name = BRANDS.get(brand, brand.title()) or _("Card")
    else:
        name = brand or KINDS.get(kind) or kind.replace("_", " ").capitalize() or _("Payment method")
    return _("%(name)s ending %(last4)s") % {"name": name, "last4": last4} if last4 else name


def _last_day(year: int | None, month: int | None) -> datetime | None:
    if not year or not month:
        return None
    return datetime(year, month, calendar.monthrange(year, month)[1], 23, 59, 59, tzinfo=UTC)
