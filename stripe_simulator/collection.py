"""How invoices are collected: finalized, paid, failed, voided."""

from typing import Any

from stripe_simulator.balances import change_balance
from stripe_simulator.due import DAY
from stripe_simulator.errors import ActionRequiredError, CardDeclinedError, StripeError
from stripe_simulator.intents import answer_authentication, settle
from stripe_simulator.invoicing import sum_up
from stripe_simulator.outcomes import Refusal
from stripe_simulator.payments import (
    cancel_payment,
    charge_invoice,
    fit_payment,
    mark_payment_paid,
    payment_of,
    refuse_processing,
    start_payment,
)
from stripe_simulator.pending import awaits, take_effect
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import chargeable
from stripe_simulator.taxes import drop_tax_of_nowhere

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
    drop_tax_of_nowhere(invoice)
    ending_balance = invoice["starting_balance"] + invoice["total"] - invoice["amount_due"]
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
    customer["currency"] = customer["currency"] or invoice["currency"]
    simulator.save(customer)
    _move_balance(simulator, invoice, customer, ending_balance - invoice["starting_balance"])
    simulator.save(invoice)
    simulator.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        return mark_paid(simulator, invoice)
    start_payment(simulator, invoice)
    if invoice["collection_method"] == "send_invoice":
        simulator.emit("invoice.sent", invoice)
    return invoice


def payment_method_for(simulator: Simulator, invoice: Json) -> Json | None:
    """What would be charged: the invoice's own method, the subscription's, the customer's.

    At each, the payment method goes before the legacy source
    (https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority).
    """
    customer = simulator.find("customer", invoice["customer"], param="customer")
    subscription = subscription_of(simulator, invoice) or {}
    chosen = (
        invoice["default_payment_method"]
        or invoice["default_source"]
        or subscription.get("default_payment_method")
        or subscription.get("default_source")
        or customer["invoice_settings"]["default_payment_method"]
        or customer["default_source"]
    )
    method = chargeable(simulator, chosen) if chosen else {"customer": None}
    return method if method["customer"] == customer["id"] else None


def attempt_payment(
    simulator: Simulator,
    invoice: Json,
    method: Json | None,
    *,
    on_session: bool = False,
    by_hand: bool = False,
) -> StripeError | None:
    """Try to collect an open invoice. Returns why it failed; the failure itself is recorded.

    A bank debit neither fails nor succeeds now: the invoice stays open, and `settle_payment` ends it.
    Raises StripeError while an earlier one is under way. `on_session`: the person is there to answer.
    `by_hand`: counts as the first attempt at most, and leaves what is tried by itself as it was
    (https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count).
    """
    refuse_processing(simulator, invoice)
    if not (by_hand and invoice["attempt_count"]):
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "next_payment_attempt": None}
    invoice["attempted"] = True
    if method is None:
        refusal = StripeError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            "`default_payment_method`."
        )
        _failed(simulator, invoice, retried=True)
        return refusal
    return take_result(simulator, invoice, charge_invoice(simulator, invoice, method, on_session=on_session))


def take_result(simulator: Simulator, invoice: Json, intent: Json) -> StripeError | None:
    """Let an invoice follow its payment intent. Returns why the payment failed, if it did."""
    match intent["status"]:
        case "succeeded":
            payment = payment_of(simulator, intent)
            if payment:
                mark_payment_paid(simulator, payment)
                take_payment(simulator, invoice, payment["amount_paid"])
            return None
        case "processing":
            simulator.save(invoice, "invoice.updated")
            _set_subscription(simulator, invoice, "active", of=("incomplete",))
            return None
        case "requires_action":
            simulator.save(invoice, "invoice.updated")
            simulator.emit("invoice.payment_action_required", invoice)
            _failed(simulator, invoice, retried=True)
            return ActionRequiredError()
        case _:
            error = intent["last_payment_error"]
            _failed(simulator, invoice, retried=error["payment_method"]["type"] in ("card", "link"))
            refusal = Refusal(error["code"], error["message"], error.get("decline_code"))
            return CardDeclinedError(
                refusal, charge=error.get("charge"), payment_method=error["payment_method"]
            )


def settle_payment(simulator: Simulator, intent: Json) -> None:
    """The bank has decided a debit that was under way."""
    method = chargeable(simulator, intent["payment_method"] or intent["source"])
    intent = settle(simulator, intent, method)
    payment = payment_of(simulator, intent)
    if payment:
        take_result(simulator, simulator.find("invoice", payment["invoice"]), intent)


def authenticate_payment(simulator: Simulator, invoice: Json, intent: Json, *, succeed: bool) -> None:
    """The person answered their bank about a payment that waited for it."""
    method = chargeable(simulator, intent["payment_method"] or intent["source"])
    take_result(simulator, invoice, answer_authentication(simulator, intent, method, succeed=succeed))


def take_payment(simulator: Simulator, invoice: Json, amount: int) -> None:
    """Count a payment; with it, the invoice may be paid."""
    invoice["amount_paid"] += amount
    invoice["amount_remaining"] = max(invoice["amount_due"] - invoice["amount_paid"], 0)
    if invoice["amount_remaining"] == 0:
        mark_paid(simulator, invoice)
    else:
        fit_payment(simulator, invoice)
        simulator.save(invoice, "invoice.updated")


def pay_out_of_band(simulator: Simulator, invoice: Json) -> Json:
    """Settle what remains, which was paid in another way than through Stripe."""
    cancel_payment(simulator, invoice)
    invoice["amount_paid_off_stripe"] = invoice["amount_remaining"]
    invoice |= {"amount_paid": invoice["amount_due"], "amount_remaining": 0}
    return mark_paid(simulator, invoice)


def mark_paid(simulator: Simulator, invoice: Json) -> Json:
    """Settle an invoice of which nothing remains to pay."""
    invoice |= {
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    invoice["status_transitions"]["paid_at"] = simulator.clock.now()
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.paid", invoice)
    simulator.emit("invoice.payment_succeeded", invoice)
    _set_subscription(simulator, invoice, "active", of=("incomplete", "past_due"))
    _set_delinquent(simulator, invoice["customer"], delinquent=False)
    take_effect(simulator, invoice)
    return invoice


def void(simulator: Simulator, invoice: Json) -> Json:
    """Call the invoice off; the balance that it used comes back."""
    cancel_payment(simulator, invoice)
    invoice |= {"status": "void", "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["voided_at"] = simulator.clock.now()
    simulator.save(invoice, "invoice.updated")
    customer = _living_customer(simulator, invoice["customer"])
    if customer:
        used = invoice["starting_balance"] - (invoice["ending_balance"] or 0)
        _move_balance(simulator, invoice, customer, used)
    simulator.emit("invoice.voided", invoice)
    return invoice


def write_off(simulator: Simulator, invoice: Json) -> Json:
    """Give up an open invoice as uncollectible; it can still be paid."""
    invoice |= {"status": "uncollectible", "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["marked_uncollectible_at"] = simulator.clock.now()
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.marked_uncollectible", invoice)
    return invoice


def mark_overdue(simulator: Simulator, invoice: Json) -> None:
    """The due date of an invoice that was sent has passed."""
    simulator.save({**invoice, "simulated": {**invoice.get("simulated", {}), "overdue": True}})
    simulator.emit("invoice.overdue", invoice)
    _set_subscription(simulator, invoice, "past_due", of=("active", "trialing"))


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


def _failed(simulator: Simulator, invoice: Json, *, retried: bool) -> None:
    """Record a failed attempt; a bank's debit isn't tried again by itself."""
    attempt = invoice["attempt_count"]
    is_planned = invoice["next_payment_attempt"] is not None
    if retried and invoice["auto_advance"] and attempt <= len(RETRY_DAYS) and not is_planned:
        invoice["next_payment_attempt"] = simulator.clock.now() + RETRY_DAYS[attempt - 1] * DAY
    simulator.save(invoice, "invoice.updated")
    simulator.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(simulator, invoice)
    if subscription and not awaits(subscription, invoice):
        _set_subscription(simulator, invoice, "past_due", of=("active", "trialing"))
    _set_delinquent(simulator, invoice["customer"], delinquent=True)


def _set_subscription(simulator: Simulator, invoice: Json, status: str, *, of: tuple[str, ...]) -> None:
    """Move the invoice's subscription to a status, if it has one of these now."""
    subscription = subscription_of(simulator, invoice)
    if subscription and subscription["status"] in of:
        simulator.save({**subscription, "status": status}, "customer.subscription.updated")


def _move_balance(simulator: Simulator, invoice: Json, customer: Json, amount: int) -> None:
    """Take from the balance what the invoice uses of it, or give that back."""
    if amount:
        kind = "unapplied_from_invoice" if invoice["status"] == "void" else "applied_to_invoice"
        if invoice["ending_balance"] > 0:
            kind = "invoice_too_small"
        currency = invoice["currency"]
        change_balance(
            simulator, customer, amount=amount, currency=currency, kind=kind, invoice=invoice["id"]
        )


def _set_delinquent(simulator: Simulator, customer: str, *, delinquent: bool) -> None:
    body = _living_customer(simulator, customer)
    if body:
        simulator.save({**body, "delinquent": delinquent}, "customer.updated")


def _living_customer(simulator: Simulator, identifier: str) -> Json | None:
    """None for a deleted one, whose invoices can still be settled, voided and written off."""
    found = simulator.store.get(identifier)
    return None if found is None or found.get("deleted") else found
