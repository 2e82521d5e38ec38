"""What we ask of Stripe to sell packs of credits: what they would cost, and an invoice of their own.

All raise GatewayUnavailable, GatewayRefused, GatewayMissing and GatewayForbidden. A change takes the
idempotency key that the caller has saved before.
"""

from typing import Any

from billing.gateway import documents, reading
from billing.gateway.client import call
from billing.gateway.errors import GatewayRefused
from billing.gateway.invoicing import EXPAND_INVOICE, lines_of, tax_rate
from billing.gateway.lists import PAGE, all_of
from billing.gateway.records import Packs, PacksPreview


def preview_of_packs(subscription_id: str, packs: Packs) -> PacksPreview:
    """What the packs cost by themselves, taxed as the subscription is, without its discounts.

    Of a customer with a subscription Stripe previews its next invoice only, so the packs are put on that one
    and their lines taken from it: https://docs.stripe.com/api/invoices/create_preview
    """
    item: Any = {"price": packs.price, "quantity": packs.quantity, "metadata": packs.tags}
    body = call(
        lambda stripe_: stripe_.v1.invoices.create_preview(
            {
                "subscription": subscription_id,
                "invoice_items": [item],
                "discounts": "",
                "expand": EXPAND_INVOICE,
            }
        )
    ).to_dict()
    operation_id = packs.tags[reading.OPERATION]
    lines = [line for line in lines_of(body) if reading.is_of(operation_id, line)]
    if not lines:
        raise GatewayRefused("no_line", "The preview has no line of the packs.")
    total = sum(documents.net_of(line) for line in lines)
    alone = {
        **body,
        "total": total,
        "amount_due": max(0, total + (body.get("starting_balance") or 0)),
        "total_taxes": [tax for line in lines for tax in line["taxes"]],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "shipping_cost": None,
    }
    return PacksPreview(
        charge=documents.preview(alone, lines=lines, rate_of=tax_rate),
        automatic_tax=body["automatic_tax"]["enabled"],
        tax_rates=[reading.id_of(rate) for rate in body.get("default_tax_rates") or []],
    )


def draft_of_packs(packs: Packs, *, invoice: dict[str, Any], idempotency_key: str) -> str:
    """Make a draft of these packs alone, which nothing finalizes or charges by itself. Returns its id.

    ``invoice``: of https://docs.stripe.com/api/invoices/create, as saved with the operation.
    """
    made = call(
        lambda stripe_: stripe_.v1.invoices.create(
            {  # type: ignore[arg-type] # saved as JSON
                **invoice,
                "auto_advance": False,
                "discounts": "",
                "pending_invoice_items_behavior": "exclude",
                "metadata": packs.tags,
            },
            {"idempotency_key": idempotency_key},
        )
    )
    call(
        lambda stripe_: stripe_.v1.invoice_items.create(
            {
                "customer": invoice["customer"],
                "invoice": made.id,
                "pricing": {"price": packs.price},
                "quantity": packs.quantity,
                "metadata": packs.tags,
            },
            {"idempotency_key": f"{idempotency_key}-item"},
        )
    )
    return made.id


def find_draft(*, customer_id: str, operation_id: object) -> str:
    """The id of the draft that an operation made, when we never heard how it ended; empty: none."""
    drafts = all_of(
        lambda stripe_: stripe_.v1.invoices.list({"customer": customer_id, "status": "draft", "limit": PAGE})
    )
    return next((str(body["id"]) for body in drafts if reading.is_of(operation_id, body)), "")


def finalize_invoice(invoice_id: str, *, idempotency_key: str) -> None:
    """Let a draft be owed. Nothing charges it by itself."""
    call(
        lambda stripe_: stripe_.v1.invoices.finalize_invoice(
            invoice_id, {"auto_advance": False}, {"idempotency_key": idempotency_key}
        )
    )


def send_invoice(invoice_id: str, *, idempotency_key: str) -> None:
    """Let Stripe mail an invoice to its customer."""
    call(
        lambda stripe_: stripe_.v1.invoices.send_invoice(
            invoice_id, options={"idempotency_key": idempotency_key}
        )
    )


def delete_draft(invoice_id: str) -> None:
    """Raises GatewayRefused where it is none any more."""
    call(lambda stripe_: stripe_.v1.invoices.delete(invoice_id))


def void_invoice(invoice_id: str, *, idempotency_key: str) -> None:
    """Let an open invoice be owed no more. Raises GatewayRefused where it was paid, or voided before."""
    call(
        lambda stripe_: stripe_.v1.invoices.void_invoice(
            invoice_id, options={"idempotency_key": idempotency_key}
        )
    )
