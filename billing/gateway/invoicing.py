"""What we ask of Stripe about invoices: those that there are, and those to come.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden.
"""

from functools import lru_cache
from typing import Any

from stripe.params import InvoicePayParams

from billing.gateway import documents, reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayForbidden, GatewayRefused
from billing.gateway.lists import PAGE, Listed, all_of, read_each
from billing.gateway.records import Due, Invoice, Preview

EXPAND_INVOICE = ["discounts", "lines.data.discounts"]
EXPAND_PAYMENT = ["data.payment.payment_intent.latest_charge"]
EXPAND_DUE = ["customer", "parent.subscription_details.subscription", "payments.data.payment.payment_intent"]


def preview(subscription_id: str) -> Preview:
    """The next invoice of a subscription. Where Stripe gives none, the preview says by which code."""
    try:
        # Of a long one, Stripe may not give the rest of the lines: it is no invoice yet.
        return _preview({"subscription": subscription_id})
    except GatewayForbidden:
        raise
    except GatewayRefused as refused:
        return documents.no_preview(refused.code)


def preview_of_change(subscription_id: str, *, items: list[dict[str, Any]], at: int) -> Preview:
    """What is charged at once when a subscription's items change, counted from ``at``, in seconds.

    ``items``: of https://docs.stripe.com/api/subscriptions/update#update_subscription-items
    """
    return _preview(
        {
            "subscription": subscription_id,
            "subscription_details": {
                "items": items,
                "proration_behavior": "always_invoice",
                "proration_date": at,
            },
        }
    )


def preview_after_trial(subscription_id: str, *, items: list[dict[str, Any]]) -> Preview:
    """The first charge once the items of a subscription in its trial have changed; the trial goes on.

    https://docs.stripe.com/billing/subscriptions/trials
    """
    return _preview(
        {
            "subscription": subscription_id,
            "subscription_details": {"items": items, "proration_behavior": "none"},
        }
    )


def preview_of_period(subscription_id: str, *, items: list[dict[str, Any]]) -> Preview:
    """What each whole period costs once a subscription's items have changed."""
    return _preview(
        {
            "subscription": subscription_id,
            "subscription_details": {"items": items},
            "preview_mode": "recurring",
        }
    )


def _preview(params: dict[str, Any]) -> Preview:
    body = call(
        lambda stripe_: stripe_.v1.invoices.create_preview(
            {**params, "expand": EXPAND_INVOICE}  # type: ignore[arg-type] # one of three requests
        )
    ).to_dict()
    return documents.preview(body, lines=lines_of(body), rate_of=tax_rate)


def invoice(invoice_id: str) -> Invoice:
    body = call(
        lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id, {"expand": EXPAND_INVOICE})
    ).to_dict()
    return documents.invoice(
        body,
        lines=lines_of(body),
        payments=_payments_of(invoice_id) if _is_charged(body) else [],
        credit_notes=_credit_notes({"invoice": invoice_id}) if _is_credited(body) else [],
        rate_of=tax_rate,
    )


def due(invoice_id: str) -> Due:
    """What an invoice asks for now, and of what: one call, right before it is paid."""
    body = call(lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id, {"expand": EXPAND_DUE})).to_dict()
    return documents.due(body)


def pay_invoice(*, invoice_id: str, method_id: str, idempotency_key: str) -> None:
    """Charge what remains of an invoice to this method, while the person is there to answer their bank.

    Raises GatewayDeclined, too: the bank refused it, or asks the person at the invoice's hosted page.
    https://docs.stripe.com/api/invoices/pay
    """
    params: InvoicePayParams = {"off_session": False}
    params["payment_method" if method_id.startswith("pm_") else "source"] = method_id
    call(lambda stripe_: stripe_.v1.invoices.pay(invoice_id, params, {"idempotency_key": idempotency_key}))


def invoice_pdf_url(invoice_id: str) -> str:
    """A fresh address of the invoice's PDF, empty where there is none; without asking for all its lines."""
    found = call(lambda stripe_: stripe_.v1.invoices.retrieve(invoice_id))
    return found.invoice_pdf or ""


def invoices(customer_id: str) -> Listed[Invoice]:
    """All of a customer, drafts too. Few calls: payments and credit notes are listed once for all of them."""
    expand = [*EXPAND_INVOICE, "payments"]
    found = all_of(
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
            lines=lines_of(body),
            payments=_with_intents(body, intents),
            credit_notes=[note for note in credit_notes if reading.id_of(note["invoice"]) == body["id"]],
            rate_of=tax_rate,
        )

    return read_each(found, read)


def invoice_of_payment(payment_intent_id: str) -> str:
    """The id of the invoice that a payment intent is for; empty: it is for none."""
    found = all_of(
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


def lines_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """An invoice shows its first lines only; more are a list of their own, which a preview has not."""
    lines = body["lines"]
    if not lines["has_more"]:
        return list(lines["data"])
    return all_of(
        lambda stripe_: stripe_.v1.invoices.line_items.list(
            body["id"], {"limit": PAGE, "expand": ["data.discounts"]}
        )
    )


def _payments_of(invoice_id: str) -> list[dict[str, Any]]:
    return all_of(
        lambda stripe_: stripe_.v1.invoice_payments.list(
            {"invoice": invoice_id, "limit": PAGE, "expand": EXPAND_PAYMENT}
        )
    )


def _payment_intents(customer_id: str) -> dict[str, dict[str, Any]]:
    found = all_of(
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
    found = all_of(
        lambda stripe_: stripe_.v1.credit_notes.list(
            {**filters, "limit": PAGE}  # type: ignore[arg-type] # a customer or an invoice
        )
    )
    return found[::-1]


@lru_cache(maxsize=1000)
def tax_rate(rate_id: str) -> dict[str, Any]:
    """A tax rate; its percentage never changes: https://docs.stripe.com/billing/taxes/tax-rates."""
    return call(lambda stripe_: stripe_.v1.tax_rates.retrieve(rate_id)).to_dict()
