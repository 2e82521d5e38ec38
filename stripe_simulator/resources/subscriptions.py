"""Subscriptions (https://docs.stripe.com/api/subscriptions). Periods are on their items."""

from typing import Any

from stripe_simulator.balances import set_currency
from stripe_simulator.collection import attempt_payment, finalize, payment_method_for
from stripe_simulator.due import DAY
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import InvalidParameterError, StripeError, not_simulated, required
from stripe_simulator.fields import apply
from stripe_simulator.paging import as_list, page
from stripe_simulator.renewals import bill_items, make_item_of_subscription, next_period, prorate
from stripe_simulator.resources.subscription_items import changed_items, recurring_price
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import require_source
from stripe_simulator.subscribing import end_subscription, start_subscription

Json = dict[str, Any]

PLAIN = "cancel_at collection_method days_until_due default_payment_method default_source description"


@endpoint(
    "subscriptions.create",
    f"billing_cycle_anchor cancel_at_period_end currency customer items metadata off_session payment_behavior"
    f" proration_behavior trial_end trial_period_days {PLAIN}",
)
def create(simulator: Simulator, params: Json) -> Json:
    for name in ("customer", "items"):
        if not params.get(name):
            raise required(name)
    customer = simulator.find("customer", params["customer"], param="customer")
    now = simulator.clock.now()
    trial_end = _trial_end(params, now)
    prices = [recurring_price(simulator, item, index) for index, item in enumerate(params["items"])]
    if len({price["currency"] for price in prices}) > 1:
        raise StripeError("All prices on a subscription must have the same currency.", param="items")
    currency = prices[0]["currency"]
    _refuse_second_currency(simulator, customer, currency)
    set_currency(simulator, customer, currency)
    subscription = simulator.new(
        "subscription",
        "sub",
        application=None,
        application_fee_percent=None,
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None},
        billing_cycle_anchor=trial_end or _anchor(params, now),
        billing_cycle_anchor_config=None,
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": now},
        billing_schedules=[],
        billing_thresholds=None,
        cancel_at=None,
        cancel_at_period_end=params.get("cancel_at_period_end", False),
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
    apply(subscription, params, PLAIN)
    _check_collection(simulator, subscription)
    items = [
        make_item_of_subscription(
            simulator,
            subscription["id"],
            price,
            quantity=given.get("quantity", 1),
            metadata=given.get("metadata") or {},
            period={"start": now, "end": trial_end} if trial_end else next_period(subscription, price, now),
        )
        for given, price in zip(params["items"], prices, strict=True)
    ]
    subscription["items"] = as_list(items, f"/v1/subscription_items?subscription={subscription['id']}")
    start_subscription(simulator, subscription, behavior=params.get("payment_behavior", "allow_incomplete"))
    return simulator.find("subscription", subscription["id"])


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
    f"cancel_at_period_end items metadata off_session payment_behavior proration_behavior {PLAIN}",
)
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise StripeError(
            "A canceled subscription can only update its cancellation_details and metadata.", param="id"
        )
    apply(subscription, params, PLAIN)
    _check_collection(simulator, subscription)
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        period_end = max(item["current_period_end"] for item in subscription["items"]["data"])
        subscription |= {
            "cancel_at_period_end": ends,
            "cancel_at": period_end if ends else None,
            "canceled_at": simulator.clock.now() if ends else None,
        }
    before = subscription["items"]["data"]
    if "items" in params:
        subscription["items"]["data"] = changed_items(simulator, subscription, params["items"])
    simulator.save(subscription, "customer.subscription.updated")
    behavior = params.get("proration_behavior", "create_prorations")
    if behavior != "none":
        prorate(simulator, subscription, before, subscription["items"]["data"])
    if behavior == "always_invoice" and before != subscription["items"]["data"]:
        invoice = bill_items(simulator, subscription, [], reason="subscription_update")
        simulator.save(subscription, "customer.subscription.updated")
        finalize(simulator, invoice)
        if invoice["status"] == "open" and subscription["collection_method"] == "charge_automatically":
            attempt_payment(simulator, invoice, payment_method_for(simulator, invoice))
    return simulator.find("subscription", identifier)


@endpoint("subscriptions.cancel", "cancellation_details")
def cancel(simulator: Simulator, params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise StripeError(
            f"No such subscription: '{identifier}'", status=404, code="resource_missing", param="id"
        )
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    return end_subscription(simulator, subscription)


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


def _trial_end(params: Json, now: int) -> int | None:
    if params.get("trial_period_days"):
        return int(now + params["trial_period_days"] * DAY)
    end = params.get("trial_end")
    if end is None or end == "now":
        return None
    if end <= now:
        raise StripeError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )
    return int(end)


def _anchor(params: Json, now: int) -> int:
    anchor = params.get("billing_cycle_anchor", now)
    if anchor < now:
        raise StripeError("The billing cycle anchor must be in the future.", param="billing_cycle_anchor")
    if anchor > now:
        raise not_simulated("starts billing cycles now", "billing_cycle_anchor")
    return int(anchor)


def _check_collection(simulator: Simulator, subscription: Json) -> None:
    sends = subscription["collection_method"] == "send_invoice"
    if sends and not subscription["days_until_due"]:
        raise InvalidParameterError(
            "You must pass `days_until_due` when collection_method is set to send_invoice.",
            code="parameter_missing",
            param="days_until_due",
        )
    if subscription["default_source"]:
        require_source(simulator, subscription["customer"], subscription["default_source"])
    method = subscription["default_payment_method"]
    if method:
        owner = simulator.find("payment_method", method, param="default_payment_method")["customer"]
        if owner != subscription["customer"]:
            raise StripeError(
                f"The customer does not have a payment method with the ID {method}.",
                code="resource_missing",
                param="default_payment_method",
            )
