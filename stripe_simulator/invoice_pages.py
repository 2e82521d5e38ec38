"""Hosted invoices: what is owed, paying it, and the documents."""

from typing import Any

from stripe_simulator.bank_accounts import BankAccountInputError, offered_types
from stripe_simulator.cards import CardInputError
from stripe_simulator.collection import attempt_payment, authenticate_payment
from stripe_simulator.documents import Document, credit_note_document, invoice_document
from stripe_simulator.errors import ActionRequiredError
from stripe_simulator.forms import Attempt, choices, read_method, typed_into
from stripe_simulator.frozen_time import time_of
from stripe_simulator.messages import Request, Response, redirect
from stripe_simulator.payments import intent_of, open_payment
from stripe_simulator.pdf import draw
from stripe_simulator.rendering import message, page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

PAYABLE = ("open", "uncollectible")


def answer(simulator: Simulator, request: Request, identifier: str) -> Response:
    with simulator.store.transaction(), time_of(simulator, [identifier]):
        invoice = _found(simulator, identifier)
        if invoice is None:
            return message("Page not found", "There is no such invoice.", status=404)
        intent = _intent(simulator, invoice)
        payable = invoice["status"] in PAYABLE and intent.get("status") != "processing"
        if request.method != "POST" or not payable:
            return _show(simulator, invoice, Attempt())
        typed = typed_into(request)
        if typed["type"] not in offered_types(invoice["currency"]):
            return _show(simulator, invoice, Attempt(alert="Choose one of the methods below."), status=422)
        try:
            method = read_method(simulator, typed, email=invoice["customer_email"])
        except (CardInputError, BankAccountInputError) as mistake:
            return _show(simulator, invoice, Attempt(typed, mistake=mistake), status=422)
        simulator.save(method)
        refusal = attempt_payment(simulator, invoice, method, on_session=True, by_hand=True)
        if isinstance(refusal, ActionRequiredError):
            return redirect(f"{simulator.url}/i/{identifier}/authenticate")
        if refusal:
            return _show(simulator, invoice, Attempt(typed, alert=refusal.args[0]), status=402)
        return redirect(f"{simulator.url}/i/{identifier}")


def authenticate(simulator: Simulator, request: Request, identifier: str) -> Response:
    """The bank's question, whether the card was typed here or charged by itself."""
    with simulator.store.transaction(), time_of(simulator, [identifier]):
        invoice = _found(simulator, identifier)
        if invoice is None:
            return message("Page not found", "There is no such invoice.", status=404)
        intent = _intent(simulator, invoice)
        if intent.get("status") == "requires_action":
            if request.method != "POST":
                method = simulator.store.get(intent["payment_method"] or intent["source"]) or {}
                return page("authenticate.html", last4=method["card"]["last4"], name="Card")
            succeed = typed_into(request).get("result") == "complete"
            authenticate_payment(simulator, invoice, intent, succeed=succeed)
        return redirect(f"{simulator.url}/i/{identifier}")


def pdf(simulator: Simulator, identifier: str) -> Response:
    invoice = _found(simulator, identifier)
    if invoice is None:
        return message("Page not found", "There is no such invoice.", status=404)
    return _file(f"Invoice-{invoice['number']}.pdf", invoice_document(simulator, invoice))


def credit_note_pdf(simulator: Simulator, identifier: str) -> Response:
    note = simulator.store.get(identifier)
    if note is None or note["object"] != "credit_note":
        return message("Page not found", "There is no such credit note.", status=404)
    return _file(f"CreditNote-{note['number']}.pdf", credit_note_document(simulator, note))


def _file(name: str, document: Document) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(
        200, draw(document), {"Content-Type": "application/pdf", "Content-Disposition": disposition}
    )


def _found(simulator: Simulator, identifier: str) -> Json | None:
    """A final invoice; a draft has no page."""
    invoice = simulator.store.get(identifier)
    if invoice is None or invoice["object"] != "invoice" or invoice.get("status") in (None, "draft"):
        return None
    return invoice


def _intent(simulator: Simulator, invoice: Json) -> Json:
    payment = open_payment(simulator, invoice)
    return intent_of(simulator, payment) if payment else {}


def _show(simulator: Simulator, invoice: Json, attempt: Attempt, *, status: int = 200) -> Response:
    intent = _intent(simulator, invoice)
    failed = intent.get("last_payment_error") or {}
    return page(
        "invoice.html",
        status=status,
        invoice={**invoice, "invoice_pdf": f"{simulator.url}/i/{invoice['id']}/pdf"},
        payable=invoice["status"] in PAYABLE and intent.get("status") != "processing",
        processing=intent.get("status") == "processing",
        asked=intent.get("status") == "requires_action",
        choices=choices(offered_types(invoice["currency"])),
        attempt=attempt
        if attempt.alert
        else Attempt(attempt.typed, failed.get("message", ""), attempt.mistake),
    )
