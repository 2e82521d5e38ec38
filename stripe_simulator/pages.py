"""The pages that people see: hosted Checkout, hosted invoices and the index. Plain forms, no scripts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stripe_simulator import cards
from stripe_simulator.collection import attempt_payment
from stripe_simulator.messages import Request, Response, html_response, redirect
from stripe_simulator.methods import make_card
from stripe_simulator.money import money
from stripe_simulator.outcomes import outcome_of
from stripe_simulator.pdf import invoice_pdf
from stripe_simulator.resources.checkout_sessions import ask_for_authentication, complete, decline
from stripe_simulator.simulator import API_VERSION, Simulator

Json = dict[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
PAYABLE = ("open", "uncollectible")
DECLINED = "Your card was declined."
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. "
    "Please choose a different payment method and try again."
)


def _nothing_typed() -> Json:
    return dict.fromkeys(("number", "expiry", "cvc", "name"), "")


@dataclass(frozen=True)
class Attempt:
    """What was typed into the card form, and why it was not enough."""

    typed: Json = field(default_factory=_nothing_typed)
    alert: str = ""
    mistake: cards.CardInputError | None = None


def answer(simulator: Simulator, request: Request) -> Response:
    """Answer a page. Everything that changes something is a POST."""
    match request.path.strip("/").split("/"):
        case [""]:
            return _index(simulator)
        case ["style.css"]:
            return Response(200, (TEMPLATES / "style.css").read_bytes(), {"Content-Type": "text/css"})
        case ["c", "pay", session]:
            return _checkout(simulator, request, session, _card_page)
        case ["c", "pay", session, "authenticate"]:
            return _checkout(simulator, request, session, _authentication_page)
        case ["i", invoice]:
            return _invoice(simulator, request, invoice)
        case ["i", invoice, "pdf"]:
            return _pdf(simulator, invoice)
    return _message("Page not found", "There is no such page here.", status=404)


def _checkout(
    simulator: Simulator,
    request: Request,
    identifier: str,
    page: Callable[[Simulator, Request, Json], Response],
) -> Response:
    """A page of an open session; a session that is over says so."""
    with simulator.store.transaction():
        session = simulator.store.get(identifier)
        if session is None or session["object"] != "checkout.session":
            return _message("Page not found", "There is no such Checkout session.", status=404)
        link = session["cancel_url"] or session["success_url"].replace("{CHECKOUT_SESSION_ID}", identifier)
        if session["status"] == "complete":
            return _message(
                "You're all done here", "This Checkout session is complete: your card is saved.", link=link
            )
        if session["status"] == "expired" or session["expires_at"] <= simulator.clock.now():
            return _message(
                "This page has expired", "This Checkout session timed out.", link=link, status=410
            )
        return page(simulator, request, session)


def _card_page(simulator: Simulator, request: Request, session: Json) -> Response:
    if request.method != "POST":
        intent = simulator.find("setup_intent", session["setup_intent"])
        failed = intent["last_setup_error"] or {}
        return _card_form(simulator, session, Attempt(alert=failed.get("message", "")))
    typed = _typed(request)
    try:
        card = _read_card(simulator, typed)
    except cards.CardInputError as mistake:
        return _card_form(simulator, session, Attempt(typed, mistake=mistake), status=422)
    owner = simulator.store.get(session["customer"] or "") or {}
    email = session["customer_email"] or owner.get("email")
    method = make_card(simulator, card, name=typed["name"] or None, email=email)
    outcome = outcome_of(method)
    if outcome.refusal and outcome.refused_at_setup:
        decline(simulator, session, method, code="card_declined", message=DECLINED)
        return _card_form(simulator, session, Attempt(typed, alert=DECLINED), status=402)
    if outcome.authentication != "never":
        url = f"{simulator.url}/c/pay/{session['id']}/authenticate"
        ask_for_authentication(simulator, session, method, url)
        return redirect(url)
    return _completed(simulator, session, method)


def _authentication_page(simulator: Simulator, request: Request, session: Json) -> Response:
    intent = simulator.find("setup_intent", session["setup_intent"])
    form = f"{simulator.url}/c/pay/{session['id']}"
    if intent["status"] != "requires_action":
        return redirect(form)
    method = simulator.find("payment_method", intent["payment_method"])
    if request.method != "POST":
        return _page("authenticate.html", last4=method["card"]["last4"])
    if _typed(request).get("result") == "complete":
        return _completed(simulator, session, method)
    decline(
        simulator,
        session,
        method,
        code="setup_intent_authentication_failure",
        message=NOT_AUTHENTICATED,
    )
    return redirect(form)


def _completed(simulator: Simulator, session: Json, method: Json) -> Response:
    complete(simulator, session, method)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _card_form(simulator: Simulator, session: Json, attempt: Attempt, *, status: int = 200) -> Response:
    owner = simulator.store.get(session["customer"] or "") or {}
    return _page(
        "checkout.html",
        status=status,
        customer=owner.get("name") or owner.get("email") or "New customer",
        attempt=attempt,
        cancel_url=session["cancel_url"],
    )


def _invoice(simulator: Simulator, request: Request, identifier: str) -> Response:
    with simulator.store.transaction():
        invoice = simulator.store.get(identifier)
        if invoice is None or invoice["object"] != "invoice" or invoice.get("status") in (None, "draft"):
            return _message("Page not found", "There is no such invoice.", status=404)
        if request.method != "POST" or invoice["status"] not in PAYABLE:
            return _invoice_page(simulator, invoice, Attempt())
        typed = _typed(request)
        try:
            card = _read_card(simulator, typed)
        except cards.CardInputError as mistake:
            return _invoice_page(simulator, invoice, Attempt(typed, mistake=mistake), status=422)
        method = simulator.save(make_card(simulator, card, name=typed["name"] or None))
        if attempt_payment(simulator, invoice, method):
            return _invoice_page(simulator, invoice, Attempt(typed, alert=DECLINED), status=402)
        return redirect(f"{simulator.url}/i/{identifier}")


def _invoice_page(simulator: Simulator, invoice: Json, attempt: Attempt, *, status: int = 200) -> Response:
    return _page(
        "invoice.html",
        status=status,
        invoice={**invoice, "invoice_pdf": f"{simulator.url}/i/{invoice['id']}/pdf"},
        payable=invoice["status"] in PAYABLE,
        attempt=attempt,
    )


def _pdf(simulator: Simulator, identifier: str) -> Response:
    invoice = simulator.store.get(identifier)
    if invoice is None or invoice["object"] != "invoice" or not invoice.get("number"):
        return _message("Page not found", "There is no such invoice.", status=404)
    name = f'attachment; filename="Invoice-{invoice["number"]}.pdf"'
    return Response(
        200, invoice_pdf(invoice), {"Content-Type": "application/pdf", "Content-Disposition": name}
    )


def _index(simulator: Simulator) -> Response:
    events = simulator.store.select("event", limit=50)
    return _page(
        "index.html",
        version=API_VERSION,
        now=simulator.clock.now(),
        customers=simulator.store.select("customer", limit=50),
        events=events,
        waiting={event["id"] for event in events if simulator.store.pending_deliveries(event["id"])},
    )


def _message(heading: str, text: str, *, link: str | None = None, status: int = 200) -> Response:
    return _page("message.html", status=status, heading=heading, text=text, link=link)


def _read_card(simulator: Simulator, typed: Json) -> cards.Card:
    return cards.read_card(
        number=typed["number"], expiry=typed["expiry"], cvc=typed["cvc"], today=simulator.today()
    )


def _typed(request: Request) -> Json:
    return {**_nothing_typed(), **dict(parse_qsl(request.body, keep_blank_values=True))}


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    return html_response(ENVIRONMENT.get_template(template).render(values), status)


def _day(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%B %-d, %Y}"


def _moment(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {"day": _day, "moment": _moment, "money": money}
