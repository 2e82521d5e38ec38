"""What the documents of invoices and credit notes say, in the order in which an accountant reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from stripe_simulator.methods import name_of
from stripe_simulator.money import money
from stripe_simulator.payments import charge_of, paid_payments
from stripe_simulator.rendering import day
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]
Pairs = list[tuple[str, str]]

ISSUER_ADDRESS = ("1 Simulator Street", "San Francisco, CA 94103", "United States")
STATES = {"paid": "Paid", "void": "Void", "uncollectible": "Uncollectible"}


@dataclass(frozen=True)
class Row:
    """A line of the document, each column as it is written."""

    description: str
    amount: str
    period: str = ""
    quantity: str = ""
    unit_price: str = ""
    tax: str = ""


@dataclass(frozen=True)
class Document:
    title: str
    number: str
    facts: Pairs
    issuer: list[str]
    bill_to: list[str]
    headline: str
    rows: list[Row]
    totals: Pairs
    due: tuple[str, str]
    happened: Pairs = field(default_factory=list)
    """What was paid, refunded and credited: what and how much."""
    texts: list[str] = field(default_factory=list)


def invoice_document(simulator: Simulator, invoice: Json) -> Document:
    due = day(invoice["due_date"] or invoice["effective_at"])
    state = STATES.get(invoice["status"], f"due {due}")
    custom = [(entry["name"], entry["value"]) for entry in invoice["custom_fields"] or []]
    return Document(
        title="Invoice",
        number=invoice["number"],
        facts=[
            ("Invoice number", invoice["number"]),
            ("Date of issue", day(invoice["effective_at"])),
            ("Date due", due),
            ("Currency", invoice["currency"].upper()),
            *custom,
        ],
        issuer=[invoice["account_name"], *ISSUER_ADDRESS],
        bill_to=_bill_to(invoice),
        headline=f"{money(invoice['amount_due'], invoice['currency'])} · {state}",
        rows=[_row(simulator, line, invoice["currency"]) for line in invoice["lines"]["data"]],
        totals=list(_invoice_totals(simulator, invoice)),
        due=("Amount due", money(invoice["amount_remaining"], invoice["currency"])),
        happened=list(_happened(simulator, invoice)),
        texts=[text for text in (invoice["description"], invoice["footer"]) if text],
    )


def credit_note_document(simulator: Simulator, note: Json) -> Document:
    currency = note["currency"]
    invoice = simulator.find("invoice", note["invoice"])
    given_back = [
        (f"Refund {entry['refund']}", money(entry["amount_refunded"], currency)) for entry in note["refunds"]
    ]
    if note["customer_balance_transaction"]:
        transaction = simulator.find("customer_balance_transaction", note["customer_balance_transaction"])
        given_back.append(("Credited to the customer balance", money(-transaction["amount"], currency)))
    if note["out_of_band_amount"]:
        given_back.append(("Given back outside of Stripe", money(note["out_of_band_amount"], currency)))
    if note["pre_payment_amount"]:
        given_back.append(("Taken off what was due", money(note["pre_payment_amount"], currency)))
    return Document(
        title="Credit note",
        number=note["number"],
        facts=[
            ("Credit note number", note["number"]),
            ("Date of issue", day(note["effective_at"])),
            ("Invoice number", invoice["number"]),
            ("Currency", currency.upper()),
        ],
        issuer=[invoice["account_name"], *ISSUER_ADDRESS],
        bill_to=_bill_to(invoice),
        headline=f"{money(note['total'], currency)} · {'Void' if note['status'] == 'void' else 'Issued'}",
        rows=[_row(simulator, line, currency) for line in note["lines"]["data"]],
        totals=[
            ("Subtotal", money(note["subtotal"], currency)),
            *_discounts(simulator, note["discount_amounts"], currency),
            *_taxes(simulator, note["total_taxes"] or [], currency),
        ],
        due=("Total credited", money(note["total"], currency)),
        happened=given_back,
        texts=[note["memo"]] if note["memo"] else [],
    )


def _bill_to(invoice: Json) -> list[str]:
    address = invoice["customer_address"] or {}
    city = " ".join(address[name] for name in ("postal_code", "city", "state") if address.get(name))
    lines = [
        invoice["customer_name"],
        address.get("line1"),
        address.get("line2"),
        city,
        address.get("country"),
        invoice["customer_email"],
        *(f"{tax_id['type']} {tax_id['value']}" for tax_id in invoice["customer_tax_ids"]),
    ]
    return [line for line in lines if line]


def _row(simulator: Simulator, line: Json, currency: str) -> Row:
    period = line.get("period") or {"start": 0, "end": 0}
    long = period["end"] > period["start"]
    unit = (line.get("pricing") or {}).get("unit_amount_decimal") or line.get("unit_amount_decimal")
    rates = [_rate_of(simulator, tax) for tax in line["taxes"] or []]
    return Row(
        description=line["description"] or "Item",
        amount=money(line["amount"], currency),
        period=f"{day(period['start'])} to {day(period['end'])}" if long else "",
        quantity=str(line["quantity"] or ""),
        unit_price=_unit_price(Decimal(unit), currency) if unit else "",
        tax=", ".join(f"{rate['percentage']:g}%" for rate in rates if rate),
    )


def _unit_price(amount: Decimal, currency: str) -> str:
    """A price per unit may have parts of a minor unit, which money has not."""
    if amount == int(amount):
        return money(int(amount), currency)
    return f"{amount.normalize():f} / 100 {currency.upper()}"


def _invoice_totals(simulator: Simulator, invoice: Json) -> Iterator[tuple[str, str]]:
    currency = invoice["currency"]
    yield "Subtotal", money(invoice["subtotal"], currency)
    yield from _discounts(simulator, invoice["total_discount_amounts"] or [], currency)
    if invoice["total_taxes"]:
        yield "Total excluding tax", money(invoice["total_excluding_tax"], currency)
        yield from _taxes(simulator, invoice["total_taxes"], currency)
    yield "Total", money(invoice["total"], currency)
    if invoice["pre_payment_credit_notes_amount"]:
        yield "Credit notes", money(-invoice["pre_payment_credit_notes_amount"], currency)
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if applied:
        yield _balance_words(applied, invoice["total"]), money(-applied, currency)
    if invoice["amount_paid"]:
        yield "Amount paid", money(-invoice["amount_paid"], currency)


def _balance_words(applied: int, total: int) -> str:
    if applied > 0:
        return "Applied balance"
    return "Credited to the customer balance" if total < 0 else "Owed from before"


def _discounts(simulator: Simulator, amounts: list[Json], currency: str) -> Iterator[tuple[str, str]]:
    for entry in amounts:
        discount = simulator.store.get(entry["discount"]) or {"source": {"coupon": ""}}
        coupon = simulator.store.get(discount["source"]["coupon"] or "") or {}
        words = coupon.get("name") or "Discount"
        if coupon.get("percent_off"):
            words += f" ({coupon['percent_off']:g}% off)"
        yield words, money(-entry["amount"], currency)


def _taxes(simulator: Simulator, taxes: list[Json], currency: str) -> Iterator[tuple[str, str]]:
    for tax in taxes:
        rate = _rate_of(simulator, tax)
        words = f"{rate['display_name']} {rate['percentage']:g}%" if rate else "Tax"
        if tax.get("taxable_amount") is not None:
            words += f" on {money(tax['taxable_amount'], currency)}"
        included = " (included)" if tax["tax_behavior"] == "inclusive" else ""
        yield f"{words}{included}", money(tax["amount"], currency)


def _rate_of(simulator: Simulator, tax: Json) -> Json:
    return simulator.store.get((tax["tax_rate_details"] or {}).get("tax_rate", "")) or {}


def _happened(simulator: Simulator, invoice: Json) -> Iterator[tuple[str, str]]:
    currency = invoice["currency"]
    for payment in reversed(paid_payments(simulator, invoice)):
        charge = charge_of(simulator, payment)
        paid_at = day(payment["status_transitions"]["paid_at"])
        yield f"Paid on {paid_at} by {name_of(charge)}", money(charge["amount"], currency)
        for refund in simulator.store.select(
            "refund", where="AND json_extract(body, '$.charge') = ?", values=(charge["id"],)
        ):
            words = f"Refund of {day(refund['created'])}, {refund['status']}"
            yield words, money(-refund["amount"], currency)
    off_stripe = invoice.get("amount_paid_off_stripe")
    if off_stripe:
        paid_at = day(invoice["status_transitions"]["paid_at"])
        yield f"Paid on {paid_at} outside of Stripe", money(off_stripe, currency)
    for note in simulator.store.select(
        "credit_note",
        where="AND json_extract(body, '$.invoice') = ? AND json_extract(body, '$.status') = 'issued'",
        values=(invoice["id"],),
        oldest_first=True,
    ):
        yield f"Credit note {note['number']} of {day(note['effective_at'])}", money(-note["total"], currency)
