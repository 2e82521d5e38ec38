"""What the person does on a hosted Checkout page, and what follows."""

from typing import Any

from stripe_simulator.bank_accounts import REUSABLE
from stripe_simulator.fields import full_address
from stripe_simulator.methods import make_bank_account
from stripe_simulator.outcomes import Refusal
from stripe_simulator.resources import subscriptions
from stripe_simulator.resources.payment_methods import attach_method
from stripe_simulator.resources.setup_intents import add_attempt, fail_setup
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def complete(simulator: Simulator, session: Json, method: Json) -> None:
    """Do what the session is for. Raises StripeError if the first payment of a subscription fails."""
    billing = method["billing_details"]
    session |= {
        "status": "complete",
        "simulated": {**session.get("simulated", {}), "asked": None},
        "customer_details": {
            "address": full_address({"line1": ""}),
            "business_name": None,
            "email": session["customer_email"] or billing["email"],
            "individual_name": None,
            "name": billing["name"],
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    if session["mode"] == "setup":
        _set_up(simulator, session, method)
    else:
        _subscribe(simulator, session, method)
    simulator.save(session)
    simulator.emit("checkout.session.completed", session)


def ask_for_authentication(simulator: Simulator, session: Json, method: Json, url: str) -> None:
    """Keep the method, unattached, until the person has answered the bank's question."""
    simulator.save(method)
    simulator.save({**session, "simulated": {**session.get("simulated", {}), "asked": method["id"]}})
    if session["setup_intent"] is None:
        return
    intent = simulator.find("setup_intent", session["setup_intent"])
    intent |= {
        "status": "requires_action",
        "payment_method": method["id"],
        "last_setup_error": None,
        "next_action": {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}},
    }
    add_attempt(simulator, intent, method, status="requires_action")
    simulator.save(intent)
    simulator.emit("setup_intent.requires_action", intent)


def decline(simulator: Simulator, session: Json, method: Json, refusal: Refusal) -> None:
    """Record that the method was not accepted. The session stays open for another try."""
    simulator.save({**session, "simulated": {**session.get("simulated", {}), "asked": None}})
    if session["setup_intent"]:
        intent = simulator.find("setup_intent", session["setup_intent"])
        fail_setup(simulator, intent, method, refusal)


def failure_of(simulator: Simulator, session: Json) -> str:
    """Why the last try to set up failed, for the page; or nothing."""
    if session["setup_intent"] is None:
        return ""
    error = simulator.find("setup_intent", session["setup_intent"])["last_setup_error"]
    return str(error["message"]) if error else ""


def _set_up(simulator: Simulator, session: Json, method: Json) -> None:
    """Attach the method, or what it sets up. The customer's default stays as it is."""
    intent = simulator.find("setup_intent", session["setup_intent"])
    intent |= {
        "status": "succeeded",
        "payment_method": method["id"],
        "last_setup_error": None,
        "next_action": None,
    }
    attempt = add_attempt(simulator, intent, method, status="succeeded")
    kept = method
    if method["type"] in REUSABLE:
        simulator.save(method)
        billing = method["billing_details"]
        account = REUSABLE[method["type"]]
        kept = make_bank_account(
            simulator, "sepa_debit", account, name=billing["name"], email=billing["email"]
        )
        kept["sepa_debit"]["generated_from"]["setup_attempt"] = attempt["id"]
        attempt["payment_method_details"][method["type"]] |= {
            "generated_sepa_debit": kept["id"],
            "iban_last4": account[-4:],
        }
        simulator.save(attempt)
    if session["customer"]:
        attach_method(simulator, kept, session["customer"])
    else:
        simulator.save(kept)
    simulator.save(intent)
    simulator.emit("setup_intent.succeeded", intent)


def _subscribe(simulator: Simulator, session: Json, method: Json) -> None:
    known = method.get("simulated", {})
    attach_method(simulator, {**method, "simulated": {**known, "is_answered": True}}, session["customer"])
    wanted = session["simulated"]
    made = subscriptions.create(
        simulator,
        {
            "customer": session["customer"],
            "items": wanted["items"],
            "default_payment_method": method["id"],
            "payment_behavior": "error_if_incomplete",
            **wanted["subscription_data"],
        },
    )
    simulator.save({**simulator.find("payment_method", method["id"]), "simulated": known})
    invoice = simulator.find("invoice", made["latest_invoice"])
    session |= {"subscription": made["id"], "invoice": invoice["id"]}
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
    elif invoice["status"] == "paid":
        session["payment_status"] = "paid"
