"""What the documents of invoices and credit notes say: enough for an accountant, and it adds up."""

import re
from urllib.request import urlopen

import pytest
import stripe

from stripe_simulator import fonts
from stripe_simulator.control import Control
from stripe_simulator.documents import Document, credit_note_document, invoice_document
from stripe_simulator.server import Running
from stripe_simulator.tests.conftest import make_paying_customer
from stripe_simulator.tests.test_credit_notes import noted, opened
from stripe_simulator.tests.test_invoices import draft_of

Client = stripe.StripeClient


def document_of(simulator: Running, found: stripe.Invoice | stripe.CreditNote) -> Document:
    body = simulator.simulator.store.get(found.id)
    assert body is not None
    drawn = invoice_document if found.object == "invoice" else credit_note_document
    return drawn(simulator.simulator, body)


def cents(amount: str) -> int:
    return int(re.sub(r"[$.,]", "", amount))


@pytest.fixture
def customer(client: Client) -> stripe.Customer:
    return make_paying_customer(
        client,
        name="ООО «Ромашка»",
        address={"line1": "ул. Ленина 1", "city": "Москва", "country": "RU"},
        tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}],
    )


def test_an_invoice_adds_up_with_balance_credit_note_and_payment(
    client: Client, simulator: Running, customer: stripe.Customer
) -> None:
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -1000, "currency": "usd"})
    invoice = opened(client, customer, 20000, 2500)
    noted(client, invoice, amount=500)
    paid = client.v1.invoices.pay(invoice.id)
    document = document_of(simulator, paid)
    assert document.totals == [
        ("Subtotal", "$225.00"),
        ("Total", "$225.00"),
        ("Credit notes", "-$5.00"),
        ("Applied balance", "-$10.00"),
        ("Amount paid", "-$210.00"),
    ]
    assert document.due == ("Amount due", "$0.00")
    assert sum(cents(amount) for _, amount in document.totals[1:]) == cents(document.due[1])
    assert document.happened[0][0].startswith("Paid on")
    assert document.happened[0][0].endswith("by Visa ending in 4242")
    assert ("Invoice number", str(paid.number)) in document.facts
    assert "ООО «Ромашка»" in document.bill_to
    assert "eu_vat DE123456789" in document.bill_to
    assert document.issuer[0] == "Stripe simulator"


def test_a_negative_invoice_says_where_the_money_went(
    client: Client, simulator: Running, customer: stripe.Customer
) -> None:
    document = document_of(simulator, opened(client, customer, -300))
    assert document.totals[-1] == ("Credited to the customer balance", "$3.00")
    assert document.due == ("Amount due", "$0.00")


def test_a_debit_is_dated_when_it_was_paid(client: Client, control: Control, simulator: Running) -> None:
    debited = make_paying_customer(client, "pm_usBankAccount_success")
    invoice = client.v1.invoices.pay(opened(client, debited, 500).id)
    assert document_of(simulator, invoice).happened == []
    # The payment may have begun some seconds after the invoice.
    control.set_clock(invoice.created + 4 * 86400 + 60)
    (paid,) = document_of(simulator, client.v1.invoices.retrieve(invoice.id)).happened
    later = client.v1.invoice_payments.list({"invoice": invoice.id}).data[0].status_transitions.paid_at
    assert later is not None
    assert 0 <= later - invoice.created - 4 * 86400 <= 60
    assert paid[0].endswith("by US bank account ending in 6789")


def test_a_credit_note_says_how_it_was_given_back(
    client: Client, simulator: Running, customer: stripe.Customer
) -> None:
    invoice = client.v1.invoices.pay(opened(client, customer, 5000).id)
    note = noted(client, invoice, amount=3000, refund_amount=1000, credit_amount=1500, out_of_band_amount=500)
    document = document_of(simulator, note)
    assert document.due == ("Total credited", "$30.00")
    assert sorted(amount for _, amount in document.happened) == ["$10.00", "$15.00", "$5.00"]
    assert ("Invoice number", str(invoice.number)) in document.facts


def test_documents_are_pdf_in_any_script(client: Client, customer: stripe.Customer) -> None:
    invoice = opened(client, customer, *range(100, 140))
    note = noted(client, invoice, amount=500, memo="株式会社")
    for address, name in (
        (invoice.invoice_pdf, f"Invoice-{invoice.number}.pdf"),
        (note.pdf, f"CreditNote-{note.number}.pdf"),
    ):
        with urlopen(str(address)) as answer:
            assert answer.headers["Content-Type"] == "application/pdf"
            assert name in answer.headers["Content-Disposition"]
            assert answer.read().startswith(b"%PDF-")


def test_letters_that_the_font_lacks_are_written_in_another() -> None:
    assert fonts.markup("A & <b>") == "A &amp; &lt;b&gt;"
    assert fonts.markup("Acme 株式") == f'Acme <font name="{fonts.OTHER}">株式</font>'


def test_a_draft_has_no_document(client: Client, control: Control, customer: stripe.Customer) -> None:
    draft = draft_of(client, customer, 100)
    with pytest.raises(OSError, match="404"):
        urlopen(f"{control.url}/i/{draft.id}/pdf")
