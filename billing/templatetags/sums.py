"""The rows of a sum in templates: what each is, and the quiet line below it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.methods import method_name
from billing.money import format_money
from billing.sums import Part, Row
from orgs.dates import day

register = template.Library()
Json = Mapping[str, Any]

LABELS: dict[Part, Promise] = {
    Part.SUBTOTAL: gettext_lazy("Subtotal"),
    Part.DISCOUNT: gettext_lazy("Discount"),
    Part.BILLING_CREDITS: gettext_lazy("Billing credits"),
    Part.SHIPPING: gettext_lazy("Shipping"),
    Part.TAX: gettext_lazy("Tax"),
    Part.INCLUDED_TAX: gettext_lazy("Tax"),
    Part.EARLIER: gettext_lazy("On an earlier invoice"),
    Part.ADJUSTMENT: gettext_lazy("Other adjustments by Stripe"),
    Part.TOTAL: gettext_lazy("Total"),
    Part.APPLIED_BALANCE: gettext_lazy("Applied balance"),
    Part.TO_BALANCE: gettext_lazy("Credited to balance"),
    Part.CARRIED_OVER: gettext_lazy("Carried over to the next invoice"),
    Part.CREDITED: gettext_lazy("Credit notes before payment"),
    Part.DUE: gettext_lazy("Amount due"),
    Part.PAID: gettext_lazy("Paid"),
    Part.PAID_ELSEWHERE: gettext_lazy("Paid outside Stripe"),
    Part.OVERPAID: gettext_lazy("Overpaid, credited to balance"),
    Part.VOIDED: gettext_lazy("Voided"),
    Part.LEFT: gettext_lazy("Left to pay"),
}
# Why a tax is zero, or less than usual, in words of the law: Stripe's other reasons need none.
REASONS: dict[str, Promise] = {
    "reverse_charge": gettext_lazy("reverse charge: you account for it yourselves"),
    "customer_exempt": gettext_lazy("exempt"),
    "product_exempt": gettext_lazy("exempt"),
    "not_collecting": gettext_lazy("not collected"),
    "zero_rated": gettext_lazy("zero-rated"),
}


@register.filter
def row_label(row: Row) -> str:
    if row.part in {Part.TAX, Part.INCLUDED_TAX} and row.of and row.of["name"]:
        return ", ".join(filter(None, (row.of["name"], row.of["jurisdiction"])))
    return str(LABELS[row.part])


@register.filter
def row_note(row: Row, currency: str) -> str:
    """The quiet second line; empty where there is nothing more to say."""
    note = NOTES.get(row.part)
    return note(row.of, currency) if note and row.of else ""


def _of_tax(tax: Json, currency: str) -> str:
    if tax["reason"] in REASONS:
        return str(REASONS[tax["reason"]])
    if not tax["percentage"]:
        return ""
    if tax["taxable"] is None:
        return f"{tax['percentage']}%"
    return _("%(rate)s of %(amount)s") % {
        "rate": f"{tax['percentage']}%",
        "amount": format_money(tax["taxable"], currency),
    }


def _of_included_tax(tax: Json, currency: str) -> str:
    note = _of_tax(tax, currency)
    if not tax["amount"]:
        return note
    return _("included in the total; %(note)s") % {"note": note} if note else _("included in the total")


def _of_discount(discount: Json, _currency: str) -> str:
    return str(discount["name"])


def _of_payment(payment: Json, _currency: str) -> str:
    return payment_words(payment)


def payment_words(payment: Json) -> str:
    """When and with what it was made."""
    outside = _("outside Stripe") if payment["off_stripe"] else ""
    return ", ".join(filter(None, (payment_day(payment), payment_method(payment), outside)))


def payment_method(payment: Json) -> str:
    return method_name(payment["kind"], payment["brand"], payment["last4"]) if payment["kind"] else ""


def payment_day(payment: Json) -> str:
    return day(datetime.fromisoformat(payment["at"])) if payment["at"] else ""


NOTES: dict[Part, Callable[[Json, str], str]] = {
    Part.DISCOUNT: _of_discount,
    Part.TAX: _of_tax,
    Part.INCLUDED_TAX: _of_included_tax,
    Part.PAID: _of_payment,
}
