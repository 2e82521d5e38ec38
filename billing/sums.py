"""What an invoice, or the preview of one, adds up to: row by row, to the cent, whatever Stripe puts on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]


class Part(StrEnum):
    """What a row of the sums is. Pages word it."""

    SUBTOTAL = "subtotal"
    DISCOUNT = "discount"
    BILLING_CREDITS = "billing_credits"
    SHIPPING = "shipping"
    TAX = "tax"
    INCLUDED_TAX = "included_tax"
    EARLIER = "earlier"
    ADJUSTMENT = "adjustment"
    TOTAL = "total"
    APPLIED_BALANCE = "applied_balance"
    TO_BALANCE = "to_balance"
    CARRIED_OVER = "carried_over"
    CREDITED = "credited"
    DUE = "due"
    PAID = "paid"
    PAID_ELSEWHERE = "paid_elsewhere"
    OVERPAID = "overpaid"
    VOIDED = "voided"
    LEFT = "left"


RESULTS = {Part.SUBTOTAL, Part.TOTAL, Part.DUE, Part.LEFT}
# What is in the amounts already: told, and not added.
INCLUDED = {Part.INCLUDED_TAX}
HALF = Decimal("0.5")


@dataclass(frozen=True)
class Row:
    """``amount`` in minor units, with its sign. ``of``: the discount, tax or payment that it comes from."""

    part: Part
    amount: int
    of: Json | None = None

    @property
    def is_result(self) -> bool:
        return self.part in RESULTS


def sums_to_due(document: Json, *, total: int, amount_due: int, earlier: int = 0) -> list[Row]:
    """From the lines to what is due: of an invoice or a preview.

    ``earlier``: what of the lines, with their taxes, an earlier invoice will have taken.
    """
    rows = [Row(Part.SUBTOTAL, sum(line["amount"] for line in document["lines"]))]
    rows += [Row(Part.DISCOUNT, -one["amount"], one) for one in document["discounts"]]
    rows += _unless_zero(Part.BILLING_CREDITS, -document["billing_credits"])
    rows += _unless_zero(Part.SHIPPING, document["shipping"])
    rows += [Row(Part.TAX, tax["amount"], tax) for tax in document["taxes"] if not tax["inclusive"]]
    rows += _unless_zero(Part.EARLIER, -earlier)
    # Rounding of a kind that we don't know is told rather than hidden.
    rows += _unless_zero(Part.ADJUSTMENT, total - sum(row.amount for row in rows))
    rows.append(Row(Part.TOTAL, total))
    rows += [Row(Part.INCLUDED_TAX, tax["amount"], tax) for tax in document["taxes"] if tax["inclusive"]]
    credited = document["credited_before_payment"]
    rows += _balance(document["starting_balance"], total=total, change=amount_due + credited - total)
    rows += _unless_zero(Part.CREDITED, -credited)
    if amount_due != total:
        rows.append(Row(Part.DUE, amount_due))
    return rows


def steps_of(rows: Sequence[Row], *, lines: int) -> list[Row]:
    """The rows from the lines to the amount, without sums that only repeat one of both."""
    has_due = any(row.part is Part.DUE for row in rows)
    adds_up = any(not row.is_result and row.part not in INCLUDED for row in rows)
    left_out = {Part.DUE}
    if not has_due:
        left_out.add(Part.TOTAL)
    if lines == 1 or not adds_up:
        left_out.add(Part.SUBTOTAL)
    return [row for row in rows if row.part not in left_out]


def _balance(starting: int, *, total: int, change: int) -> list[Row]:
    """What the customer's balance takes or gives. Below zero, Stripe owes; above zero, the customer does.

    An amount too small to charge is carried over: https://docs.stripe.com/billing/customer/balance
    """
    if total < 0:
        return _unless_zero(Part.TO_BALANCE, change)
    applied = max(change, min(starting, 0))
    return [
        *_unless_zero(Part.APPLIED_BALANCE, applied),
        *_unless_zero(Part.CARRIED_OVER, change - applied),
    ]


def sums_of_invoice(
    document: Json, *, status: str, total: int, amount_due: int, amount_remaining: int
) -> list[Row]:
    """From the lines to what is left to pay."""
    rows = sums_to_due(document, total=total, amount_due=amount_due)
    payments: Sequence[Json] = [one for one in document["payments"] if one["status"] == "paid"]
    rows += [Row(Part.PAID, -payment["amount"], payment) for payment in payments]
    received = sum(payment["amount"] for payment in payments)
    rows += _unless_zero(Part.OVERPAID, document["overpaid"])
    left = 0 if status == "paid" else amount_remaining
    settled = amount_due - left
    elsewhere = document["paid_off_stripe"] if received < settled else 0
    rows += _unless_zero(Part.PAID_ELSEWHERE, -elsewhere)
    # Of payments from long ago Stripe tells the sum alone.
    rows += _unless_zero(Part.PAID, received + elsewhere - document["overpaid"] - settled)
    if status == "void":
        rows += _unless_zero(Part.VOIDED, -left)
        left = 0
    rows.append(Row(Part.LEFT, left))
    return rows


@dataclass(frozen=True)
class Return:
    """Money given back, or not asked for any more, in minor units. ``note``: the credit note about it.

    Without one it is what was refunded beyond all credit notes. ``payments``: those it was refunded from.
    """

    amount: int
    note: Json | None
    payments: Sequence[Json]


def returns_of(document: Json) -> list[Return]:
    notes: Sequence[Json] = document["credit_notes"]
    refunded: Sequence[Json] = [one for one in document["payments"] if one["refunded"]]
    returns = [Return(note["amount"], note, refunded if note["refunded"] else []) for note in notes]
    beyond = sum(one["refunded"] for one in refunded) - sum(note["refunded"] for note in notes)
    return [*returns, Return(beyond, None, refunded)] if beyond > 0 else returns


def unit_price_of(line: Json) -> Decimal | None:
    """The price of one, in minor units, where the line's amount is quantity x price, rounded to a minor unit.

    None where it isn't: of packages, tiers and parts of a period.
    """
    if not line["quantity"] or not line["unit_amount"]:
        return None
    price = Decimal(line["unit_amount"])
    off = Decimal(line["quantity"]) * price - line["amount"]
    return price if abs(off) <= HALF else None


def _unless_zero(part: Part, amount: int) -> list[Row]:
    return [Row(part, amount)] if amount else []
