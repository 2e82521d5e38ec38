"""From Stripe's objects, as plain dicts, to our records."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.gateway.records import (
    Address,
    CardSession,
    Customer,
    CustomField,
    OnDemandItem,
    PaymentMethod,
    Phase,
    PlannedItem,
    SavedMethod,
    Schedule,
    Subscription,
    SubscriptionItem,
    SubscriptionSession,
    TaxId,
)

Json = dict[str, Any]

# The metadata that ties Stripe's objects to ours, for people in the dashboard and for looking up.
OPERATION = "portal_operation"
ORGANIZATION = "portal_organization"
# What a price's metadata calls the prepaid credits that it includes; no more digits than a ledger adds up.
CREDITS, MOST_DIGITS = "credits", 15
# Of an invoice item: the span whose on-demand credits it charges, in ISO format.
CREDITS_SINCE, CREDITS_UNTIL = "credits_since", "credits_until"

# Bank details come by these, yet none can be charged again: a SEPA debit is set up with each.
# https://docs.stripe.com/payments/ideal/set-up-payment,
# https://docs.stripe.com/payments/bancontact/set-up-payment
SINGLE_USE = {"bancontact", "ideal", "sofort"}


def customer(body: Json, methods: Iterable[Json] = ()) -> Customer:
    settings = body.get("invoice_settings") or {}
    return Customer(
        id=body["id"],
        deleted=bool(body.get("deleted")),
        name=body.get("name") or "",
        email=body.get("email") or "",
        address=address(body.get("address")),
        tax_ids=[_tax_id(one) for one in (body.get("tax_ids") or {}).get("data", [])],
        fields=custom_fields(settings),
        locale=next(iter(body.get("preferred_locales") or []), ""),
        pays=_pays(settings.get("default_payment_method"), body.get("default_source")),
        methods=[payment_method(method) for method in methods],
    )


def address(body: Json | None) -> Address:
    given = body or {}
    return Address(**{field.name: given.get(field.name) or "" for field in fields(Address)})


def _tax_id(body: Json) -> TaxId:
    status = (body.get("verification") or {}).get("status") or ""
    return TaxId(id=body["id"], type=body["type"], value=body["value"], status=status)


def custom_fields(body: Json) -> list[CustomField]:
    """Of an invoice, or of the settings for all of a customer's."""
    return [CustomField(name=one["name"], value=one["value"]) for one in body.get("custom_fields") or []]


def _pays(*candidates: Any) -> SavedMethod | None:
    """The first that there is; each is expanded, an id, or null."""
    found = next((one for one in candidates if one), None)
    return SavedMethod(**_method(found)) if isinstance(found, dict) else None


def id_of_what_pays(subscription: Json, customer: Json) -> str:
    """What pays an invoice of this subscription, empty where it is of none. Empty: nothing is saved.

    What an ended subscription had of its own may be gone.
    https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority
    """
    own = {} if subscription.get("ended_at") else subscription
    settings = customer.get("invoice_settings") or {}
    candidates = (
        own.get("default_payment_method"),
        own.get("default_source"),
        settings.get("default_payment_method"),
        customer.get("default_source"),
    )
    return next((id_of(one) for one in candidates if one), "")


def payment_method(body: Json) -> PaymentMethod:
    return PaymentMethod(
        **_method(body), customer_id=id_of(body.get("customer")), created=instant(body["created"])
    )


def _method(body: Json) -> Json:
    """The fields of a saved method: of a payment method, or of an older card, bank account or source."""
    kind = body.get("type") or body["object"]
    # An older card or bank account says of itself what the other kinds say in a part of that name.
    detail: Json = body.get(kind) or body
    return {
        "id": body["id"],
        "kind": kind,
        "brand": detail.get("brand") or detail.get("bank_name") or "",
        "last4": detail.get("last4") or "",
        "exp_month": detail.get("exp_month"),
        "exp_year": detail.get("exp_year"),
    }


def card_session(body: Json) -> CardSession:
    intent = body.get("setup_intent")
    intent = intent if isinstance(intent, dict) else {}
    method = intent.get("payment_method")
    if not isinstance(method, dict) or method["type"] in SINGLE_USE:
        method = None
    return CardSession(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        operation_id=operation_of(body),
        status=body["status"],
        url=body.get("url") or "",
        setup_status=intent.get("status", ""),
        payment_method=payment_method(method) if method else None,
    )


def subscription_session(body: Json) -> SubscriptionSession:
    return SubscriptionSession(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        operation_id=operation_of(body),
        status=body["status"],
        url=body.get("url") or "",
        subscription_id=id_of(body.get("subscription")),
        invoice_id=id_of(body.get("invoice")),
    )


def generated_method_id(session: Json) -> str:
    """What the person's single-use payment method has set up to be charged; empty: theirs is none such."""
    intent = session.get("setup_intent")
    attempt = intent.get("latest_attempt") if isinstance(intent, dict) else None
    details = attempt.get("payment_method_details") if isinstance(attempt, dict) else None
    detail = (details or {}).get((details or {}).get("type")) or {}
    return id_of(detail.get("generated_sepa_debit"))


def subscription(body: Json) -> Subscription:
    items = body["items"]["data"]
    pause = body.get("pause_collection") or {}
    trial = (body.get("trial_settings") or {}).get("end_behavior") or {}
    return Subscription(
        id=body["id"],
        customer_id=id_of(body["customer"]),
        status=body["status"],
        currency=body["currency"],
        items=[_subscription_item(item) for item in items],
        # Periods belong to the items since version 2025-03-31.basil; what ends first is charged next.
        period_start=_earliest(item["current_period_start"] for item in items),
        period_end=_earliest(item["current_period_end"] for item in items),
        charged_automatically=body.get("collection_method") != "send_invoice",
        days_until_due=body.get("days_until_due"),
        pause_behavior=pause.get("behavior", ""),
        pause_resumes_at=instant_or_none(pause.get("resumes_at")),
        trial_end=instant_or_none(body.get("trial_end")),
        trial_without_method=trial.get("missing_payment_method", ""),
        cancel_at=instant_or_none(body.get("cancel_at")),
        cancel_at_period_end=bool(body.get("cancel_at_period_end")),
        schedule=_schedule(body["schedule"]) if body.get("schedule") else None,
        operation_id=operation_of(body),
        ended_at=instant_or_none(body.get("ended_at")),
        created=instant(body["created"]),
        pays=_pays(body.get("default_payment_method"), body.get("default_source")),
    )


def _subscription_item(body: Json) -> SubscriptionItem:
    price = body["price"]
    recurring = price.get("recurring") or {}
    return SubscriptionItem(
        id=body["id"],
        price_id=price["id"],
        lookup_key=price.get("lookup_key") or "",
        description=price.get("nickname") or "",
        quantity=body.get("quantity") or 0,
        unit_amount=decimal_text(price.get("unit_amount_decimal")),
        metered=recurring.get("usage_type") == "metered",
        credits=credits_of(price),
        interval=recurring.get("interval") or "",
        interval_count=recurring.get("interval_count") or 1,
        period_start=instant(body["current_period_start"]).isoformat(),
        period_end=instant(body["current_period_end"]).isoformat(),
    )


def credits_of(price: Json) -> int:
    """How many prepaid credits a unit includes. People write metadata, so it may say anything."""
    text = str((price.get("metadata") or {}).get(CREDITS, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else 0


def _schedule(body: Json) -> Schedule:
    return Schedule(
        id=body["id"],
        phases=[
            Phase(
                starts=instant(phase["start_date"]).isoformat(),
                items=[_planned_item(item) for item in phase["items"]],
            )
            for phase in body["phases"]
        ],
    )


def _planned_item(body: Json) -> PlannedItem:
    price = body["price"]
    recurring = price.get("recurring") or {}
    return PlannedItem(
        price_id=price["id"],
        lookup_key=price.get("lookup_key") or "",
        description=price.get("nickname") or "",
        quantity=body.get("quantity") or 0,
        unit_amount=decimal_text(price.get("unit_amount_decimal")),
        interval=recurring.get("interval") or "",
        interval_count=recurring.get("interval_count") or 1,
    )


def is_on_demand(body: Json) -> bool:
    return CREDITS_SINCE in (body.get("metadata") or {})


def on_demand_item(body: Json) -> OnDemandItem:
    told = body["metadata"]
    return OnDemandItem(
        id=body["id"],
        customer_id=id_of(body["customer"]),
        invoice_id=id_of(body.get("invoice")),
        since=datetime.fromisoformat(told[CREDITS_SINCE]).astimezone(UTC),
        until=datetime.fromisoformat(told[CREDITS_UNTIL]).astimezone(UTC),
        credits=int(told[CREDITS]),
        amount=body["amount"],
        currency=body["currency"],
    )


def operation_of(body: Json) -> str:
    """The id of our operation that made the object, by its tag; empty: none did."""
    return str((body.get("metadata") or {}).get(OPERATION, ""))


def is_of(operation_id: object, body: Json) -> bool:
    """Whether the operation made the object."""
    return operation_of(body) == str(operation_id)


def id_of(reference: Any) -> str:
    """The id in a reference that may be expanded, an id, or null."""
    return str(reference["id"]) if isinstance(reference, dict) else reference or ""


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def instant_or_none(seconds: int | None) -> datetime | None:
    return instant(seconds) if seconds else None


def decimal_text(value: Any) -> str:
    """Of an int, a float, a Decimal or a text, without an exponent; empty for null."""
    return "" if value is None else format(Decimal(str(value)).normalize(), "f")


def _earliest(moments: Iterable[int]) -> datetime | None:
    return instant_or_none(min(moments, default=None))
