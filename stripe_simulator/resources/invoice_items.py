"""Invoice items (https://docs.stripe.com/api/invoiceitems)."""

from decimal import Decimal
from typing import Any

from stripe_simulator.discounts import redeemed
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, missing, not_simulated, required
from stripe_simulator.invoicing import add_lines, sum_up
from stripe_simulator.lines import line_of_item, make_item
from stripe_simulator.money import rounded
from stripe_simulator.paging import page
from stripe_simulator.pricing import period_amount
from stripe_simulator.resources.catalog import make_price
from stripe_simulator.simulator import Simulator
from stripe_simulator.taxes import find_rates

Json = dict[str, Any]


@endpoint(
    "invoice_items.create",
    "amount currency customer description discountable discounts invoice metadata period price_data pricing"
    " quantity subscription tax_rates unit_amount_decimal",
)
def create(simulator: Simulator, params: Json) -> Json:
    if "customer" not in params:
        raise required("customer")
    customer = simulator.find("customer", params["customer"], param="customer")
    price = _price(simulator, params)
    quantity = params.get("quantity", 1)
    currency = (price or {}).get("currency") or params.get("currency") or customer["currency"]
    if not currency:
        raise required("currency")
    period = params.get("period")
    if period and period["end"] < period["start"]:
        raise StripeError("The end of the period must not be before its start.", param="period[end]")
    given: Json = {name: params[name] for name in ("description", "discountable", "period") if name in params}
    if "subscription" in params:
        _require_billed(simulator, params["subscription"], customer)
        details = {"subscription": params["subscription"], "subscription_item": None}
        given["parent"] = {"type": "subscription_details", "subscription_details": details}
    currency = currency.lower()
    amount = _amount(params, price, quantity, currency)
    item = make_item(
        simulator,
        customer=customer["id"],
        amount=amount,
        currency=currency,
        price=price,
        quantity=quantity,
        metadata=params.get("metadata") or {},
        tax_rates=find_rates(simulator, params.get("tax_rates"), param="tax_rates"),
        **given,
    )
    item["discounts"] = redeemed(
        simulator,
        params.get("discounts"),
        customer=customer["id"],
        currency=currency,
        invoice_item=item["id"],
    )
    if price and not item["description"]:
        item["description"] = simulator.find("product", price["product"])["name"]
    if "invoice" in params:
        _put_on_draft(simulator, item, params["invoice"])
    simulator.save(item)
    simulator.emit("invoiceitem.created", item)
    return item


@endpoint("invoice_items.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("invoiceitem", identifier)


@endpoint("invoice_items.list", "created customer invoice pending")
def list_items(simulator: Simulator, params: Json) -> Json:
    filters = {
        "created": None,
        "date": params.get("created"),
        "customer": params.get("customer"),
        "invoice": params.get("invoice"),
    }
    where = ""
    if "pending" in params:
        where = f"AND json_extract(body, '$.invoice') IS {'' if params['pending'] else 'NOT '}NULL"
    return page(simulator.store, "invoiceitem", "/v1/invoiceitems", params, filters=filters, where=where)


@endpoint("invoice_items.delete")
def delete(simulator: Simulator, _params: Json, identifier: str) -> Json:
    item = simulator.find("invoiceitem", identifier)
    draft = _refuse_final(simulator, item)
    if draft:
        draft["lines"]["data"] = [
            line
            for line in draft["lines"]["data"]
            if (line["parent"][line["parent"]["type"]] or {}).get("invoice_item") != identifier
        ]
        sum_up(simulator, draft)
        simulator.save(draft, "invoice.updated")
    simulator.emit("invoiceitem.deleted", item)
    return simulator.save({"id": identifier, "object": "invoiceitem", "deleted": True})


def _require_billed(simulator: Simulator, identifier: str, customer: Json) -> None:
    subscription = simulator.find("subscription", identifier, param="subscription")
    if subscription["customer"] != customer["id"]:
        raise missing("subscription", identifier, param="subscription")
    if subscription["ended_at"]:
        raise not_simulated("lets no item wait for a subscription that has ended", "subscription")


def _price(simulator: Simulator, params: Json) -> Json | None:
    if "pricing" in params:
        return simulator.find("price", params["pricing"].get("price", ""), param="pricing[price]")
    return make_price(simulator, params["price_data"]) if "price_data" in params else None


def _amount(params: Json, price: Json | None, quantity: int, currency: str) -> int:
    if price:
        return period_amount(price, quantity)
    if "unit_amount_decimal" in params:
        if "amount" in params:
            raise StripeError(
                "You may only specify one of these parameters: amount, unit_amount_decimal.", param="amount"
            )
        return rounded(Decimal(params["unit_amount_decimal"]) * quantity, currency)
    if "amount" not in params:
        raise required("amount")
    return int(params["amount"])


def _put_on_draft(simulator: Simulator, item: Json, invoice: str) -> None:
    draft = simulator.find("invoice", invoice, param="invoice")
    if draft["status"] != "draft":
        raise StripeError("This invoice is no longer editable.", code="invoice_not_editable", param="invoice")
    if draft["customer"] != item["customer"] or draft["currency"] != item["currency"]:
        raise StripeError(
            "The invoice item and the invoice must have the same customer and currency.", param="invoice"
        )
    item["invoice"] = invoice
    add_lines(simulator, draft, [line_of_item(item, invoice)])
    simulator.save(draft, "invoice.updated")


def _refuse_final(simulator: Simulator, item: Json) -> Json | None:
    """Return the draft that the item is on, if any. Raises StripeError if it is no longer a draft."""
    invoice = simulator.find("invoice", item["invoice"]) if item["invoice"] else None
    if invoice and invoice["status"] != "draft":
        raise StripeError("This invoice item is no longer editable.", code="invoice_not_editable")
    return invoice
