"""Invoices: numbers, lines, balances, hosted page and PDF."""

from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import make_paying_customer, make_price
from stripe_simulator.tests.resource_types import problems_of_resource
from stripe_simulator.tests.test_checkout import GOOD, visit

Client = stripe.StripeClient


def draft_of(client: Client, customer: stripe.Customer, *amounts: int) -> stripe.Invoice:
    draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    for amount in amounts:
        client.v1.invoice_items.create(
            {
                "customer": customer.id,
                "invoice": draft.id,
                "amount": amount,
                "currency": "usd",
                "description": f"Work for {amount} <cents>",
            }
        )
    return client.v1.invoices.retrieve(draft.id)


def test_numbers_count_up_from_the_customers_prefix(client: Client) -> None:
    acme = make_paying_customer(client, invoice_prefix="ACME0001")
    globex = make_paying_customer(client, invoice_prefix="GLOBEX01")
    drafts = [draft_of(client, customer, 100) for customer in (acme, globex, acme)]
    numbers = [client.v1.invoices.finalize_invoice(draft.id).number for draft in drafts]
    assert numbers == ["ACME0001-0001", "GLOBEX01-0001", "ACME0001-0002"]


def test_ten_lines_come_with_the_invoice_and_the_rest_by_page(client: Client) -> None:
    draft = draft_of(client, make_paying_customer(client), *range(100, 112))
    assert (len(draft.lines.data), draft.lines.has_more, draft.total) == (10, True, sum(range(100, 112)))
    rest = client.v1.invoices.line_items.list(draft.id, {"starting_after": draft.lines.data[-1].id})
    assert problems_of_resource(rest) == []
    assert [line.amount for line in rest.data] == [110, 111]
    assert not rest.has_more


def test_line_of_a_price_names_it(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client, recurring=None)
    draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    client.v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "pricing": {"price": price.id}, "quantity": 3}
    )
    final = client.v1.invoices.finalize_invoice(draft.id)
    assert problems_of_resource(final) == []
    (line,) = final.lines.data
    assert (line.amount, line.quantity, line.description) == (22500, 3, "Team growth")
    assert line.pricing is not None
    assert line.pricing.price_details is not None
    assert line.pricing.price_details.price == price.id


def test_pending_items_wait_for_an_invoice_that_includes_them(client: Client) -> None:
    customer = make_paying_customer(client)
    client.v1.invoice_items.create({"customer": customer.id, "amount": 500, "currency": "usd"})
    without = client.v1.invoices.create({"customer": customer.id})
    assert without.total == 0
    including = client.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    assert including.total == 500


def test_item_of_another_customers_or_of_an_ended_subscription_is_refused(client: Client) -> None:
    customer, price = make_paying_customer(client), make_price(client)
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})

    def item(owner: str) -> Any:
        return {"customer": owner, "amount": 1, "currency": "usd", "subscription": subscription.id}

    stranger = client.v1.customers.create({"name": "Other"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoice_items.create(item(stranger.id))
    assert refused.value.param == "subscription"
    client.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoice_items.create(item(customer.id))
    assert refused.value.code == "parameter_not_simulated"


def test_deleted_item_leaves_the_draft(client: Client) -> None:
    draft = draft_of(client, make_paying_customer(client), 100, 200)
    item = client.v1.invoice_items.list({"invoice": draft.id}).data[0]
    assert client.v1.invoice_items.delete(item.id).deleted
    assert client.v1.invoices.retrieve(draft.id).total == 100


def test_finalized_invoice_is_not_editable(client: Client) -> None:
    customer = make_paying_customer(client)
    draft = draft_of(client, customer, 100)
    client.v1.invoices.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": 1, "currency": "usd"}
        )
    assert refused.value.code == "invoice_not_editable"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.delete(draft.id)


def test_credit_is_kept_for_the_next_invoice(client: Client) -> None:
    customer = make_paying_customer(client)
    credit = client.v1.invoices.finalize_invoice(draft_of(client, customer, -300).id)
    assert (credit.status, credit.total, credit.amount_due, credit.ending_balance) == ("paid", -300, 0, -300)
    bill = client.v1.invoices.finalize_invoice(draft_of(client, customer, 1000).id)
    assert (bill.amount_due, bill.starting_balance, bill.ending_balance) == (700, -300, 0)
    assert client.v1.customers.retrieve(customer.id).balance == 0


def test_draft_that_advances_by_itself_is_paid_after_an_hour(client: Client, control: Control) -> None:
    customer = make_paying_customer(client)
    draft = draft_of(client, customer, 100)
    client.v1.invoices.update(draft.id, {"auto_advance": True})
    control.advance(hours=1)
    assert client.v1.invoices.retrieve(draft.id).status == "paid"


def test_paid_elsewhere_charges_nothing(client: Client) -> None:
    customer = make_paying_customer(client)
    paid = client.v1.invoices.pay(draft_of(client, customer, 100).id, {"paid_out_of_band": True})
    assert paid.status == "paid"
    assert client.v1.charges.list({"customer": customer.id}).data == []


def test_payment_can_be_followed_to_its_charge(client: Client) -> None:
    customer = make_paying_customer(client)
    draft = draft_of(client, customer, 100)
    paid = client.v1.invoices.pay(draft.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert problems_of_resource(paid) == []
    assert paid.payments is not None
    intent = paid.payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, str)
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert problems_of_resource(charge) == []
    assert (charge.amount, charge.paid, charge.customer) == (100, True, customer.id)


def test_pdf_is_one_and_names_the_invoice(client: Client) -> None:
    invoice = client.v1.invoices.pay(draft_of(client, make_paying_customer(client), 1250, 99).id)
    with urlopen(str(invoice.invoice_pdf)) as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        assert f"Invoice-{invoice.number}.pdf" in answer.headers["Content-Disposition"]
        assert answer.read().startswith(b"%PDF-")


def test_hosted_page_shows_and_takes_the_payment(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    invoice = client.v1.invoices.finalize_invoice(draft_of(client, customer, 1250).id)
    status, page, _ = visit(invoice.hosted_invoice_url)
    assert status == 200
    assert "$12.50" in page
    assert "Work for 1250 &lt;cents&gt;" in page
    status, page, _ = visit(invoice.hosted_invoice_url, GOOD | {"number": "4000000000000002"})
    assert (status, "Your card was declined." in page) == (402, True)
    assert visit(invoice.hosted_invoice_url, GOOD)[0] == 303
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert "Pay by card" not in visit(invoice.hosted_invoice_url)[1]


def test_draft_has_no_page(client: Client, control: Control) -> None:
    draft = draft_of(client, make_paying_customer(client), 100)
    assert visit(f"{control.url}/i/{draft.id}")[0] == 404
    assert visit(f"{control.url}/i/{draft.id}/pdf")[0] == 404


def test_deleted_customers_invoices_stop_and_hold_up_nobody(client: Client, control: Control) -> None:
    gone, other = make_paying_customer(client), make_paying_customer(client)
    drafts = [draft_of(client, customer, 100) for customer in (gone, other)]
    for draft in drafts:
        client.v1.invoices.update(draft.id, {"auto_advance": True})
    client.v1.customers.delete(gone.id)
    control.advance(hours=2)
    assert [client.v1.invoices.retrieve(draft.id).status for draft in drafts] == ["draft", "paid"]


def test_detached_card_is_not_charged(client: Client) -> None:
    customer = make_paying_customer(client)
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    draft = draft_of(client, customer, 100)
    client.v1.invoices.update(draft.id, {"default_payment_method": method.id})
    client.v1.payment_methods.detach(method.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.pay(draft.id)
    assert client.v1.charges.list({"customer": customer.id}).data == []


def test_what_a_deleted_customer_was_invoiced_stays_and_can_be_settled(client: Client) -> None:
    customer = make_paying_customer(client)
    paid, void = (
        client.v1.invoices.finalize_invoice(draft_of(client, customer, 100).id, {"auto_advance": False}).id
        for _number in range(2)
    )
    client.v1.customers.delete(customer.id)
    client.v1.invoices.pay(paid, {"paid_out_of_band": True})
    client.v1.invoices.void_invoice(void)
    assert [client.v1.invoices.retrieve(one).status for one in (paid, void)] == ["paid", "void"]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.invoices.create({"customer": customer.id})
