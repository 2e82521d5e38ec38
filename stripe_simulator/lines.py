"""Lines of invoices, and the invoice items that wait to become lines."""

from decimal import Decimal
from typing import Any

from stripe_simulator.simulator import Simulator, new_id

Json = dict[str, Any]


def make_item(
    simulator: Simulator,
    *,
    customer: str,
    amount: int,
    currency: str,
    price: Json | None = None,
    **given: Any,
) -> Json:
    """An invoice item that isn't saved yet; `given` are its fields. Amounts in minor units."""
    now = simulator.clock.now()
    quantity = given.pop("quantity", 1)
    unit_amount = price["unit_amount_decimal"] if price else str(Decimal(amount) / (quantity or 1))
    details = {"price": price["id"], "product": price["product"]} if price else None
    item = simulator.new(
        "invoiceitem",
        "ii",
        **{
            "amount": amount,
            "currency": currency,
            "customer": customer,
            "customer_account": None,
            "date": now,
            "description": None,
            "discountable": amount >= 0,
            "discounts": [],
            "invoice": None,
            "metadata": {},
            "net_amount": amount,
            "parent": None,
            "period": {"start": now, "end": now},
            "pricing": {
                "type": "price_details",
                "price_details": details,
                "unit_amount_decimal": unit_amount,
            },
            "proration": False,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            "test_clock": None,
            **given,
        },
    )
    del item["created"]
    if details is None:
        item["pricing"] = None
    return item


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
