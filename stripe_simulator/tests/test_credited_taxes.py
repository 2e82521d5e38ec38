"""Credit notes and documents of invoices with discounts and taxes."""

import stripe

from stripe_simulator.server import Running
from stripe_simulator.tests.conftest import make_paying_customer
from stripe_simulator.tests.test_credit_notes import noted
from stripe_simulator.tests.test_documents import cents, document_of
from stripe_simulator.tests.test_invoices import draft_of

Client = stripe.StripeClient


def test_a_line_is_credited_with_its_discount_and_tax(client: Client, simulator: Running) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once", "name": "Spring"})
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    draft = draft_of(client, make_paying_customer(client), 10000, 5000)
    client.v1.invoices.update(
        draft.id, {"discounts": [{"coupon": coupon.id}], "default_tax_rates": [rate.id]}
    )
    invoice = client.v1.invoices.pay(draft.id)
    assert invoice.total == 14280
    first = invoice.lines.data[0]
    note = noted(
        client,
        invoice,
        lines=[{"type": "invoice_line_item", "invoice_line_item": first.id, "amount": 5000}],
        refund_amount=4760,
    )
    assert (note.subtotal, note.discount_amount, note.total_excluding_tax, note.total) == (
        5000,
        1000,
        4000,
        4760,
    )
    document = document_of(simulator, invoice)
    names = dict(document.totals)
    assert names["Spring (20% off)"] == "-$30.00"
    assert names["VAT 19% on $120.00"] == "$22.80"
    assert cents(names["Total"]) + cents(names["Amount paid"]) == cents(document.due[1])
    assert document.rows[0].tax == "19%"
    assert dict(document_of(simulator, note).totals)["VAT 19% on $40.00"] == "$7.60"
