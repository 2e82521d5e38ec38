"""How invoices are made and summed up."""

from typing import Any

from stripe_simulator.balances import balance_of
from stripe_simulator.discounts import discount_lines, living, net_of, own_cut, redeemed
from stripe_simulator.due import HOUR
from stripe_simulator.errors import StripeError
from stripe_simulator.lines import line_of_item
from stripe_simulator.money import chargeable_amount
from stripe_simulator.paging import as_list
from stripe_simulator.simulator import Simulator
from stripe_simulator.taxes import exclusive, find_rates, included_in_subtotal, inclusive, tax_lines, totals

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
        automatic_tax=automatic_tax(enabled=bool(subscription and subscription["automatic_tax"]["enabled"])),
        automatically_finalizes_at=now + HOUR if auto_advance else None,
        billing_reason=billing_reason,
        collection_method=collection_method,
        currency=currency,
        custom_fields=customer["invoice_settings"]["custom_fields"],
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
        default_tax_rates=subscription["default_tax_rates"] if subscription else [],
        description=None,
        discounts=inherited_discounts(simulator, customer, subscription),
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


def automatic_tax(*, enabled: bool) -> Json:
    return {
        "disabled_reason": None,
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": None,
    }


def require_location(simulator: Simulator, customer: str) -> None:
    """Automatic tax needs to know where the customer is (https://docs.stripe.com/tax/customer-locations)."""
    address = simulator.find("customer", customer, param="customer")["address"]
    if not (address or {}).get("country"):
        raise StripeError(
            "The customer's location isn't recognized. Set a valid customer address in order to automatically"
            " calculate tax.",
            code="customer_tax_location_invalid",
        )


def inherited_discounts(simulator: Simulator, customer: Json, subscription: Json | None) -> list[str]:
    """The living discounts of the subscription, else that of the customer."""
    of_customer = [customer["discount"]["id"]] if customer["discount"] else []
    return living(simulator, subscription["discounts"] if subscription else []) or living(
        simulator, of_customer
    )


def add_lines(simulator: Simulator, invoice: Json, lines: list[Json]) -> None:
    """Put lines on a draft and sum it up again."""
    invoice["lines"]["data"] += lines
    sum_up(simulator, invoice)


def apply_discounts_and_tax(simulator: Simulator, invoice: Json, params: Json) -> None:
    """Change what a draft takes off and adds, as a request says, and sum it up again."""
    if "discounts" in params:
        invoice["discounts"] = redeemed(
            simulator,
            params["discounts"],
            customer=invoice["customer"],
            currency=invoice["currency"],
            inherited=invoice["discounts"],
            invoice=invoice["id"],
        )
    if "default_tax_rates" in params:
        invoice["default_tax_rates"] = find_rates(
            simulator, params["default_tax_rates"], param="default_tax_rates"
        )
    if "automatic_tax" in params:
        invoice["automatic_tax"] = automatic_tax(enabled=params["automatic_tax"]["enabled"])
    sum_up(simulator, invoice)


def sum_up(simulator: Simulator, invoice: Json) -> None:
    """Work out a draft's discounts, taxes and totals; what is final stays as it is."""
    if invoice["status"] != "draft":
        return
    lines = invoice["lines"]["data"]
    if invoice["customer"]:
        customer = simulator.find("customer", invoice["customer"], param="customer")
        invoice |= {
            "customer_address": customer["address"],
            "customer_tax_exempt": customer["tax_exempt"],
            "starting_balance": balance_of(customer, invoice["currency"]),
        }
    discount_lines(simulator, invoice)
    tax_lines(simulator, invoice)
    invoice["total_discount_amounts"] = _total_discounts(lines)
    invoice["total_pretax_credit_amounts"] = _pretax_credits(invoice["total_discount_amounts"])
    invoice["total_taxes"] = totals(lines)
    for line in lines:
        line["pretax_credit_amounts"] = _pretax_credits(line["discount_amounts"])
    net = sum(net_of(line) for line in lines)
    subtotal = sum(line["amount"] - own_cut(line) for line in lines)
    total = net + exclusive(invoice["total_taxes"])
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal
        - sum(included_in_subtotal(simulator, invoice, line) for line in lines),
        "total": total,
        "total_excluding_tax": net - inclusive(invoice["total_taxes"]),
    }
    due = chargeable_amount(total + invoice["starting_balance"], invoice["currency"])
    invoice |= {"amount_due": due, "amount_remaining": due}


def _total_discounts(lines: list[Json]) -> list[Json]:
    sums: dict[str, int] = {}
    for entry in (entry for line in lines for entry in line["discount_amounts"]):
        sums[entry["discount"]] = sums.get(entry["discount"], 0) + entry["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in sums.items()]


def _pretax_credits(discount_amounts: list[Json]) -> list[Json]:
    return [
        {"amount": entry["amount"], "discount": entry["discount"], "type": "discount"}
        for entry in discount_amounts
    ]


def take_pending_items(simulator: Simulator, invoice: Json) -> None:
    """Put the customer's waiting invoice items on a draft, the oldest first."""
    subscription = ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription")
    waiting = pending_items(simulator, invoice["customer"], invoice["currency"], subscription)
    for item in waiting:
        simulator.save({**item, "invoice": invoice["id"]})
    add_lines(simulator, invoice, [line_of_item(item, invoice["id"]) for item in waiting])


def pending_items(simulator: Simulator, customer: str, currency: str, subscription: str | None) -> list[Json]:
    """What waits for an invoice in this currency; a subscription's own items wait for an invoice of it."""
    return simulator.store.select(
        "invoiceitem",
        where="AND customer = ? AND json_extract(body, '$.invoice') IS NULL"
        " AND json_extract(body, '$.currency') = ?"
        " AND coalesce(json_extract(body, '$.parent.subscription_details.subscription'), ?) = ?",
        values=(customer, currency, subscription or "", subscription or ""),
        oldest_first=True,
    )
