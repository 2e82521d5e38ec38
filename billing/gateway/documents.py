"""From Stripe's invoices and previews, as plain dicts, to our records: what adds up to what is owed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from billing.gateway.reading import (
    CREDITS_SINCE,
    Json,
    address,
    custom_fields,
    decimal_text,
    id_of,
    id_of_what_pays,
    instant,
    instant_or_none,
)
from billing.gateway.records import (
    CreditNote,
    DiscountAmount,
    Document,
    Due,
    Invoice,
    InvoiceLine,
    Party,
    Payment,
    Preview,
    Tax,
)

# The name and the percentage of a tax rate stand in an object of its own.
RateOf = Callable[[str], Json]

# Ours, since Stripe names no code for it. Nothing saved that could pay is a failed attempt all the same:
# https://docs.stripe.com/api/events/types#event_types-invoice.payment_failed
NO_METHOD = "no_payment_method"


def invoice(
    body: Json,
    *,
    lines: Sequence[Json],
    payments: Sequence[Json],
    credit_notes: Sequence[Json],
    rate_of: RateOf,
) -> Invoice:
    """``payments``: with their payment intents and the charges of those; ``credit_notes``: in their order."""
    times = body.get("status_transitions") or {}
    attempts = body.get("attempt_count") or 0
    tried_in_vain = attempts > 0 and not body["amount_paid"]
    paid_by = [_payment(one, tried=tried_in_vain) for one in payments if one["status"] != "canceled"]
    notes = [_credit_note(one) for one in credit_notes if one["status"] != "void"]
    returned = body.get("post_payment_credit_notes_amount") or 0
    refunded = sum(payment.refunded for payment in paid_by)
    status = body.get("status") or "draft"
    pending = _pending(paid_by) if status in {"open", "uncollectible"} else None
    created = instant(body["created"])
    return Invoice(
        id=body["id"],
        customer_id=id_of(body.get("customer")),
        subscription_id=_subscription_of(body),
        number=body.get("number") or "",
        status=status,
        currency=body["currency"],
        total=body["total"],
        amount_due=body["amount_due"],
        amount_paid=body["amount_paid"],
        amount_remaining=body["amount_remaining"],
        refunded=refunded,
        credited=returned - sum(note.refunded for note in notes),
        attempt_count=attempts,
        charged_automatically=body.get("collection_method") == "charge_automatically",
        payment_status=pending.status if pending else "",
        failure_code=pending.failure if pending else "",
        next_attempt_at=instant_or_none(body.get("next_payment_attempt")),
        created=created,
        issued_at=instant_or_none(body.get("effective_at") or times.get("finalized_at")) or created,
        finalized_at=instant_or_none(times.get("finalized_at")),
        due_at=instant_or_none(body.get("due_date")),
        paid_at=instant_or_none(times.get("paid_at")),
        billed_from=min((instant(line["period"]["start"]).date() for line in lines), default=None),
        billed_until=max((instant(line["period"]["end"]).date() for line in lines), default=None),
        hosted_url=body.get("hosted_invoice_url") or "",
        pdf_url=body.get("invoice_pdf") or "",
        description=body.get("description") or "",
        document=_document(body, lines, rate_of, payments=paid_by, credit_notes=notes),
    )


def due(body: Json) -> Due:
    """``body``: with its customer, its subscription and the intents of its payments."""
    details = (body.get("parent") or {}).get("subscription_details") or {}
    payments = [one for one in body["payments"]["data"] if one["status"] == "open"]
    return Due(
        amount=body["amount_remaining"] if body["status"] in {"open", "uncollectible"} else 0,
        currency=body["currency"],
        on_its_way=any(_payment(one, tried=False).status == "processing" for one in payments),
        pays=id_of_what_pays(details.get("subscription") or {}, body["customer"]),
    )


def preview(body: Json, *, lines: Sequence[Json], rate_of: RateOf) -> Preview:
    at = body.get("next_payment_attempt") or body.get("period_end") or body["created"]
    return Preview(
        missing="",
        currency=body["currency"],
        at=instant(at).isoformat(),
        total=body["total"],
        amount_due=body["amount_due"],
        document=_document(body, lines, rate_of, payments=[], credit_notes=[]),
    )


def no_preview(code: str) -> Preview:
    return Preview(missing=code, currency="", at="", total=0, amount_due=0, document=None)


def _document(
    body: Json,
    lines: Sequence[Json],
    rate_of: RateOf,
    *,
    payments: list[Payment],
    credit_notes: list[CreditNote],
) -> Document:
    pretax = body.get("total_pretax_credit_amounts") or []
    return Document(
        lines=[_line(line) for line in lines],
        discounts=_discounts(body, lines),
        taxes=[_tax(tax, rate_of) for tax in body.get("total_taxes") or body.get("total_tax_amounts") or []],
        shipping=(body.get("shipping_cost") or {}).get("amount_subtotal") or 0,
        billing_credits=sum(
            credit["amount"] for credit in pretax if credit["type"] == "credit_balance_transaction"
        ),
        starting_balance=body.get("starting_balance") or 0,
        credited_before_payment=body.get("pre_payment_credit_notes_amount") or 0,
        paid_off_stripe=body.get("amount_paid_off_stripe") or 0,
        overpaid=body.get("amount_overpaid") or 0,
        payments=payments,
        credit_notes=credit_notes,
        issuer=body.get("account_name") or "",
        party=_party(body),
        fields=custom_fields(body),
        footer=body.get("footer") or "",
    )


def _line(body: Json) -> InvoiceLine:
    period = body["period"]
    pricing = body.get("pricing") or {}
    sold = pricing.get("price_details") or {}
    quantity = body.get("quantity_decimal") or body.get("quantity")
    return InvoiceLine(
        description=body.get("description") or "",
        quantity=decimal_text(quantity),
        unit_amount=decimal_text(pricing.get("unit_amount_decimal")),
        amount=body["amount"],
        net=net_of(body),
        period_start=instant(period["start"]).date().isoformat(),
        period_end=instant(period["end"]).date().isoformat(),
        item=_item(body.get("parent") or {}),
        price=id_of(sold.get("price")),
        product=id_of(sold.get("product")),
        credits_since=(body.get("metadata") or {}).get(CREDITS_SINCE, ""),
    )


def net_of(line: Json) -> int:
    """After discounts and exclusive taxes, in minor units."""
    discounts = sum(one["amount"] for one in line.get("discount_amounts") or [])
    added = sum(tax["amount"] for tax in line.get("taxes") or [] if tax["tax_behavior"] == "exclusive")
    return int(line["amount"] - discounts + added)


def _item(parent: Json) -> str:
    details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
    return details.get("invoice_item") or ""


def _discounts(body: Json, lines: Iterable[Json]) -> list[DiscountAmount]:
    """Of the invoice and of its lines alike: Stripe sums up both by discount."""
    known = [*(body.get("discounts") or []), *(one for line in lines for one in _discounts_of(line))]
    names = {id_of(one): _coupon_name(one) for one in known if isinstance(one, dict)}
    return [
        DiscountAmount(
            name=names.get(id_of(one["discount"])) or _coupon_name(one["discount"]), amount=one["amount"]
        )
        for one in body.get("total_discount_amounts") or []
    ]


def _discounts_of(line: Json) -> list[Any]:
    return [*(line.get("discounts") or []), *(one["discount"] for one in line.get("discount_amounts") or [])]


def _coupon_name(discount: Any) -> str:
    if not isinstance(discount, dict):
        return ""
    coupon = (discount.get("source") or discount).get("coupon")
    return (coupon.get("name") or coupon["id"]) if isinstance(coupon, dict) else ""


def _tax(body: Json, rate_of: RateOf) -> Tax:
    rate = body.get("tax_rate") or (body.get("tax_rate_details") or {}).get("tax_rate")
    details = rate if isinstance(rate, dict) else rate_of(rate) if rate else {}
    return Tax(
        name=details.get("display_name") or "",
        jurisdiction=details.get("jurisdiction") or "",
        percentage=decimal_text(details.get("percentage")),
        inclusive=body["tax_behavior"] == "inclusive" if "tax_behavior" in body else bool(body["inclusive"]),
        amount=body["amount"],
        taxable=body.get("taxable_amount"),
        reason=body.get("taxability_reason") or "",
    )


def _payment(body: Json, *, tried: bool) -> Payment:
    """``tried``: the invoice was to be charged, and nothing of it came in."""
    of = body["payment"]
    intent = of.get("payment_intent")
    intent = intent if isinstance(intent, dict) else {}
    charge = intent.get("latest_charge") or of.get("charge")
    charge = charge if isinstance(charge, dict) else {}
    error = intent.get("last_payment_error") or {}
    paid = body["status"] == "paid"
    lacked_method = tried and not paid and not error and intent.get("status") == "requires_payment_method"
    failure = NO_METHOD if lacked_method else error.get("decline_code") or error.get("code") or ""
    method = charge.get("payment_method_details") or error.get("payment_method") or error.get("source") or {}
    kind = method.get("type") or ""
    detail = method.get(kind) or {}
    times = body.get("status_transitions") or {}
    at = times.get("paid_at") if paid else charge.get("created")
    return Payment(
        status="paid" if paid else "failed" if lacked_method else _status_of(intent),
        amount=(body.get("amount_paid") or 0) if paid else body["amount_requested"],
        kind=kind,
        brand=detail.get("brand") or detail.get("bank_name") or "",
        last4=detail.get("last4") or "",
        failure="" if paid else failure,
        refunded=charge.get("amount_refunded") or 0,
        off_stripe=of.get("type") == "payment_record",
        at=instant(at).isoformat() if at else "",
    )


def _status_of(intent: Json) -> str:
    """What became of a payment that isn't paid yet.

    https://docs.stripe.com/payments/paymentintents/lifecycle
    """
    error = intent.get("last_payment_error") or {}
    match intent.get("status"):
        case "processing" | "succeeded":
            return "processing"
        case "requires_action" | "requires_confirmation":
            return "requires_action"
        case "requires_payment_method" if error.get("code") == "authentication_required":
            return "requires_action"
        case "requires_payment_method" if error:
            return "failed"
    return "open"


def _pending(payments: Iterable[Payment]) -> Payment | None:
    """The payment to come, of several the one on its way, then the one that needs the person."""
    order = ["processing", "requires_action", "failed"]
    tried = [one for one in payments if one.status in order]
    return min(tried, key=lambda one: order.index(one.status), default=None)


def _credit_note(body: Json) -> CreditNote:
    refunded = sum(refund["amount_refunded"] for refund in body.get("refunds") or [])
    elsewhere = body.get("out_of_band_amount") or 0
    before = body.get("pre_payment_amount") or 0
    return CreditNote(
        number=body.get("number") or "",
        day=instant(body.get("effective_at") or body["created"]).date().isoformat(),
        reason=body.get("reason") or "",
        memo=body.get("memo") or "",
        amount=body["amount"],
        before_payment=before,
        refunded=refunded,
        to_balance=body["amount"] - before - refunded - elsewhere,
        off_stripe=elsewhere,
    )


def _party(body: Json) -> Party:
    return Party(
        name=body.get("customer_name") or "",
        address=address(body.get("customer_address")),
        tax_ids=[one["value"] for one in body.get("customer_tax_ids") or []],
    )


def _subscription_of(body: Json) -> str:
    details = (body.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))
