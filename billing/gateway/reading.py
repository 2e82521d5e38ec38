"""From Stripe's objects, as plain dicts, to our records."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from billing.gateway.records import (
    CardSession,
    Customer,
    Invoice,
    InvoiceLine,
    PaymentMethod,
    Subscription,
    SubscriptionItem,
)

Json = dict[str, Any]

# The metadata that ties Stripe's objects to ours, for people in the dashboard and for looking up.
OPERATION = "portal_operation"
ORGANIZATION = "portal_organization"


def customer(body: Json) -> Customer:
    method = (body.get("invoice_settings") or {}).get("default_payment_method")
    return Customer(
        id=body["id"],
        deleted=bool(body.get("deleted")),
        name=body.get("name") or "",
        email=body.get("email") or "",
        default_payment_method=payment_method(method) if isinstance(method, dict) else None,
    )


def payment_method(body: Json) -> PaymentMethod:
    detail: Json = body.get(body["type"]) or {}
    return PaymentMethod(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        kind=body["type"],
        brand=detail.get("brand") or detail.get("bank_name") or "",
        last4=detail.get("last4") or "",
        exp_month=detail.get("exp_month"),
        exp_year=detail.get("exp_year"),
        created=instant(body["created"]),
    )


def card_session(body: Json) -> CardSession:
    intent = body.get("setup_intent")
    intent = intent if isinstance(intent, dict) else {}
    method = intent.get("payment_method")
    return CardSession(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        operation_id=(body.get("metadata") or {}).get(OPERATION, ""),
        status=body["status"],
        url=body.get("url") or "",
        setup_status=intent.get("status", ""),
        payment_method=payment_method(method) if isinstance(method, dict) else None,
    )


def subscription(body: Json) -> Subscription:
    items = body["items"]["data"]
    return Subscription(
        id=body["id"],
        customer_id=id_of(body["customer"]),
        status=body["status"],
        currency=body["currency"],
        items=[_subscription_item(item) for item in items],
        # Periods belong to the items since version 2025-03-31.basil; what ends first is charged next.
        period_start=_earliest(item["current_period_start"] for item in items),
        period_end=_earliest(item["current_period_end"] for item in items),
        cancel_at=instant_or_none(body.get("cancel_at")),
        cancel_at_period_end=bool(body.get("cancel_at_period_end")),
        ended_at=instant_or_none(body.get("ended_at")),
        created=instant(body["created"]),
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
        unit_amount=_decimal_text(price.get("unit_amount_decimal")),
        metered=recurring.get("usage_type") == "metered",
        interval=recurring.get("interval") or "",
        interval_count=recurring.get("interval_count") or 1,
    )


def invoice(body: Json, lines: Iterable[Json]) -> Invoice:
    times = body.get("status_transitions") or {}
    return Invoice(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        number=body.get("number") or "",
        status=body.get("status") or "draft",
        currency=body["currency"],
        subtotal=body["subtotal"],
        tax=sum(tax["amount"] for tax in body.get("total_taxes") or []),
        total=body["total"],
        amount_due=body["amount_due"],
        amount_paid=body["amount_paid"],
        amount_remaining=body["amount_remaining"],
        attempt_count=body.get("attempt_count") or 0,
        charged_automatically=body.get("collection_method") == "charge_automatically",
        next_attempt_at=instant_or_none(body.get("next_payment_attempt")),
        created=instant(body["created"]),
        finalized_at=instant_or_none(times.get("finalized_at")),
        due_at=instant_or_none(body.get("due_date")),
        paid_at=instant_or_none(times.get("paid_at")),
        period_start=instant_or_none(body.get("period_start")),
        period_end=instant_or_none(body.get("period_end")),
        hosted_url=body.get("hosted_invoice_url") or "",
        pdf_url=body.get("invoice_pdf") or "",
        description=body.get("description") or "",
        lines=[_invoice_line(line) for line in lines],
    )


def _invoice_line(body: Json) -> InvoiceLine:
    period = body["period"]
    return InvoiceLine(
        description=body.get("description") or "",
        quantity=body.get("quantity"),
        unit_amount=_decimal_text((body.get("pricing") or {}).get("unit_amount_decimal")),
        amount=body["amount"],
        period_start=instant(period["start"]).date().isoformat(),
        period_end=instant(period["end"]).date().isoformat(),
    )


def is_of(operation_id: object, body: Json) -> bool:
    """Whether the operation made the object, by its tag."""
    return (body.get("metadata") or {}).get(OPERATION) == str(operation_id)


def id_of(reference: Any) -> str:
    """The id in a reference that may be expanded, an id, or null."""
    return str(reference["id"]) if isinstance(reference, dict) else reference or ""


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def instant_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


def _decimal_text(value: Any) -> str:
    return "" if value is None else str(value)


def _earliest(moments: Iterable[int]) -> datetime | None:
    return instant_or_none(min(moments, default=None))
