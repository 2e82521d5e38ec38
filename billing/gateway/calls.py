"""What we ask of Stripe, one function for each question or change.

All raise GatewayUnavailable, GatewayRefused and GatewayMissing. A change takes the idempotency key that the
caller has saved before.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import stripe

from billing.gateway import reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayMissing, GatewayRefused
from billing.gateway.records import CardSession, Customer, Invoice, Subscription

PAGE = 100
EXPAND_DEFAULT = ["invoice_settings.default_payment_method"]
EXPAND_SETUP = ["setup_intent.payment_method"]


def tags(organization_id: object, operation_id: object) -> dict[str, str]:
    """The metadata of what we make at Stripe."""
    return {reading.ORGANIZATION: str(organization_id), reading.OPERATION: str(operation_id)}


def create_customer(*, params: dict[str, Any], idempotency_key: str) -> Customer:
    """``params``: of https://docs.stripe.com/api/customers/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.customers.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.customer(made.to_dict())


def find_customer(*, operation_id: object, since: datetime) -> Customer | None:
    """The customer that an operation made, when we never heard how it ended; ``since``: made no earlier."""
    made = _all(
        lambda stripe_: stripe_.v1.customers.list({"created": {"gte": int(since.timestamp())}, "limit": PAGE})
    )
    return next((reading.customer(body) for body in made if reading.is_of(operation_id, body)), None)


def customer(customer_id: str) -> Customer:
    try:
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id, {"expand": EXPAND_DEFAULT}))
    except GatewayMissing:
        raise
    except GatewayRefused:
        # A deleted customer has nothing left to expand.
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id))
    return reading.customer(found.to_dict())


def set_default_payment_method(*, customer_id: str, payment_method_id: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.update(
            customer_id,
            {"invoice_settings": {"default_payment_method": payment_method_id}},
            {"idempotency_key": idempotency_key},
        )
    )


def detach_payment_method(*, payment_method_id: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.payment_methods.detach(
            payment_method_id, options={"idempotency_key": idempotency_key}
        )
    )


def create_card_session(*, params: dict[str, Any], idempotency_key: str) -> CardSession:
    """``params``: of https://docs.stripe.com/api/checkout/sessions/create, as saved with the operation."""
    made = call(
        lambda stripe_: stripe_.v1.checkout.sessions.create(
            params,  # type: ignore[arg-type] # saved as JSON
            {"idempotency_key": idempotency_key},
        )
    )
    return reading.card_session(made.to_dict())


def card_session(session_id: str) -> CardSession:
    found = call(lambda stripe_: stripe_.v1.checkout.sessions.retrieve(session_id, {"expand": EXPAND_SETUP}))
    return reading.card_session(found.to_dict())


def find_card_session(*, customer_id: str, operation_id: object) -> CardSession | None:
    """The session that an operation made, when we never heard how it ended."""
    made = _all(lambda stripe_: stripe_.v1.checkout.sessions.list({"customer": customer_id, "limit": PAGE}))
    return next((reading.card_session(body) for body in made if reading.is_of(operation_id, body)), None)


def subscription(subscription_id: str) -> Subscription:
    found = call(lambda stripe_: stripe_.v1.subscriptions.retrieve(subscription_id))
    return reading.subscription(found.to_dict())


def subscriptions(customer_id: str) -> list[Subscription]:
    """All of a customer, ended ones too."""
    found = _all(
        lambda stripe_: stripe_.v1.subscriptions.list(
            {"customer": customer_id, "status": "all", "limit": PAGE}
        )
    )
    return [reading.subscription(body) for body in found]


def invoice(invoice_id: str) -> Invoice:
    found = call(lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id))
    return _with_all_lines(found.to_dict())


def invoice_pdf_url(invoice_id: str) -> str:
    """A fresh address of the invoice's PDF, empty where there is none; without asking for all its lines."""
    found = call(lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id))
    return found.invoice_pdf or ""


def invoices(customer_id: str) -> list[Invoice]:
    """All of a customer, drafts too."""
    found = _all(lambda stripe_: stripe_.v1.invoices.list({"customer": customer_id, "limit": PAGE}))
    return [_with_all_lines(body) for body in found]


def _with_all_lines(body: dict[str, Any]) -> Invoice:
    """An invoice shows its first lines only; more are a list of their own."""
    lines = body["lines"]
    if not lines["has_more"]:
        return reading.invoice(body, lines["data"])
    return reading.invoice(
        body, _all(lambda stripe_: stripe_.v1.invoices.line_items.list(body["id"], {"limit": PAGE}))
    )


def _all(ask: Callable[[stripe.StripeClient], stripe.ListObject[Any]]) -> list[dict[str, Any]]:
    """Every object of a list, page after page."""
    return call(lambda stripe_: [item.to_dict() for item in ask(stripe_).auto_paging_iter()])
