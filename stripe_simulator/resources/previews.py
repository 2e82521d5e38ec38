"""Previews of invoices (https://docs.stripe.com/api/invoices/create_preview).

A preview does the real thing in a transaction, and undoes it.
"""

from typing import Any

from stripe_simulator.due import BILLED_STATUSES
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, required
from stripe_simulator.invoicing import make_invoice, take_pending_items
from stripe_simulator.renewals import bill_items, renew
from stripe_simulator.resources import subscriptions
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


class _UndoError(Exception):
    """Leaves the transaction without keeping anything."""


@endpoint("invoices.create_preview", "currency customer subscription subscription_details preview_mode")
def create_preview(simulator: Simulator, params: Json) -> Json:
    if "customer" not in params and "subscription" not in params:
        raise required("customer")
    preview: Json = {}
    try:
        with simulator.store.transaction():
            preview = _upcoming(simulator, params)
            raise _UndoError
    except _UndoError:
        return {
            **preview,
            "id": f"upcoming_{preview['id']}",
            "number": None,
            "status": "draft",
            "lines": {**preview["lines"], "url": "/v1/invoices/upcoming/lines"},
        }


def _upcoming(simulator: Simulator, params: Json) -> Json:
    details = params.get("subscription_details", {})
    if "subscription" in params:
        subscription = simulator.find("subscription", params["subscription"], param="subscription")
        return _of_subscription(simulator, subscription, details)
    customer = simulator.find("customer", params["customer"], param="customer")
    if "items" in details:
        return _of_new_subscription(simulator, customer, details)
    current = simulator.store.select(
        "subscription",
        where="AND customer = ? AND json_extract(body, '$.status') IN ('active', 'past_due', 'trialing')",
        values=(customer["id"],),
    )
    if current:
        return _of_subscription(simulator, current[0], details)
    invoice = make_invoice(
        simulator,
        customer,
        currency=(params.get("currency") or customer["currency"] or "usd").lower(),
        billing_reason="upcoming",
        collection_method="charge_automatically",
        auto_advance=True,
    )
    take_pending_items(simulator, invoice)
    if not invoice["lines"]["data"]:
        raise StripeError(
            f"No upcoming invoices for customer: {customer['id']}", status=404, code="invoice_upcoming_none"
        )
    return invoice


def _of_subscription(simulator: Simulator, subscription: Json, details: Json) -> Json:
    changes = {name: details[name] for name in ("items", "proration_behavior") if name in details}
    behavior = changes.pop("proration_behavior", "create_prorations")
    at_once = behavior == "always_invoice"
    if changes:
        changes["proration_behavior"] = "create_prorations" if at_once else behavior
        subscription = subscriptions.update(simulator, changes, subscription["id"])
    if subscription["status"] not in BILLED_STATUSES or subscription["cancel_at"]:
        raise StripeError(
            f"No upcoming invoices for subscription: {subscription['id']}",
            status=404,
            code="invoice_upcoming_none",
        )
    if at_once:
        return bill_items(simulator, subscription, [], reason="subscription_update")
    end = min(item["current_period_end"] for item in subscription["items"]["data"])
    with simulator.clock.at(end):
        return renew(simulator, subscription)


def _of_new_subscription(simulator: Simulator, customer: Json, details: Json) -> Json:
    given = {name: details[name] for name in ("items", "trial_end") if name in details}
    made = subscriptions.create(
        simulator, {**given, "customer": customer["id"], "payment_behavior": "default_incomplete"}
    )
    return simulator.find("invoice", made["latest_invoice"])
