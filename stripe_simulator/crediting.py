"""How credit notes change what an invoice asks for (https://docs.stripe.com/invoicing/integration/programmatic-credit-notes).

A note first lowers what remains to pay; what goes beyond is given back as a refund, as customer balance or
outside of Stripe.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stripe_simulator.balances import change_balance
from stripe_simulator.collection import mark_paid
from stripe_simulator.errors import StripeError, not_simulated
from stripe_simulator.fields import merged_metadata
from stripe_simulator.money import money
from stripe_simulator.paging import as_list
from stripe_simulator.payments import cancel_payment, fit_payment, paid_charges, refuse_processing
from stripe_simulator.refunding import refund_charge
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

GIVEN_BACK = ("refund_amount", "credit_amount", "out_of_band_amount")


def make_note(simulator: Simulator, invoice: Json, params: Json) -> Json:
    """The credit note that these parameters ask for; not saved. Raises StripeError if they don't add up."""
    if invoice["status"] not in ("open", "paid"):
        raise StripeError(
            f"You can only create credit notes for open or paid invoices. This one is {invoice['status']}.",
            param="invoice",
        )
    refuse_processing(simulator, invoice)
    lines = [_line(invoice, given, index) for index, given in enumerate(params.get("lines", []))]
    if not lines and "amount" not in params:
        raise StripeError("You must specify `amount`, `lines` or `shipping_cost`.", param="amount")
    total = sum(line["simulated_total"] for line in lines) if lines else params["amount"]
    if lines and params.get("amount", total) != total:
        raise StripeError("The `amount` must equal the sum of the lines with their taxes.", param="amount")
    _check_total(invoice, total)
    pre_payment = min(total, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    _check_given_back(params, total - pre_payment, invoice["currency"])
    return _note(simulator, invoice, params, lines=lines, total=total, pre_payment=pre_payment)


def issue_note(simulator: Simulator, invoice: Json, note: Json, params: Json) -> Json:
    """Give back what the note says, and let the invoice ask for less."""
    customer = simulator.find("customer", invoice["customer"], param="customer")
    if params.get("credit_amount"):
        transaction = change_balance(
            simulator,
            customer,
            amount=-params["credit_amount"],
            currency=invoice["currency"],
            kind="credit_note",
            credit_note=note["id"],
            invoice=invoice["id"],
        )
        note["customer_balance_transaction"] = transaction["id"]
    if params.get("refund_amount"):
        note["refunds"] += _refund(simulator, invoice, params["refund_amount"])
    simulator.save(note)
    simulator.emit("credit_note.created", note)
    invoice["pre_payment_credit_notes_amount"] += note["pre_payment_amount"]
    invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
    _lower(simulator, invoice, note["pre_payment_amount"])
    return note


def void_note(simulator: Simulator, invoice: Json, note: Json) -> Json:
    """Take back a note that only lowered what remained to pay. Raises StripeError for any other."""
    if note["status"] == "void" or note["post_payment_amount"] or invoice["status"] != "open":
        raise StripeError("You can only void an issued credit note of an open invoice.")
    note |= {"status": "void", "voided_at": simulator.clock.now()}
    simulator.save(note)
    simulator.emit("credit_note.voided", note)
    invoice["pre_payment_credit_notes_amount"] -= note["pre_payment_amount"]
    _lower(simulator, invoice, -note["pre_payment_amount"])
    return note


def _lower(simulator: Simulator, invoice: Json, amount: int) -> None:
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
        cancel_payment(simulator, invoice)
        mark_paid(simulator, invoice)
        return
    if amount:
        fit_payment(simulator, invoice)
    simulator.save(invoice, "invoice.updated")


def _refund(simulator: Simulator, invoice: Json, amount: int) -> list[Json]:
    """Refund the invoice's payments, the latest first."""
    made = []
    for charge in paid_charges(simulator, invoice):
        part = min(amount, charge["amount_captured"] - charge["amount_refunded"])
        if part:
            refund = refund_charge(simulator, charge, amount=part, reason=None, metadata={})
            made.append({"amount_refunded": part, "refund": refund["id"], "type": "refund"})
            amount -= part
    if amount:
        raise StripeError(
            "The refund amount is greater than what was paid through Stripe and isn't refunded yet.",
            param="refund_amount",
        )
    return made


def _check_total(invoice: Json, total: int) -> None:
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    most = invoice["total"] - credited
    if not 0 < total <= most:
        raise StripeError(
            f"The credit note amount of {money(total, invoice['currency'])} must be between "
            f"{money(1, invoice['currency'])} and {money(most, invoice['currency'])}, which is what isn't "
            "credited of the invoice.",
            param="amount",
        )


def _check_given_back(params: Json, post_payment: int, currency: str) -> None:
    linked = sum(refund.get("amount_refunded", 0) for refund in params.get("refunds", []))
    given = linked + sum(params.get(name, 0) for name in GIVEN_BACK)
    if given != post_payment:
        raise StripeError(
            f"The sum of credit amount, refund amount and out of band amount ({money(given, currency)}) must "
            f"equal the credit note's post payment amount ({money(post_payment, currency)})."
        )


def _note(
    simulator: Simulator, invoice: Json, params: Json, *, lines: list[Json], total: int, pre_payment: int
) -> Json:
    discounts = [one for line in lines for one in line["discount_amounts"]]
    taxes = [tax for line in lines for tax in line["taxes"]]
    subtotal = sum(line["amount"] for line in lines) if lines else total
    included = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    post_payment = total - pre_payment
    kind = "mixed" if pre_payment and post_payment else "pre_payment" if pre_payment else "post_payment"
    before = simulator.store.select(
        "credit_note", where="AND json_extract(body, '$.invoice') = ?", values=(invoice["id"],)
    )
    note = simulator.new(
        "credit_note",
        "cn",
        amount=total,
        amount_shipping=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        customer_account=None,
        customer_balance_transaction=None,
        discount_amount=sum(one["amount"] for one in discounts),
        discount_amounts=discounts,
        effective_at=params.get("effective_at", simulator.clock.now()),
        invoice=invoice["id"],
        memo=params.get("memo"),
        metadata=merged_metadata({}, params.get("metadata")),
        number=f"{invoice['number']}-CN-{len(before) + 1:02d}",
        out_of_band_amount=params.get("out_of_band_amount"),
        pdf="",
        post_payment_amount=post_payment,
        pre_payment_amount=pre_payment,
        pretax_credit_amounts=[],
        reason=params.get("reason"),
        refunds=_linked_refunds(simulator, params),
        shipping_cost=None,
        status="issued",
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal - included,
        total=total,
        total_excluding_tax=total - sum(tax["amount"] for tax in taxes),
        total_taxes=taxes,
        type=kind,
        voided_at=None,
    )
    shown = [{name: line[name] for name in line if name != "simulated_total"} for line in lines]
    note["lines"] = as_list(shown, f"/v1/credit_notes/{note['id']}/lines")
    return note


def _linked_refunds(simulator: Simulator, params: Json) -> list[Json]:
    """Refunds that were made before and are named by the note."""
    linked = []
    for index, given in enumerate(params.get("refunds", [])):
        if "refund" not in given or "amount_refunded" not in given:
            raise not_simulated("links refunds with `refund` and `amount_refunded` only", f"refunds[{index}]")
        simulator.find("refund", given["refund"], param=f"refunds[{index}][refund]")
        linked.append(
            {"amount_refunded": given["amount_refunded"], "refund": given["refund"], "type": "refund"}
        )
    return linked


def _line(invoice: Json, given: Json, index: int) -> Json:
    """A credited line; of an invoice's line, its discounts and taxes are credited in the same share."""
    if given.keys() & {"tax_amounts", "tax_rates"}:
        raise not_simulated("computes the taxes of credit notes itself", f"lines[{index}]")
    source = None
    if given["type"] == "invoice_line_item":
        named = given.get("invoice_line_item")
        source = next((line for line in invoice["lines"]["data"] if line["id"] == named), None)
        if source is None:
            param = f"lines[{index}][invoice_line_item]"
            raise StripeError(f"No such invoice line item: '{named}'", code="resource_missing", param=param)
    amount = _amount(given, source, index)
    share = Decimal(amount) / source["amount"] if source and source["amount"] else Decimal(0)
    discounts = [_shared(one, share) for one in source["discount_amounts"]] if source else []
    taxes = [_shared(tax, share) for tax in source["taxes"] or []] if source else []
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    discount = sum(one["amount"] for one in discounts)
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": given.get("description") or (source and source["description"]),
        "discount_amount": discount,
        "discount_amounts": discounts,
        "invoice_line_item": source and source["id"],
        "livemode": False,
        "metadata": given.get("metadata") or {},
        "pretax_credit_amounts": [],
        "quantity": given.get("quantity"),
        "tax_rates": [],
        "taxes": taxes,
        "type": given["type"],
        "unit_amount": given.get("unit_amount"),
        "unit_amount_decimal": given.get("unit_amount_decimal"),
        "simulated_total": amount - discount + added,
    }


def _amount(given: Json, source: Json | None, index: int) -> int:
    """Before discounts and taxes, in minor units."""
    if "amount" in given:
        return int(given["amount"])
    for name in ("unit_amount_decimal", "unit_amount"):
        if name in given:
            return _rounded(Decimal(given[name]) * given.get("quantity", 1))
    if source and source["quantity"]:
        quantity = given["quantity"] if "quantity" in given else source["quantity"]
        return _rounded(Decimal(quantity) / source["quantity"] * source["amount"])
    raise StripeError("You must specify `amount` or `quantity`.", param=f"lines[{index}][amount]")


def _shared(part: Json, share: Decimal) -> Json:
    counted = {name: part[name] for name in ("amount", "taxable_amount") if part.get(name) is not None}
    return {**part, **{name: _rounded(amount * share) for name, amount in counted.items()}}


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
