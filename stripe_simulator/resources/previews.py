"""Previews of invoices (https://docs.stripe.com/api/invoices/create_preview).

A preview does the real thing in a transaction, and undoes it.
"""

from typing import Any

from stripe_simulator.due import BILLED_STATUSES
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, missing, not_simulated, required
from stripe_simulator.invoicing import (
    apply_discounts_and_tax,
    make_invoice,
    pending_items,
    take_pending_items,
)
from stripe_simulator.phases import begin_phase
from stripe_simulator.prorations import prorate
from stripe_simulator.renewals import bill_ending, bill_items, period_of, renew
from stripe_simulator.resources import invoice_items, subscriptions
from stripe_simulator.resources.subscription_changes import change
from stripe_simulator.resources.subscription_items import ACCEPTED
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


class _UndoError(Exception):
    """Leaves the transaction without keeping anything."""


@endpoint(
    "invoices.create_preview",
    "currency customer subscription discounts automatic_tax.enabled invoice_items preview_mode"
    " subscription_details.cancel_at subscription_details.cancel_at_period_end"
    " subscription_details.cancel_now subscription_details.default_tax_rates"
    " subscription_details.proration_behavior subscription_details.proration_date"
    " subscription_details.trial_end subscription_details.metadata subscription_details.billing_mode"
    " subscription_details.items.id subscription_details.items.deleted"
    + "".join(f" subscription_details.{name}" for name in ACCEPTED.split()),
)
def create_preview(simulator: Simulator, params: Json) -> Json:
    if "customer" not in params and "subscription" not in params:
        raise required("customer")
    preview: Json = {}
    try:
        with simulator.store.transaction():
            preview = _upcoming(simulator, params)
            apply_discounts_and_tax(simulator, preview, params)
            raise _UndoError
    except _UndoError:
        return {
            **preview,
            "id": f"upcoming_{preview['id']}",
            "billing_reason": "upcoming",
            "ending_balance": preview["starting_balance"] + preview["total"] - preview["amount_due"],
            "number": None,
            "lines": {**preview["lines"], "url": "/v1/invoices/upcoming/lines"},
        }


def _upcoming(simulator: Simulator, params: Json) -> Json:
    details = params.get("subscription_details", {})
    subscription = None
    if "subscription" in params:
        subscription = simulator.find("subscription", params["subscription"], param="subscription")
    owner = subscription["customer"] if subscription else params["customer"]
    if params.get("customer", owner) != owner:
        raise missing("subscription", params["subscription"], param="subscription")
    customer = simulator.find("customer", owner, param="customer")
    if not subscription and "items" in details:
        subscription = _new_subscription(simulator, customer, details)
        _add_items(simulator, params, customer, subscription["currency"])
        return bill_items(simulator, subscription, subscription["items"]["data"], reason="upcoming")
    _add_items(simulator, params, customer, (subscription or customer)["currency"])
    if subscription:
        return _of_subscription(simulator, subscription, details, mode=params.get("preview_mode", "next"))
    if "preview_mode" in params:
        raise not_simulated("previews recurring amounts of a subscription only", "preview_mode")
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
    return _with_waiting_items(simulator, invoice, f"customer: {customer['id']}")


def _of_subscription(simulator: Simulator, subscription: Json, details: Json, *, mode: str = "next") -> Json:
    """The next invoice, after the changes that the details would make."""
    if subscription["status"] not in BILLED_STATUSES:
        raise _nothing(f"subscription: {subscription['id']}")
    changes = {name: value for name, value in details.items() if name not in ("cancel_now", "billing_mode")}
    if mode == "recurring":
        return _recurring(simulator, subscription, changes)
    billed = change(simulator, subscription, changes) if changes else None
    items = subscription["items"]["data"]
    if details.get("cancel_now"):
        if details.get("proration_behavior") != "none":
            prorate(simulator, subscription, items, [], at=details.get("proration_date"))
        return _closing(simulator, subscription)
    if billed is not None:
        return bill_items(simulator, subscription, billed, reason="upcoming")
    end = min(item["current_period_end"] for item in items)
    if subscription["cancel_at"] and subscription["cancel_at"] <= end:
        with simulator.clock.at(subscription["cancel_at"]):
            return _closing(simulator, subscription)
    with simulator.clock.at(end):
        begin_phase(simulator, subscription)
        return renew(simulator, subscription)


def _recurring(simulator: Simulator, subscription: Json, changes: Json) -> Json:
    """What a whole period costs after the changes, without prorations, a trial and what waits."""
    for item in pending_items(
        simulator, subscription["customer"], subscription["currency"], subscription["id"]
    ):
        simulator.save({**item, "invoice": "elsewhere"})
    if changes:
        change(simulator, subscription, {**changes, "proration_behavior": "none"})
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
        for item in subscription["items"]["data"]:
            period = period_of(subscription, item["price"], subscription["trial_end"])
            item |= {"current_period_start": period["start"], "current_period_end": period["end"]}
    return bill_items(simulator, subscription, subscription["items"]["data"], reason="upcoming")


def _closing(simulator: Simulator, subscription: Json) -> Json:
    invoice = bill_ending(simulator, subscription)
    if invoice is None:
        raise _nothing(f"subscription: {subscription['id']}")
    return invoice


def _new_subscription(simulator: Simulator, customer: Json, details: Json) -> Json:
    names = ("billing_mode", "cancel_at", "cancel_at_period_end", "default_tax_rates", "items", "trial_end")
    given = {name: details[name] for name in names if name in details}
    subscription = subscriptions.prepare(simulator, {**given, "customer": customer["id"]})
    return simulator.save(subscription)


def _add_items(simulator: Simulator, params: Json, customer: Json, currency: str | None) -> None:
    """Let the items of the request wait for the invoice, as ones that were created."""
    for item in params.get("invoice_items", []):
        if "invoiceitem" in item:
            raise not_simulated("changes no waiting items in previews", "invoice_items")
        given = {"currency": params.get("currency") or currency, **item, "customer": customer["id"]}
        if "price" in given:
            given["pricing"] = {"price": given.pop("price")}
        if "unit_amount" in given:
            given["unit_amount_decimal"] = str(given.pop("unit_amount"))
        invoice_items.create(simulator, given)


def _with_waiting_items(simulator: Simulator, invoice: Json, whose: str) -> Json:
    take_pending_items(simulator, invoice)
    if not invoice["lines"]["data"]:
        raise _nothing(whose)
    return invoice


def _nothing(whose: str) -> StripeError:
    return StripeError(f"No upcoming invoices for {whose}", status=404, code="invoice_upcoming_none")
