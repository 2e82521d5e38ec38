"""The invoice items for on-demand credits, and the invoice that one may need of its own.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden.
"""

from datetime import datetime
from typing import Any

from billing.gateway import reading
from billing.gateway.client import call
from billing.gateway.lists import PAGE, Listed, all_of, read_each
from billing.gateway.records import OnDemandItem

# What charges an invoice, where its subscription has something of its own.
PAYS = ("default_payment_method", "default_source")


def on_demand_metadata(since: datetime, until: datetime, credits_: int) -> dict[str, str]:
    """By which an item is known again, and its invoice's line leads to the hours behind it."""
    return {
        reading.CREDITS_SINCE: since.isoformat(),
        reading.CREDITS_UNTIL: until.isoformat(),
        reading.CREDITS: str(credits_),
    }


def on_demand_items(customer_id: str, *, since: datetime) -> Listed[OnDemandItem]:
    """Those of a customer that were made since then, on invoices or not."""
    found = all_of(
        lambda stripe_: stripe_.v1.invoice_items.list(
            {"customer": customer_id, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        )
    )
    return read_each([body for body in found if reading.is_on_demand(body)], reading.on_demand_item)


def on_demand_item(item_id: str) -> OnDemandItem:
    found = call(lambda stripe_: stripe_.v1.invoice_items.retrieve(item_id))
    return reading.on_demand_item(found.to_dict())


def create_on_demand_item(*, params: dict[str, Any], idempotency_key: str) -> OnDemandItem:
    """``params``: of https://docs.stripe.com/api/invoiceitems/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.invoice_items.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.on_demand_item(made.to_dict())


def terms_of_invoice(subscription_id: str) -> dict[str, Any]:
    """How an invoice is taxed and collected as those of a subscription are, be it ended.

    As https://docs.stripe.com/api/invoices/create names it.
    """
    body = call(lambda stripe_: stripe_.v1.subscriptions.retrieve(subscription_id)).to_dict()
    terms: dict[str, Any] = {
        "automatic_tax": {"enabled": bool((body.get("automatic_tax") or {}).get("enabled"))},
        "collection_method": body["collection_method"],
    }
    if rates := [reading.id_of(rate) for rate in body.get("default_tax_rates") or []]:
        terms["default_tax_rates"] = rates
    if body["collection_method"] == "send_invoice":
        return {**terms, "days_until_due": body["days_until_due"]}
    # What an ended subscription had of its own may be gone.
    own = {} if body.get("ended_at") else body
    return {**terms, **{name: reading.id_of(own[name]) for name in PAYS if own.get(name)}}


def create_invoice(*, params: dict[str, Any], idempotency_key: str) -> None:
    """``params``: of https://docs.stripe.com/api/invoices/create, as saved with the operation."""
    call(
        lambda stripe_: stripe_.v1.invoices.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
