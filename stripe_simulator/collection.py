"""How invoices are collected: finalized, paid, failed, voided."""

from typing import Any

from stripe_simulator.balances import set_balance
from stripe_simulator.due import DAY
from stripe_simulator.errors import StripeError
from stripe_simulator.invoicing import sum_up
from stripe_simulator.payments import cancel_payment, charge_invoice
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

RETRY_DAYS = (3, 5, 7)
"""After how many days a failed payment is tried again, each counted from the failure before."""


def finalize(simulator: Simulator, invoice: Json) -> Json:
    """Number the invoice and open it; with nothing to pay, it is paid at once."""
    if invoice["status"] != "draft":
        raise StripeError(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    customer = simulator.find("customer", invoice["customer"], param="customer")
    now = simulator.clock.now()
    sum_up(simulator, invoice)
    ending_balance = min(invoice["starting_balance"] + invoice["total"], 0)
    invoice |= {
        "automatically_finalizes_at": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_ids": [
            {"type": tax_id["type"], "value": tax_id["value"]}
            for tax_id in simulator.store.select("tax_id", where="AND customer = ?", values=[customer["id"]])
        ],
        "effective_at": now,
        "ending_balance": ending_balance,
        "number": invoice["number"]
        or f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = now
    if invoice["collection_method"] == "send_invoice":
        invoice["due_date"] = invoice["due_date"] or now + 30 * DAY
    customer["next_invoice_sequence"] += 1
    set_balance(simulator, customer, invoice["currency"], ending_balance)
    simulator.save(invoice)
    simulator.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(simulator, invoice)
    elif invoice["collection_method"] == "send_invoice":
        simulator.emit("invoice.sent", invoice)
    return invoice


def payment_method_for(simulator: Simulator, invoice: Json) -> Json | None:
    """The invoice's own method, else the subscription's, else the customer's default."""
    customer = simulator.find("customer", invoice["customer"], param="customer")
    subscription = subscription_of(simulator, invoice)
    chosen = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or customer["invoice_settings"]["default_payment_method"]
    )
    method = simulator.store.get(chosen) if chosen else None
    return method if method and method["customer"] == customer["id"] else None


def attempt_payment(simulator: Simulator, invoice: Json, method: Json | None) -> StripeError | None:
    """Try to collect an open invoice. Returns why it failed; the failure itself is recorded."""
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    refusal: StripeError | None
    if method is None:
        refusal = StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            "`default_payment_method`."
        )
    else:
        refusal = charge_invoice(simulator, invoice, method)
    if refusal is None:
        mark_paid(simulator, invoice, charged=True)
        return None
    attempt = invoice["attempt_count"]
    retries = invoice["auto_advance"] and attempt <= len(RETRY_DAYS)
    invoice["next_payment_attempt"] = (
        simulator.clock.now() + RETRY_DAYS[attempt - 1] * DAY if retries else None
    )
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(simulator, invoice)
    if subscription and subscription["status"] in ("active", "trialing"):
        simulator.save({**subscription, "status": "past_due"}, "customer.subscription.updated")
    _set_delinquent(simulator, invoice["customer"], delinquent=True)
    return refusal


def mark_paid(simulator: Simulator, invoice: Json, *, charged: bool = False) -> Json:
    """Settle the invoice, whether a card was charged, nothing was due or it was paid elsewhere."""
    now = simulator.clock.now()
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    if not charged and invoice["amount_due"]:
        cancel_payment(simulator, invoice)
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    invoice["status_transitions"]["paid_at"] = now
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.paid", invoice)
    simulator.emit("invoice.payment_succeeded", invoice)
    subscription = subscription_of(simulator, invoice)
    if subscription and subscription["status"] in ("incomplete", "past_due"):
        simulator.save({**subscription, "status": "active"}, "customer.subscription.updated")
    _set_delinquent(simulator, invoice["customer"], delinquent=False)
    return invoice


def void(simulator: Simulator, invoice: Json) -> Json:
    invoice |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["voided_at"] = simulator.clock.now()
    cancel_payment(simulator, invoice)
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.voided", invoice)
    return invoice


def stop_collecting(simulator: Simulator, customer: str, *, subscription: str | None = None) -> None:
    """Let the customer's unpaid invoices, or those of one subscription, no longer advance by themselves."""
    for invoice in simulator.store.select(
        "invoice",
        where="AND customer = ? AND json_extract(body, '$.status') IN ('draft', 'open')"
        " AND ? IN ('', json_extract(body, '$.parent.subscription_details.subscription'))",
        values=(customer, subscription or ""),
    ):
        stopped = {"auto_advance": False, "next_payment_attempt": None, "automatically_finalizes_at": None}
        simulator.save({**invoice, **stopped}, "invoice.updated")


def subscription_of(simulator: Simulator, invoice: Json) -> Json | None:
    if not invoice["parent"]:
        return None
    return simulator.store.get(invoice["parent"]["subscription_details"]["subscription"])


def _set_delinquent(simulator: Simulator, customer: str, *, delinquent: bool) -> None:
    body = simulator.find("customer", customer, param="customer")
    simulator.save({**body, "delinquent": delinquent}, "customer.updated")
