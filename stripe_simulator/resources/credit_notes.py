"""Credit notes (https://docs.stripe.com/api/credit_notes)."""

from typing import Any

from stripe_simulator.crediting import issue_note, make_note, void_note
from stripe_simulator.endpoints import endpoint
from stripe_simulator.fields import apply
from stripe_simulator.paging import as_list, page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

GIVEN = (
    "amount credit_amount effective_at invoice lines memo metadata out_of_band_amount reason refund_amount"
    " refunds"
)


@endpoint("credit_notes.create", f"{GIVEN} email_type")
def create(simulator: Simulator, params: Json) -> Json:
    invoice = simulator.find("invoice", params["invoice"], param="invoice")
    return issue_note(simulator, invoice, make_note(simulator, invoice, params), params)


@endpoint("credit_notes.preview", GIVEN)
def preview(simulator: Simulator, params: Json) -> Json:
    invoice = simulator.find("invoice", params["invoice"], param="invoice")
    return make_note(simulator, invoice, params)


@endpoint("credit_notes.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("credit_note", identifier)


@endpoint("credit_notes.update", "memo metadata")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    note = simulator.find("credit_note", identifier)
    apply(note, params, "memo")
    return simulator.save(note, "credit_note.updated")


@endpoint("credit_notes.list", "created customer invoice")
def list_notes(simulator: Simulator, params: Json) -> Json:
    filters = {name: params.get(name) for name in ("customer", "invoice")}
    return page(simulator.store, "credit_note", "/v1/credit_notes", params, filters=filters)


@endpoint("credit_notes.void_credit_note")
def void(simulator: Simulator, _params: Json, identifier: str) -> Json:
    note = simulator.find("credit_note", identifier)
    return void_note(simulator, simulator.find("invoice", note["invoice"]), note)


@endpoint("credit_notes.line_items.list")
def list_lines(simulator: Simulator, _params: Json, identifier: str) -> Json:
    lines = simulator.find("credit_note", identifier)["lines"]["data"]
    return as_list(lines, f"/v1/credit_notes/{identifier}/lines")
