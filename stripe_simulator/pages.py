"""The pages that people see: hosted Checkout, hosted invoices and the index. Plain forms, no scripts."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl

from stripe_simulator import cards
from stripe_simulator.collection import attempt_payment
from stripe_simulator.messages import Request, Response, html_response, redirect
from stripe_simulator.money import money
from stripe_simulator.pdf import invoice_pdf
from stripe_simulator.resources.checkout_sessions import ask_for_authentication, complete, decline
from stripe_simulator.resources.payment_methods import make_card
from stripe_simulator.simulator import API_VERSION, Simulator

Json = dict[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
CARD_FIELDS = ("number", "expiry", "cvc", "name")
DECLINED = "Your card was declined."
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. "
    "Please choose a different payment method and try again."
)


def answer(simulator: Simulator, request: Request) -> Response:
    """Answer a page. Everything that changes something is a POST."""
    match request.path.strip("/").split("/"):
        case [""]:
            return _index(simulator)
        case ["style.css"]:
            return Response(200, _template("style.css").template.encode(), {"Content-Type": "text/css"})
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
        return _card_form(simulator, session, {}, alert=failed.get("message", ""))
    typed = _typed(request)
    try:
        card = _read_card(simulator, typed)
    except cards.CardInputError as mistake:
        return _card_form(simulator, session, typed, mistake=mistake, status=422)
    owner = simulator.store.get(session["customer"] or "") or {}
    email = session["customer_email"] or owner.get("email")
    method = make_card(simulator, card, name=typed["name"] or None, email=email)
    if card.number == cards.DECLINED:
        decline(simulator, session, method, code="card_declined", message=DECLINED)
        return _card_form(simulator, session, typed, alert=DECLINED, status=402)
    if card.number == cards.REQUIRES_AUTHENTICATION:
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
        return _page("3-D Secure check", _fill("authenticate.html", last4=method["card"]["last4"]))
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


def _card_form(
    simulator: Simulator,
    session: Json,
    typed: Json,
    *,
    alert: str = "",
    mistake: cards.CardInputError | None = None,
    status: int = 200,
) -> Response:
    owner = simulator.store.get(session["customer"] or "") or {}
    cancel = session["cancel_url"]
    body = _fill(
        "checkout.html",
        customer=owner.get("name") or owner.get("email") or "New customer",
        form=_card_fields(typed, alert=alert, mistake=mistake, action="Save card"),
        cancel=_html(f'<p class="center"><a href="{escape(cancel)}">Cancel</a></p>' if cancel else ""),
    )
    return _page("Save your card", body, status=status)


def _invoice(simulator: Simulator, request: Request, identifier: str) -> Response:
    with simulator.store.transaction():
        invoice = simulator.store.get(identifier)
        if invoice is None or invoice["object"] != "invoice" or invoice.get("status") in (None, "draft"):
            return _message("Page not found", "There is no such invoice.", status=404)
        if request.method != "POST" or invoice["status"] not in ("open", "uncollectible"):
            return _invoice_page(simulator, invoice, {})
        typed = _typed(request)
        try:
            card = _read_card(simulator, typed)
        except cards.CardInputError as mistake:
            return _invoice_page(simulator, invoice, typed, mistake=mistake, status=422)
        method = simulator.save(make_card(simulator, card, name=typed["name"] or None))
        if attempt_payment(simulator, invoice, method):
            return _invoice_page(simulator, invoice, typed, alert=DECLINED, status=402)
        return redirect(f"{simulator.url}/i/{identifier}")


def _invoice_page(
    simulator: Simulator,
    invoice: Json,
    typed: Json,
    *,
    alert: str = "",
    mistake: cards.CardInputError | None = None,
    status: int = 200,
) -> Response:
    currency = invoice["currency"]
    payment = ""
    if invoice["status"] in ("open", "uncollectible"):
        action = f"Pay {money(invoice['amount_remaining'], currency)}"
        form = _card_fields(typed, alert=alert, mistake=mistake, action=action)
        payment = f'<h2>Pay by card</h2><div class="panel">{form}</div>'
    body = _fill(
        "invoice.html",
        number=invoice["number"],
        status=invoice["status"].capitalize(),
        customer=invoice["customer_name"] or invoice["customer_email"] or invoice["customer"],
        date=_date(invoice["effective_at"]),
        due=_date(invoice["due_date"]) if invoice["due_date"] else "On receipt",
        lines=_rows(
            [
                (line["description"] or "", money(line["amount"], currency))
                for line in invoice["lines"]["data"]
            ],
            number_column=1,
        ),
        total=money(invoice["total"], currency),
        remaining=money(invoice["amount_remaining"], currency),
        pdf=f"{simulator.url}/i/{invoice['id']}/pdf",
        payment=_html(payment),
    )
    return _page(f"Invoice {invoice['number']}", body, status=status)


def _pdf(simulator: Simulator, identifier: str) -> Response:
    invoice = simulator.store.get(identifier)
    if invoice is None or invoice["object"] != "invoice" or not invoice.get("number"):
        return _message("Page not found", "There is no such invoice.", status=404)
    name = f'attachment; filename="Invoice-{invoice["number"]}.pdf"'
    return Response(
        200, invoice_pdf(invoice), {"Content-Type": "application/pdf", "Content-Disposition": name}
    )


def _index(simulator: Simulator) -> Response:
    customers = simulator.store.select("customer", limit=50)
    events = simulator.store.select("event", limit=50)
    body = _fill(
        "index.html",
        version=API_VERSION,
        now=_moment(simulator.clock.now()),
        customers=_rows(
            [
                (
                    customer["id"],
                    customer["name"] or "",
                    customer["email"] or "",
                    customer["invoice_settings"]["default_payment_method"] or "none",
                )
                for customer in customers
            ]
        ),
        events=_rows(
            [
                (
                    _moment(event["created"]),
                    event["type"],
                    event["data"]["object"]["id"],
                    "waiting" if simulator.store.pending_deliveries(event["id"]) else "done",
                )
                for event in events
            ]
        ),
    )
    return _page("Overview", body, layout="wide")


def _read_card(simulator: Simulator, typed: Json) -> cards.Card:
    return cards.read_card(
        number=typed["number"], expiry=typed["expiry"], cvc=typed["cvc"], today=simulator.today()
    )


def _typed(request: Request) -> Json:
    return {**dict.fromkeys(CARD_FIELDS, ""), **dict(parse_qsl(request.body, keep_blank_values=True))}


class _html(str):  # noqa: N801 # reads as a mark on a text: this is HTML already
    __slots__ = ()


def _card_fields(typed: Json, *, alert: str, mistake: cards.CardInputError | None, action: str) -> _html:
    values: Json = {name: typed.get(name, "") for name in CARD_FIELDS}
    for name in CARD_FIELDS:
        wrong = mistake is not None and mistake.field == name
        marks = f'aria-invalid="true" aria-describedby="{name}-error" autofocus' if wrong else ""
        values[f"{name}_error"] = _html(marks)
        values[f"{name}_message"] = _html(
            f'<p class="error" id="{name}-error" role="alert">{escape(str(mistake))}</p>' if wrong else ""
        )
    values["alert"] = _html(f'<p class="alert" role="alert">{escape(alert)}</p>' if alert else "")
    return _fill("card_form.html", action=action, **values)


def _message(heading: str, text: str, *, link: str | None = None, status: int = 200) -> Response:
    back = f'<a class="button" href="{escape(link)}">Go back</a>' if link else ""
    return _page(heading, _fill("message.html", heading=heading, text=text, link=_html(back)), status=status)


def _rows(rows: list[tuple[str, ...]], *, number_column: int | None = None) -> _html:
    def cell(column: int, text: str) -> str:
        return (
            f'<td class="number">{escape(text)}</td>'
            if column == number_column
            else f"<td>{escape(text)}</td>"
        )

    if not rows:
        return _html('<tr><td colspan="4">None yet.</td></tr>')
    return _html("\n".join(f"<tr>{''.join(cell(*pair) for pair in enumerate(row))}</tr>" for row in rows))


def _page(title: str, body: _html, *, layout: str = "narrow", status: int = 200) -> Response:
    return html_response(_fill("base.html", title=title, body=body, layout=layout), status)


def _fill(template: str, **values: Any) -> _html:
    texts = {name: text if isinstance(text, _html) else escape(str(text)) for name, text in values.items()}
    return _html(_template(template).substitute(texts))


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text())


def _date(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%B %-d, %Y}"


def _moment(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"
