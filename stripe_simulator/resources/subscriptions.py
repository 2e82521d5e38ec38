"""Subscriptions (https://docs.stripe.com/api/subscriptions). Periods are on their items."""

import copy
from typing import Any

from stripe_simulator.balances import set_currency
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, not_simulated, required
from stripe_simulator.paging import as_list, page
from stripe_simulator.prorations import prorate
from stripe_simulator.renewals import bill_ending
from stripe_simulator.resources.subscription_changes import change, refuse_change
from stripe_simulator.resources.subscription_items import ACCEPTED, changed_items, recurring_price
from stripe_simulator.resources.subscription_terms import (
    TERMS,
    anchor_of,
    apply_end,
    apply_terms,
    trial_end_of,
)
from stripe_simulator.simulator import Simulator
from stripe_simulator.subscribing import (
    bill_change,
    collect,
    end_subscription,
    resume_subscription,
    start_subscription,
)

Json = dict[str, Any]


@endpoint(
    "subscriptions.create",
    f"billing_cycle_anchor billing_mode.type cancel_at cancel_at_period_end currency customer metadata"
    f" off_session payment_behavior proration_behavior trial_end trial_period_days {ACCEPTED} {TERMS}",
)
def create(simulator: Simulator, params: Json) -> Json:
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise StripeError(
            "`payment_behavior=pending_if_incomplete` is for updates only.", param="payment_behavior"
        )
    subscription = prepare(simulator, params)
    start_subscription(simulator, subscription, behavior=params.get("payment_behavior", "allow_incomplete"))
    return simulator.find("subscription", subscription["id"])


def prepare(simulator: Simulator, params: Json) -> Json:
    """Make the subscription that the parameters ask for, not saved yet."""
    for name in ("customer", "items"):
        if not params.get(name):
            raise required(name)
    if params.get("billing_mode", {}).get("type", "flexible") != "flexible":
        raise not_simulated("knows flexible billing only", "billing_mode[type]")
    customer = simulator.find("customer", params["customer"], param="customer")
    now = simulator.clock.now()
    trial_end = trial_end_of(params, now)
    currency = recurring_price(simulator, params["items"][0], 0)["currency"]
    _refuse_second_currency(simulator, customer, currency)
    set_currency(simulator, customer, currency)
    subscription = simulator.new(
        "subscription",
        "sub",
        application=None,
        application_fee_percent=None,
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None},
        billing_cycle_anchor=trial_end or anchor_of(params, now),
        billing_cycle_anchor_config=None,
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": now},
        billing_schedules=[],
        billing_thresholds=None,
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        currency=currency,
        customer=customer["id"],
        customer_account=None,
        days_until_due=None,
        default_payment_method=None,
        default_source=None,
        default_tax_rates=[],
        description=None,
        discounts=[],
        ended_at=None,
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        latest_invoice=None,
        metadata={},
        next_pending_invoice_item_invoice=None,
        on_behalf_of=None,
        pause_collection=None,
        payment_settings={
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        pending_invoice_item_interval=None,
        pending_setup_intent=None,
        pending_update=None,
        schedule=None,
        start_date=now,
        status="trialing" if trial_end else "active",
        test_clock=None,
        transfer_data=None,
        trial_end=trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
        trial_start=now if trial_end else None,
    )
    apply_terms(simulator, subscription, params)
    items = changed_items(simulator, subscription, [], params["items"], at=now)
    subscription["items"] = as_list(items, f"/v1/subscription_items?subscription={subscription['id']}")
    apply_end(simulator, subscription, params)
    return subscription


@endpoint("subscriptions.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("subscription", identifier)


@endpoint("subscriptions.list", "collection_method created customer price status")
def list_subscriptions(simulator: Simulator, params: Json) -> Json:
    where, values, filters = "", [], {name: params.get(name) for name in ("collection_method", "customer")}
    match params.get("status"):
        case None:
            where = "AND json_extract(body, '$.status') != 'canceled'"
        case "ended":
            filters["status"] = ["canceled", "incomplete_expired"]
        case "all":
            pass
        case status:
            filters["status"] = status
    if "price" in params:
        where += (
            " AND EXISTS (SELECT 1 FROM json_each(body, '$.items.data')"
            " WHERE json_extract(value, '$.price.id') = ?)"
        )
        values.append(params["price"])
    return page(
        simulator.store,
        "subscription",
        "/v1/subscriptions",
        params,
        filters=filters,
        where=where,
        values=values,
    )


@endpoint(
    "subscriptions.update",
    f"cancel_at cancel_at_period_end cancellation_details.comment cancellation_details.feedback metadata"
    f" off_session payment_behavior proration_behavior pause_collection"
    f" proration_date trial_end items.id items.deleted {ACCEPTED} {TERMS}",
)
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.", param="id"
        )
    behavior = params.get("payment_behavior", "allow_incomplete")
    refuse_change(subscription, params, behavior)
    before = copy.deepcopy(subscription)
    billed = change(simulator, subscription, params)
    if billed is None:
        simulator.save(subscription, "customer.subscription.updated")
    else:
        bill_change(simulator, before, subscription, billed, behavior=behavior)
    return simulator.find("subscription", identifier)


@endpoint("subscriptions.resume", "billing_cycle_anchor.type")
def resume(simulator: Simulator, params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if subscription["status"] != "paused":
        raise StripeError("You can only resume subscriptions whose status is `paused`.", param="id")
    if params.get("billing_cycle_anchor", {}).get("type", "now") != "now":
        raise not_simulated("resumes with a new billing cycle only", "billing_cycle_anchor[type]")
    resume_subscription(simulator, subscription)
    return simulator.find("subscription", identifier)


@endpoint("subscriptions.cancel", "cancellation_details invoice_now prorate")
def cancel(simulator: Simulator, params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise StripeError(
            f"No such subscription: '{identifier}'", status=404, code="resource_missing", param="id"
        )
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    if params.get("prorate"):
        prorate(simulator, subscription, subscription["items"]["data"], [])
    end_subscription(simulator, subscription)
    invoice = bill_ending(simulator, subscription) if params.get("invoice_now") else None
    if invoice:
        collect(simulator, invoice)
    return simulator.find("subscription", identifier)


def _refuse_second_currency(simulator: Simulator, customer: Json, currency: str) -> None:
    """One at a time (https://docs.stripe.com/invoicing/multi-currency-customers); invoices may have any."""
    for kind, unless in (("subscription", "$.ended_at"), ("invoiceitem", "$.invoice")):
        others = simulator.store.select(
            kind,
            where=f"AND customer = ? AND json_extract(body, '{unless}') IS NULL"
            " AND json_extract(body, '$.currency') != ?",
            values=(customer["id"], currency),
        )
        if others:
            raise StripeError(
                "You cannot combine currencies on a single customer. This customer has an active"
                " subscription, subscription schedule, discount, quote, or invoice item with currency"
                f" {others[0]['currency']}."
            )
