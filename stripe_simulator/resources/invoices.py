"""Invoices (https://docs.stripe.com/api/invoices)."""

from typing import Any

from stripe_simulator.collection import (
    attempt_payment,
    finalize,
    pay_out_of_band,
    payment_method_for,
    take_payment,
    void,
    write_off,
)
from stripe_simulator.due import DAY, HOUR
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, not_simulated, required
from stripe_simulator.fields import apply
from stripe_simulator.invoicing import (
    apply_discounts_and_tax,
    make_invoice,
    require_location,
    take_pending_items,
)
from stripe_simulator.paging import as_list, page
from stripe_simulator.payments import add_payment, mark_payment_paid, payment_of, refuse_processing
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import chargeable, require_source

Json = dict[str, Any]

EDITABLE = (
    "description footer default_payment_method default_source statement_descriptor custom_fields number"
)
COMMON = (
    "auto_advance automatic_tax.enabled collection_method days_until_due default_tax_rates discounts due_date"
    f" metadata {EDITABLE}"
)


@endpoint("invoices.create", f"{COMMON} currency customer pending_invoice_items_behavior subscription")
def create(simulator: Simulator, params: Json) -> Json:
    if "customer" not in params:
        raise required("customer")
    customer = simulator.find("customer", params["customer"], param="customer")
    subscription = None
    if "subscription" in params:
        subscription = simulator.find("subscription", params["subscription"], param="subscription")
    currency = params.get("currency") or (subscription or customer)["currency"] or "usd"
    invoice = make_invoice(
        simulator,
        customer,
        currency=currency.lower(),
        billing_reason="manual",
        collection_method=params.get("collection_method", "charge_automatically"),
        auto_advance=params.get("auto_advance", False),
        subscription=subscription,
    )
    _change(simulator, invoice, params)
    simulator.save(invoice)
    if params.get("pending_invoice_items_behavior") == "include":
        take_pending_items(simulator, invoice)
        simulator.save(invoice)
    simulator.emit("invoice.created", invoice)
    return invoice


@endpoint("invoices.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("invoice", identifier)


@endpoint("invoices.update", COMMON)
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    frozen = [
        name
        for name in params
        if name not in ("metadata", "auto_advance", "default_payment_method", "default_source", "expand")
    ]
    if invoice["status"] != "draft" and frozen:
        raise StripeError(
            "Finalized invoices can't be updated in this way.", code="invoice_not_editable", param=frozen[0]
        )
    _change(simulator, invoice, params)
    return simulator.save(invoice, "invoice.updated")


@endpoint("invoices.list", "collection_method created customer due_date status subscription")
def list_invoices(simulator: Simulator, params: Json) -> Json:
    filters = {name: params.get(name) for name in ("collection_method", "customer", "due_date", "status")}
    filters["parent.subscription_details.subscription"] = params.get("subscription")
    return page(simulator.store, "invoice", "/v1/invoices", params, filters=filters)


@endpoint("invoices.line_items.list")
def list_lines(simulator: Simulator, params: Json, identifier: str) -> Json:
    lines = simulator.find("invoice", identifier)["lines"]["data"]
    ids = [line["id"] for line in lines]
    start = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
    end = start + params.get("limit", 10)
    return as_list(lines[start:end], f"/v1/invoices/{identifier}/lines", has_more=end < len(lines))


@endpoint("invoices.delete")
def delete(simulator: Simulator, _params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    if invoice["status"] != "draft" or invoice["parent"]:
        raise StripeError("You can only delete draft invoices.", code="invoice_not_editable")
    simulator.emit("invoice.deleted", invoice)
    return simulator.save({"id": identifier, "object": "invoice", "deleted": True})


@endpoint("invoices.finalize_invoice", "auto_advance")
def finalize_invoice(simulator: Simulator, params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    invoice["auto_advance"] = params.get("auto_advance", invoice["auto_advance"])
    if invoice["automatic_tax"]["status"] == "requires_location_inputs":
        require_location(simulator, invoice["customer"])
    automatic = invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically"
    invoice["next_payment_attempt"] = simulator.clock.now() + HOUR if automatic else None
    return finalize(simulator, invoice)


@endpoint("invoices.pay", "off_session paid_out_of_band payment_method source")
def pay(simulator: Simulator, params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    if invoice["status"] == "draft":
        finalize(simulator, invoice)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeError(f"This invoice can't be paid: its status is {invoice['status']}.")
    if params.get("paid_out_of_band"):
        return pay_out_of_band(simulator, invoice)
    method = _chosen_method(simulator, invoice, params)
    on_session = not params.get("off_session", True)
    refusal = attempt_payment(simulator, invoice, method, on_session=on_session, by_hand=True)
    if refusal:
        raise refusal
    return invoice


@endpoint("invoices.send_invoice")
def send(simulator: Simulator, _params: Json, identifier: str) -> Json:
    """Mail a final invoice; a draft becomes final by it."""
    invoice = simulator.find("invoice", identifier)
    if invoice["collection_method"] != "send_invoice":
        raise StripeError(
            "You can only manually send an invoice if its collection method is 'send_invoice'.",
            param="collection_method",
        )
    if invoice["status"] == "draft":
        return finalize(simulator, invoice)
    if invoice["status"] == "void":
        raise StripeError("This invoice is void and can't be sent.")
    simulator.emit("invoice.sent", invoice)
    return invoice


@endpoint("invoices.attach_payment", "payment_intent")
def attach_payment(simulator: Simulator, params: Json, identifier: str) -> Json:
    """Count a payment made on its own, in part or in whole."""
    invoice = simulator.find("invoice", identifier)
    if "payment_intent" not in params:
        raise required("payment_intent")
    if invoice["status"] != "open":
        raise StripeError("You can only attach payments to open invoices.")
    refuse_processing(simulator, invoice)
    intent = simulator.find("payment_intent", params["payment_intent"], param="payment_intent")
    _check_attachable(simulator, invoice, intent)
    payment = add_payment(simulator, invoice, intent, is_default=False)
    mark_payment_paid(simulator, payment)
    take_payment(simulator, invoice, intent["amount_received"])
    return invoice


@endpoint("invoices.void_invoice")
def void_invoice(simulator: Simulator, _params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeError("You can only pass in open or uncollectible invoices. This invoice isn't one.")
    return void(simulator, invoice)


@endpoint("invoices.mark_uncollectible")
def mark_uncollectible(simulator: Simulator, _params: Json, identifier: str) -> Json:
    invoice = simulator.find("invoice", identifier)
    if invoice["status"] != "open":
        raise StripeError("You can only mark an open invoice as uncollectible.")
    return write_off(simulator, invoice)


def _check_attachable(simulator: Simulator, invoice: Json, intent: Json) -> None:
    if payment_of(simulator, intent):
        raise StripeError("This PaymentIntent is attached to an invoice already.", param="payment_intent")
    if (intent["customer"], intent["currency"]) != (invoice["customer"], invoice["currency"]):
        raise StripeError(
            "The PaymentIntent and the invoice must have the same customer and currency.",
            param="payment_intent",
        )
    if intent["status"] != "succeeded":
        raise not_simulated("attaches payments that have succeeded only", "payment_intent")
    if intent["amount_received"] > invoice["amount_remaining"]:
        raise not_simulated("attaches no more than what remains to pay", "payment_intent")


def _chosen_method(simulator: Simulator, invoice: Json, params: Json) -> Json | None:
    if "source" in params:
        require_source(simulator, invoice["customer"], params["source"], param="source")
        return chargeable(simulator, params["source"])
    if "payment_method" not in params:
        return payment_method_for(simulator, invoice)
    method = simulator.find("payment_method", params["payment_method"], param="payment_method")
    if method["customer"] != invoice["customer"]:
        raise StripeError(
            "The payment method does not belong to the invoice's customer.", param="payment_method"
        )
    return method


def _change(simulator: Simulator, invoice: Json, params: Json) -> None:
    apply(invoice, params, f"collection_method {EDITABLE}")
    if params.get("default_payment_method"):
        simulator.find("payment_method", params["default_payment_method"], param="default_payment_method")
    if params.get("default_source"):
        require_source(simulator, invoice["customer"], params["default_source"])
    now = simulator.clock.now()
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
        waits = invoice["auto_advance"] and invoice["status"] == "draft"
        invoice["automatically_finalizes_at"] = now + HOUR if waits else None
    sends = invoice["collection_method"] == "send_invoice"
    if ("days_until_due" in params or "due_date" in params) and not sends:
        raise StripeError(
            "You can only set a due date on invoices with collection_method=send_invoice.",
            param="days_until_due" if "days_until_due" in params else "due_date",
        )
    if sends and invoice["due_date"] is None and "days_until_due" not in params and "due_date" not in params:
        raise StripeError(
            "You must pass either `days_until_due` or `due_date` when collection_method=send_invoice.",
            code="parameter_missing",
            param="days_until_due",
        )
    if "days_until_due" in params:
        invoice["due_date"] = now + params["days_until_due"] * DAY
    if "due_date" in params:
        invoice["due_date"] = params["due_date"]
    apply_discounts_and_tax(simulator, invoice, params)
