"""Hosted Checkout: the form, and the bank's question."""

from collections.abc import Callable
from typing import Any

from stripe_simulator.bank_accounts import NAMES, REUSABLE, BankAccountInputError
from stripe_simulator.cards import CardInputError
from stripe_simulator.errors import StripeError
from stripe_simulator.forms import Attempt, choices, read_method, typed_into
from stripe_simulator.frozen_time import time_of
from stripe_simulator.messages import Request, Response, redirect
from stripe_simulator.outcomes import Refusal, is_asked, outcome_of
from stripe_simulator.rendering import message, page
from stripe_simulator.resources.checkout_steps import ask_for_authentication, complete, decline, failure_of
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

NOT_AUTHENTICATED = Refusal(
    "setup_intent_authentication_failure",
    "We are unable to authenticate your payment method. "
    "Please choose a different payment method and try again.",
)


def answer(
    simulator: Simulator, request: Request, identifier: str, *, authenticates: bool = False
) -> Response:
    """A page of an open session; a session that is over says so."""
    step: Callable[[Simulator, Request, Json], Response] = _authentication if authenticates else _form
    with simulator.store.transaction(), time_of(simulator, [identifier]):
        session = simulator.store.get(identifier)
        if session is None or session["object"] != "checkout.session":
            return message("Page not found", "There is no such Checkout session.", status=404)
        link = session["cancel_url"] or session["success_url"].replace("{CHECKOUT_SESSION_ID}", identifier)
        if session["status"] == "complete":
            saved = "your card is saved" if session["mode"] == "setup" else "you are subscribed"
            return message("You're all done here", f"This Checkout session is complete: {saved}.", link=link)
        if session["status"] == "expired" or session["expires_at"] <= simulator.clock.now():
            return message("This page has expired", "This Checkout session timed out.", link=link, status=410)
        return step(simulator, request, session)


def _form(simulator: Simulator, request: Request, session: Json) -> Response:
    if request.method != "POST":
        return _show(simulator, session, Attempt(alert=failure_of(simulator, session)))
    typed = typed_into(request)
    if typed["type"] not in session["payment_method_types"]:
        return _show(simulator, session, Attempt(alert="Choose one of the methods below."), status=422)
    owner = simulator.store.get(session["customer"] or "") or {}
    try:
        method = read_method(simulator, typed, email=session["customer_email"] or owner.get("email"))
    except (CardInputError, BankAccountInputError) as mistake:
        return _show(simulator, session, Attempt(typed, mistake=mistake), status=422)
    outcome = outcome_of(method)
    if outcome.refusal and outcome.refused_at_setup:
        decline(simulator, session, method, outcome.refusal)
        return _show(simulator, session, Attempt(typed, alert=outcome.refusal.message), status=402)
    if method["type"] in REUSABLE or is_asked(method, on_session=True):
        url = f"{simulator.url}/c/pay/{session['id']}/authenticate"
        ask_for_authentication(simulator, session, method, url)
        return redirect(url)
    return _completed(simulator, session, method)


def _authentication(simulator: Simulator, request: Request, session: Json) -> Response:
    waiting = session.get("simulated", {}).get("asked")
    if waiting is None:
        return redirect(f"{simulator.url}/c/pay/{session['id']}")
    method = simulator.find("payment_method", waiting)
    if request.method != "POST":
        last4 = method[method["type"]].get("last4")
        return page("authenticate.html", last4=last4, name=NAMES.get(method["type"], "Card"))
    if typed_into(request).get("result") == "complete":
        method["simulated"] = {"is_set_up": True}
        return _completed(simulator, session, method)
    decline(simulator, session, method, NOT_AUTHENTICATED)
    return redirect(f"{simulator.url}/c/pay/{session['id']}")


def _completed(simulator: Simulator, session: Json, method: Json) -> Response:
    try:
        with simulator.store.transaction():
            complete(simulator, dict(session), method)
    except StripeError as refusal:
        return _show(simulator, session, Attempt(alert=refusal.args[0]), status=402)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _show(simulator: Simulator, session: Json, attempt: Attempt, *, status: int = 200) -> Response:
    owner = simulator.store.get(session["customer"] or "") or {}
    return page(
        "checkout.html",
        status=status,
        customer=owner.get("name") or owner.get("email") or "New customer",
        session=session,
        attempt=attempt,
        choices=choices(session["payment_method_types"]),
        cancel_url=session["cancel_url"],
    )
