"""How invoices are made and summed up."""

from typing import Any

from stripe_simulator.balances import balance_of
from stripe_simulator.due import HOUR
from stripe_simulator.lines import line_of_item
from stripe_simulator.paging import as_list
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


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
