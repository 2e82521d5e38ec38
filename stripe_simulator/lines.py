"""Lines of invoices, and the invoice items that wait to become lines."""

from decimal import Decimal
from typing import Any

from stripe_simulator.money import rounded
from stripe_simulator.pricing import Charge, charges_of
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
    unit_amount = price["unit_amount_decimal"] if price else None
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
    source = (item["parent"] or {}).get("subscription_details", {})
    subscription = source.get("subscription")
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": _proration_details(item),
        "subscription": subscription,
    }
    parent: Json = {
        "type": "invoice_item_details",
        "invoice_item_details": details,
        "subscription_item_details": None,
    }
    if item["proration"]:
        parent = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {**details, "subscription_item": source["subscription_item"]},
        }
    return make_line({**item, "subscription": subscription}, invoice=invoice, parent=parent)


def _proration_details(item: Json) -> Json | None:
    """Which lines the item credits, as a line names them."""
    if not item["proration"]:
        return None
    credited = item["proration_details"]["credited_items"]
    return {"credited_items": credited and credited["invoice_line_item_details"]}


def lines_of_subscription_item(
    item: Json,
    *,
    invoice: str,
    product: Json,
    quantity: int,
    share: Decimal,
    is_trial: bool,
    metadata: Json,
) -> list[Json]:
    """The lines that an item of a subscription becomes for its period, or for a `share` of it."""
    price = item["price"]
    units = f"{quantity} {product['unit_label']}" if product["unit_label"] else str(quantity)
    charges = charges_of(price, quantity)
    if is_trial:
        charges = [Charge(quantity, 0, "0", "")]
    parent = {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": None,
            "subscription": item["subscription"],
            "subscription_item": item["id"],
        },
    }
    lines = []
    for charge in charges:
        words = f"{units} × {product['name']} (at {charge.label} / {_interval(price)})"
        if price["billing_scheme"] == "tiered":
            words = f"{charge.quantity} × {product['name']} ({charge.label} / {_interval(price)})"
        source = {
            "amount": rounded(charge.amount * share, price["currency"]),
            "currency": price["currency"],
            "description": f"Free trial for {units} × {product['name']}" if is_trial else words,
            "discountable": True,
            "discounts": item["discounts"],
            "metadata": metadata,
            "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
            "pricing": {
                "type": "price_details",
                "price_details": {"price": price["id"], "product": price["product"]},
                "unit_amount_decimal": charge.unit_amount,
            },
            "quantity": charge.quantity,
            "subscription": item["subscription"],
            "tax_rates": item["tax_rates"],
        }
        lines.append(make_line(source, invoice=invoice, parent=parent))
    return lines


def _interval(price: Json) -> str:
    recurring = price["recurring"]
    count = recurring["interval_count"]
    return f"every {count} {recurring['interval']}s" if count > 1 else str(recurring["interval"])


def make_line(source: Json, *, invoice: str, parent: Json) -> Json:
    """A line of an invoice; `source` has what an invoice item has."""
    names = ("amount", "currency", "description", "discountable", "metadata", "period", "pricing", "quantity")
    return {
        "id": new_id("il"),
        "object": "line_item",
        **{name: source[name] for name in names},
        "discount_amounts": [],
        "discounts": source.get("discounts", []),
        "invoice": invoice,
        "livemode": False,
        "parent": parent,
        "pretax_credit_amounts": [],
        "subscription": source.get("subscription"),
        "subtotal": source["amount"],
        "simulated": {"tax_rates": source.get("tax_rates", [])},
        "taxes": [],
    }
