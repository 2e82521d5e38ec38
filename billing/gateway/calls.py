"""What we ask of Stripe, one function for each question or change.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden. A change takes the
idempotency key that the caller has saved before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

import stripe

from billing.gateway import documents, reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayForbidden, GatewayMissing, GatewayRefused
from billing.gateway.records import CardSession, Customer, Invoice, Preview, Subscription

Read = TypeVar("Read")

PAGE = 100
EXPAND_CUSTOMER = ["invoice_settings.default_payment_method", "default_source"]
EXPAND_SUBSCRIPTION = ["default_payment_method", "default_source"]
EXPAND_INVOICE = ["discounts", "lines.data.discounts"]
EXPAND_PAYMENT = ["data.payment.payment_intent.latest_charge"]
EXPAND_SETUP = ["setup_intent.payment_method", "setup_intent.latest_attempt"]


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
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id, {"expand": EXPAND_CUSTOMER}))
    except (GatewayMissing, GatewayForbidden):
        raise
    except GatewayRefused:
        # A deleted customer has nothing left to expand.
        found = call(lambda stripe_: stripe_.v1.customers.retrieve(customer_id))
    return reading.customer(found.to_dict())


def rename_customer(*, customer_id: str, name: str, idempotency_key: str) -> None:
    call(
        lambda stripe_: stripe_.v1.customers.update(
            customer_id, {"name": name}, {"idempotency_key": idempotency_key}
        )
    )


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
    body = found.to_dict()
    generated_id = reading.generated_method_id(body)
    if generated_id:
        # Too deep to be expanded: Stripe expands four levels.
        generated = call(lambda stripe_: stripe_.v1.payment_methods.retrieve(generated_id))
        body["setup_intent"]["payment_method"] = generated.to_dict()
    return reading.card_session(body)


def find_card_session(*, customer_id: str, operation_id: object) -> CardSession | None:
    """The session that an operation made, when we never heard how it ended."""
    made = _all(lambda stripe_: stripe_.v1.checkout.sessions.list({"customer": customer_id, "limit": PAGE}))
    return next((reading.card_session(body) for body in made if reading.is_of(operation_id, body)), None)


def subscriptions(customer_id: str) -> "Listed[Subscription]":
    """All of a customer, ended ones too."""
    found = _all(
        lambda stripe_: stripe_.v1.subscriptions.list(
            {
                "customer": customer_id,
                "status": "all",
                "limit": PAGE,
                "expand": [f"data.{name}" for name in EXPAND_SUBSCRIPTION],
            }
        )
    )
    return _listed(found, reading.subscription)


def set_subscription_payment_method(
    *, subscription_id: str, payment_method_id: str, idempotency_key: str
) -> None:
    call(
        lambda stripe_: stripe_.v1.subscriptions.update(
            subscription_id,
            {"default_payment_method": payment_method_id},
            {"idempotency_key": idempotency_key},
        )
    )


def preview(subscription_id: str) -> Preview:
    """The next invoice of a subscription. Where Stripe gives none, the preview says by which code."""
    try:
        body = call(
            lambda stripe_: stripe_.v1.invoices.create_preview(
                {"subscription": subscription_id, "expand": EXPAND_INVOICE}
            )
        ).to_dict()
    except GatewayForbidden:
        raise
    except GatewayRefused as refused:
        return documents.no_preview(refused.code)
    return documents.preview(body, lines=_lines_of(body), rate_of=_tax_rate)


def invoice(invoice_id: str) -> Invoice:
    body = call(
        lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id, {"expand": EXPAND_INVOICE})
    ).to_dict()
    return documents.invoice(
        body,
        lines=_lines_of(body),
        payments=_payments_of(invoice_id) if _is_charged(body) else [],
        credit_notes=_credit_notes({"invoice": invoice_id}) if _is_credited(body) else [],
        rate_of=_tax_rate,
    )


def invoice_pdf_url(invoice_id: str) -> str:
    """A fresh address of the invoice's PDF, empty where there is none; without asking for all its lines."""
    found = call(lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id))
    return found.invoice_pdf or ""


def invoices(customer_id: str) -> "Listed[Invoice]":
    """All of a customer, drafts too. Few calls: payments and credit notes are listed once for all of them."""
    expand = [*EXPAND_INVOICE, "payments"]
    found = _all(
        lambda stripe_: stripe_.v1.invoices.list(
            {"customer": customer_id, "limit": PAGE, "expand": [f"data.{name}" for name in expand]}
        )
    )
    intents = _payment_intents(customer_id) if any(_is_charged(body) for body in found) else {}
    credit_notes = (
        _credit_notes({"customer": customer_id}) if any(_is_credited(body) for body in found) else []
    )

    def read(body: dict[str, Any]) -> Invoice:
        return documents.invoice(
            body,
            lines=_lines_of(body),
            payments=_with_intents(body, intents),
            credit_notes=[note for note in credit_notes if reading.id_of(note["invoice"]) == body["id"]],
            rate_of=_tax_rate,
        )

    return _listed(found, read)


def invoice_of_payment(payment_intent_id: str) -> str:
    """The id of the invoice that a payment intent is for; empty: it is for none."""
    found = _all(
        lambda stripe_: stripe_.v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": PAGE}
        )
    )
    return next((reading.id_of(one["invoice"]) for one in found), "")


def _is_charged(body: dict[str, Any]) -> bool:
    """Whether there may be payments: also toward what an empty invoice takes over from the balance."""
    return body["status"] not in {None, "draft"} and (body["total"] > 0 or body["amount_due"] > 0)


def _is_credited(body: dict[str, Any]) -> bool:
    return bool(body["pre_payment_credit_notes_amount"] or body["post_payment_credit_notes_amount"])


def _lines_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """An invoice shows its first lines only; more are a list of their own, which a preview has not."""
    lines = body["lines"]
    if not lines["has_more"]:
        return list(lines["data"])
    return _all(
        lambda stripe_: stripe_.v1.invoices.line_items.list(
            body["id"], {"limit": PAGE, "expand": ["data.discounts"]}
        )
    )


def _payments_of(invoice_id: str) -> list[dict[str, Any]]:
    return _all(
        lambda stripe_: stripe_.v1.invoice_payments.list(
            {"invoice": invoice_id, "limit": PAGE, "expand": EXPAND_PAYMENT}
        )
    )


def _payment_intents(customer_id: str) -> dict[str, dict[str, Any]]:
    found = _all(
        lambda stripe_: stripe_.v1.payment_intents.list(
            {"customer": customer_id, "limit": PAGE, "expand": ["data.latest_charge"]}
        )
    )
    return {body["id"]: body for body in found}


def _with_intents(body: dict[str, Any], intents: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The payments of a listed invoice, with their intents in place of the ids."""
    listed = body.get("payments") or {"data": [], "has_more": False}
    if listed["has_more"]:
        return _payments_of(body["id"])
    return [
        {**one, "payment": {**one["payment"], "payment_intent": intents.get(_intent_of(one))}}
        for one in listed["data"]
    ]


def _intent_of(invoice_payment: dict[str, Any]) -> str:
    return reading.id_of(invoice_payment["payment"].get("payment_intent"))


def _credit_notes(filters: dict[str, str]) -> list[dict[str, Any]]:
    """The oldest first, as they were made."""
    found = _all(
        lambda stripe_: stripe_.v1.credit_notes.list(
            {**filters, "limit": PAGE}  # type: ignore[arg-type] # a customer or an invoice
        )
    )
    return found[::-1]


@lru_cache(maxsize=1000)
def _tax_rate(rate_id: str) -> dict[str, Any]:
    """A tax rate; its percentage never changes: https://docs.stripe.com/billing/taxes/tax-rates."""
    return call(lambda stripe_: stripe_.v1.tax_rates.retrieve(rate_id)).to_dict()


@dataclass(frozen=True)
class Listed(Generic[Read]):
    """What Stripe lists of a kind. ``unreadable``: the errors of what we could not read, by its id."""

    all: list[Read]
    unreadable: dict[str, str]


def _listed(bodies: list[dict[str, Any]], read: Callable[[dict[str, Any]], Read]) -> Listed[Read]:
    """Read each on its own: one that can't be read stops no other."""
    found: list[Read] = []
    unreadable = {}
    for body in bodies:
        try:
            found.append(read(body))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            unreadable[body["id"]] = repr(error)
    return Listed(found, unreadable)


def _all(ask: Callable[[stripe.StripeClient], stripe.ListObject[Any]]) -> list[dict[str, Any]]:
    """Every object of a list, page after page."""
    return call(lambda stripe_: [item.to_dict() for item in ask(stripe_).auto_paging_iter()])
