"""Invoices of all kinds, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from tests.billing.factories import credit_note, document, line, payment


@st.composite
def invoices(draw: st.DrawFn) -> dict[str, Any]:
    """An invoice as Stripe reckons one: discounts, then taxes, then balance, credit notes and payments."""
    lines = [
        line(f"Item {number}", draw(st.integers(-(10**6), 10**9)))
        for number in range(draw(st.integers(0, 4)))
    ]
    subtotal = sum(one.amount for one in lines)
    discounts = [
        {"name": f"Coupon {number}", "amount": draw(st.integers(0, max(0, subtotal) // 3))}
        for number in range(draw(st.integers(0, 2)))
    ]
    billing_credits, shipping = draw(st.integers(0, 500)), draw(st.integers(0, 5000))
    taxes = [
        {
            "name": "VAT",
            "jurisdiction": "",
            "percentage": "19",
            "inclusive": draw(st.booleans()),
            "amount": draw(st.integers(0, 10**6)),
            "taxable": None,
            "reason": "",
        }
        for _tax in range(draw(st.integers(0, 3)))
    ]
    total = subtotal - sum(one["amount"] for one in discounts) - billing_credits + shipping
    total += sum(tax["amount"] for tax in taxes if not tax["inclusive"])
    starting = draw(st.integers(-(10**6), 10**6))
    due = max(0, total + starting)
    credited = draw(st.integers(0, due))
    due -= credited
    notes = [credit_note(credited, before_payment=credited)] if credited else []
    status = draw(st.sampled_from(["open", "paid", "void", "uncollectible", "draft"]))
    payments, received = [], 0
    for _payment in range(draw(st.integers(0, 3))):
        amount = draw(st.integers(0, due - received))
        received += amount
        state = draw(st.sampled_from(["paid", "failed", "processing"]))
        refunded = draw(st.integers(0, amount)) if state == "paid" else 0
        payments.append(payment(amount, status=state, refunded=refunded))
        noted, balance = draw(st.integers(0, refunded)), draw(st.integers(0, 500))
        if noted + balance and state == "paid":
            notes.append(credit_note(noted + balance, refunded=noted, to_balance=balance))
    received = sum(one.amount for one in payments if one.status == "paid")
    overpaid = draw(st.integers(0, 500)) if status == "paid" and received == due and due else 0
    if overpaid:
        payments.append(payment(overpaid))
    return {
        "document": document(
            lines,
            discounts=discounts,
            taxes=taxes,
            shipping=shipping,
            billing_credits=billing_credits,
            starting_balance=starting,
            credited_before_payment=credited,
            overpaid=overpaid,
            payments=payments,
            credit_notes=notes,
        ),
        "status": status,
        "total": total,
        "amount_due": due,
        "amount_remaining": 0 if status == "paid" else due - received,
    }
