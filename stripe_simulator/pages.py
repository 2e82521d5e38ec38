"""The pages that people see: hosted Checkout, hosted invoices and the index."""

from typing import Any

from stripe_simulator import checkout_pages, invoice_pages
from stripe_simulator.messages import Request, Response
from stripe_simulator.rendering import TEMPLATES, message, page
from stripe_simulator.simulator import API_VERSION, Simulator

Json = dict[str, Any]


def answer(simulator: Simulator, request: Request) -> Response:
    """Answer a page. Everything that changes something is a POST."""
    match request.path.strip("/").split("/"):
        case [""]:
            return _index(simulator)
        case ["style.css"]:
            return Response(200, (TEMPLATES / "style.css").read_bytes(), {"Content-Type": "text/css"})
        case ["c", "pay", session]:
            return checkout_pages.answer(simulator, request, session)
        case ["c", "pay", session, "authenticate"]:
            return checkout_pages.answer(simulator, request, session, authenticates=True)
        case ["i", invoice]:
            return invoice_pages.answer(simulator, request, invoice)
        case ["i", invoice, "authenticate"]:
            return invoice_pages.authenticate(simulator, request, invoice)
        case ["i", invoice, "pdf"]:
            return invoice_pages.pdf(simulator, invoice)
        case ["credit_notes", note, "pdf"]:
            return invoice_pages.credit_note_pdf(simulator, note)
    return message("Page not found", "There is no such page here.", status=404)


def _index(simulator: Simulator) -> Response:
    events = simulator.store.select("event", limit=50)
    return page(
        "index.html",
        version=API_VERSION,
        now=simulator.clock.now(),
        customers=simulator.store.select("customer", limit=50),
        events=events,
        waiting={event["id"] for event in events if simulator.store.pending_deliveries(event["id"])},
    )
