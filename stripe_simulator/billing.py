"""What happens to invoices, whoever asks for it: made, finalized, paid, failed, voided."""

from typing import Any

from stripe_simulator.due import DAY, HOUR
from stripe_simulator.errors import StripeError
from stripe_simulator.paging import as_list
from stripe_simulator.resources.payments import cancel_payment, charge_invoice
from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]

RETRY_DAYS = (3, 5, 7)
"""After how many days a failed payment is tried again, each counted from the failure before."""


def balance_of(customer: Json, currency: str) -> int:
    """What an invoice in this currency starts from; a balance pays nothing in another one
    (https://docs.stripe.com/invoicing/multi-currency-customers).
    """
    return int(_balances(customer).get(currency, 0))


def _balances(customer: Json) -> Json:
    """By currency. The demo's data may be of an earlier version, which kept one balance for all."""
    found: Json = customer.get("balances", {customer["currency"]: customer["balance"]})
    return found


def set_currency(simulator: Simulator, customer: Json, currency: str) -> None:
    """Save the customer with a default currency, which is that of the balance it shows."""
    simulator.save({**customer, "currency": currency, "balance": balance_of(customer, currency)})


def make_line(source: Json, *, invoice: str, parent: Json) -> Json:
    """A line of an invoice; `source` has what an invoice item has."""
    names = ("amount", "currency", "description", "discountable", "metadata", "period", "pricing", "quantity")
    return {
        "id": new_id("il"),
        "object": "line_item",
        **{name: source[name] for name in names},
        "discount_amounts": [],
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "parent": parent,
        "pretax_credit_amounts": [],
        "subscription": source.get("subscription"),
        "subtotal": source["amount"],
        "taxes": [],
    }


def line_of_item(item: Json, invoice: str) -> Json:
    """The line that an invoice item becomes."""
    subscription = (item["parent"] or {}).get("subscription_details", {}).get("subscription")
    parent = {
        "type": "invoice_item_details",
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "proration_details": {"credited_items": None} if item["proration"] else None,
            "subscription": subscription,
        },
        "subscription_item_details": None,
    }
    return make_line({**item, "subscription": subscription}, invoice=invoice, parent=parent)


def make_invoice(
    simulator: Simulator,
    customer: Json,
    *,
    currency: str,
    billing_reason: str,
    collection_method: str,
    auto_advance: bool,
    subscription: Json | None = None,
    **given: Any,
) -> Json:
    """A draft without lines, not saved yet. `given` are fields of the invoice."""
    now = simulator.clock.now()
    parent = subscription and {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
    }
    invoice = simulator.new(
        "invoice",
        "in",
        account_country="US",
        account_name="Stripe simulator",
        account_tax_ids=None,
        amount_due=0,
        amount_overpaid=0,
        amount_paid=0,
        amount_remaining=0,
        amount_shipping=0,
        application=None,
        attempt_count=0,
        attempted=False,
        auto_advance=auto_advance,
        automatic_tax={
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        automatically_finalizes_at=now + HOUR if auto_advance else None,
        billing_reason=billing_reason,
        collection_method=collection_method,
        currency=currency,
        custom_fields=None,
        customer=customer["id"],
        customer_account=None,
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"],
        customer_tax_ids=[],
        default_payment_method=None,
        default_source=None,
        default_tax_rates=[],
        description=None,
        discounts=[],
        due_date=None,
        effective_at=None,
        ending_balance=None,
        footer=customer["invoice_settings"]["footer"],
        from_invoice=None,
        hosted_invoice_url=None,
        invoice_pdf=None,
        issuer={"type": "self"},
        last_finalization_error=None,
        latest_revision=None,
        metadata={},
        next_payment_attempt=(
            now + HOUR if auto_advance and collection_method == "charge_automatically" else None
        ),
        number=None,
        on_behalf_of=None,
        parent=parent,
        payment_settings={
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        period_end=now,
        period_start=now,
        post_payment_credit_notes_amount=0,
        pre_payment_credit_notes_amount=0,
        receipt_number=None,
        rendering=None,
        shipping_cost=None,
        shipping_details=None,
        starting_balance=balance_of(customer, currency),
        statement_descriptor=None,
        status="draft",
        status_transitions={
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        subtotal=0,
        subtotal_excluding_tax=0,
        test_clock=None,
        total=0,
        total_discount_amounts=[],
        total_excluding_tax=0,
        total_pretax_credit_amounts=[],
        total_taxes=[],
        webhooks_delivered_at=None,
        **given,
    )
    invoice["lines"] = as_list([], f"/v1/invoices/{invoice['id']}/lines")
    return invoice


def add_lines(simulator: Simulator, invoice: Json, lines: list[Json]) -> None:
    """Put lines on a draft and sum it up again."""
    invoice["lines"]["data"] += lines
    sum_up(simulator, invoice)


def sum_up(simulator: Simulator, invoice: Json) -> None:
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = total
    if invoice["customer"]:
        customer = simulator.find("customer", invoice["customer"], param="customer")
        invoice["starting_balance"] = balance_of(customer, invoice["currency"])
    due = max(total + invoice["starting_balance"], 0)
    invoice |= {"amount_due": due, "amount_remaining": due}


def take_pending_items(simulator: Simulator, invoice: Json) -> None:
    """Put the customer's waiting invoice items of the same currency on a draft, the oldest first."""
    waiting = simulator.store.select(
        "invoiceitem",
        where="AND customer = ? AND json_extract(body, '$.invoice') IS NULL"
        " AND json_extract(body, '$.currency') = ?",
        values=(invoice["customer"], invoice["currency"]),
        oldest_first=True,
    )
    for item in waiting:
        simulator.save({**item, "invoice": invoice["id"]})
    add_lines(simulator, invoice, [line_of_item(item, invoice["id"]) for item in waiting])


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
    customer["balances"] = {**_balances(customer), invoice["currency"]: ending_balance}
    set_currency(simulator, customer, customer["currency"] or invoice["currency"])
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
