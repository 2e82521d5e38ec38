"""An invoice adds up, and its state says where the money is, whatever became of it at Stripe."""

from collections.abc import Callable

import pytest

from billing.invoice_states import InvoiceState
from tests.billing.told import Told

pytestmark = pytest.mark.django_db

Amounts = list[tuple[str, str]]


def paid_in_part_from_the_balance(told: Told) -> None:
    told.balance(-6000)
    told.subscribe(told.price(10_000))


def paid_whole_from_the_balance(told: Told) -> None:
    told.balance(-15_000)
    told.subscribe(told.price(10_000))


def owed_before(told: Told) -> None:
    told.balance(1250)
    told.subscribe(told.price(10_000))


def too_small_to_charge(told: Told) -> None:
    told.subscribe(told.price(30))


def too_small_after_the_balance(told: Told) -> None:
    told.balance(-970)
    told.subscribe(told.price(1000))


def discounted_by_name(told: Told) -> None:
    told.subscribe(told.price(10_000), discounts=[{"coupon": told.coupon(percent_off=20, name="Launch")}])


def free_by_discount(told: Told) -> None:
    told.subscribe(told.price(10_000), discounts=[{"coupon": told.coupon(percent_off=100)}])


def with_tax_included(told: Told) -> None:
    told.subscribe(told.price(11_900), default_tax_rates=[told.tax_rate("VAT", 19, inclusive=True)])


def with_tax_included_and_added(told: Told) -> None:
    rates = [told.tax_rate("VAT", 19, inclusive=True), told.tax_rate("City", 2.5, inclusive=False)]
    told.subscribe(told.price(11_900), default_tax_rates=rates)


def taxed_after_a_discount(told: Told) -> None:
    told.subscribe(
        told.price(10_000),
        default_tax_rates=[told.tax_rate("VAT", 19, inclusive=False)],
        discounts=[{"coupon": told.coupon(amount_off=2000, currency="usd", name="Partner")}],
    )


def fewer_seats_at_once(told: Told) -> None:
    """10 seats of $50 become 1 after 5 of 30 days: 9 seats for 25 days go back."""
    subscription = told.subscribe(told.price(5000), quantity=10)
    told.stripe.control.advance(days=5)
    told.change_item(subscription, quantity=1)
    told.stripe.control.advance(days=26)


def in_dinars(told: Told) -> None:
    told.subscribe(told.price(5120, currency="kwd"), quantity=3)


def credited_before_payment(told: Told) -> None:
    invoice = told.stripe.invoice(told.account, amount=8000)
    told.api.credit_notes.create({"invoice": invoice.id, "amount": 3000})
    told.api.invoices.pay(invoice.id)


def credited_whole_before_payment(told: Told) -> None:
    invoice = told.stripe.invoice(told.account, amount=8000)
    told.api.credit_notes.create({"invoice": invoice.id, "amount": 8000})


def paid_elsewhere(told: Told) -> None:
    invoice = told.stripe.invoice(told.account, amount=8000)
    told.api.invoices.pay(invoice.id, {"paid_out_of_band": True})


def written_off(told: Told) -> None:
    told.api.invoices.mark_uncollectible(told.stripe.invoice(told.account, amount=3300).id)


def written_off_then_paid(told: Told) -> None:
    written_off(told)
    told.api.invoices.pay(told.latest_invoice().id)


def voided(told: Told) -> None:
    told.api.invoices.void_invoice(told.stripe.invoice(told.account, amount=3300).id)


def partly_paid(told: Told) -> None:
    pay_a_part(told, told.stripe.invoice(told.account, amount=10_000).id)


def partly_paid_then_written_off(told: Told) -> None:
    partly_paid(told)
    told.api.invoices.mark_uncollectible(told.latest_invoice().id)


def pay_a_part(told: Told, invoice: str) -> None:
    charge = {"amount": 4000, "currency": "usd", "customer": told.customer, "confirm": True}
    intent = told.api.payment_intents.create({**charge, "payment_method": told.save(), "off_session": True})
    told.api.invoices.attach_payment(invoice, {"payment_intent": intent.id})


INVOICES: list[tuple[Callable[[Told], None], InvoiceState, Amounts]] = [
    (
        paid_in_part_from_the_balance,
        InvoiceState.PAID,
        [("Applied balance", "-$60.00"), ("Amount due", "$40.00"), ("Paid", "-$40.00")],
    ),
    (
        paid_whole_from_the_balance,
        InvoiceState.COVERED,
        [("Applied balance", "-$100.00"), ("Amount due", "$0.00")],
    ),
    (owed_before, InvoiceState.PAID, [("Applied balance", "$12.50"), ("Amount due", "$112.50")]),
    (too_small_to_charge, InvoiceState.COVERED, [("Carried over to the next invoice", "-$0.30")]),
    (
        too_small_after_the_balance,
        InvoiceState.COVERED,
        [
            ("Applied balance", "-$9.70"),
            ("Carried over to the next invoice", "-$0.30"),
            ("Amount due", "$0.00"),
        ],
    ),
    (discounted_by_name, InvoiceState.PAID, [("Discount", "-$20.00"), ("Total", "$80.00")]),
    (free_by_discount, InvoiceState.NOTHING_DUE, [("Discount", "-$100.00"), ("Total", "$0.00")]),
    (with_tax_included, InvoiceState.PAID, [("Total", "$119.00"), ("VAT", "$19.00")]),
    (
        with_tax_included_and_added,
        InvoiceState.PAID,
        [("City", "$2.50"), ("Total", "$121.50"), ("VAT", "$19.00")],
    ),
    (
        taxed_after_a_discount,
        InvoiceState.PAID,
        [("Discount", "-$20.00"), ("VAT", "$15.20"), ("Total", "$95.20")],
    ),
    (
        fewer_seats_at_once,
        InvoiceState.TO_BALANCE,
        [("Total", "-$325.00"), ("Credited to balance", "$325.00")],
    ),
    (in_dinars, InvoiceState.PAID, [("Total", "KWD\xa015.360"), ("Paid", "-KWD\xa015.360")]),
    (
        credited_before_payment,
        InvoiceState.PAID,
        [("Credit notes before payment", "-$30.00"), ("Amount due", "$50.00"), ("Paid", "-$50.00")],
    ),
    (credited_whole_before_payment, InvoiceState.COVERED, [("Credit notes before payment", "-$80.00")]),
    (paid_elsewhere, InvoiceState.PAID, [("Paid outside Stripe", "-$80.00"), ("Left to pay", "$0.00")]),
    (written_off, InvoiceState.WRITTEN_OFF, [("Total", "$33.00"), ("Left to pay", "$33.00")]),
    (written_off_then_paid, InvoiceState.PAID, [("Paid", "-$33.00"), ("Left to pay", "$0.00")]),
    (voided, InvoiceState.VOID, [("Voided", "-$33.00"), ("Left to pay", "$0.00")]),
    (partly_paid, InvoiceState.PARTLY_PAID, [("Paid", "-$40.00"), ("Left to pay", "$60.00")]),
    (
        partly_paid_then_written_off,
        InvoiceState.WRITTEN_OFF,
        [("Paid", "-$40.00"), ("Left to pay", "$60.00")],
    ),
]


@pytest.mark.parametrize(("make", "state", "amounts"), INVOICES, ids=[make.__name__ for make, *_ in INVOICES])
def test_an_invoice_reads_as_it_is_at_stripe(
    make: Callable[[Told], None], state: InvoiceState, amounts: Amounts, told: Told
) -> None:
    told.save()
    make(told)
    told.hear()
    assert told.state() is state
    shown = told.amounts()
    assert [row for row in shown if row in amounts] == amounts
    assert "Other adjustments by Stripe" not in dict(shown)
    page = told.invoice_page()
    for _label, amount in amounts:
        assert amount.replace("\xa0", " ") in page


def test_what_is_written_off_is_not_owed(told: Told) -> None:
    written_off(told)
    told.hear()
    assert not told.state().is_owed
    assert told.invoice().hosted_url, "it can still be paid"
    assert "to be paid" not in told.page()


def give_back(told: Told, **how: int) -> None:
    told.api.credit_notes.create({"invoice": told.latest_invoice().id, "amount": sum(how.values()), **how})


def test_what_was_paid_and_given_back_is_not_told_as_paid(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    states = []
    for how in ({"refund_amount": 1000}, {"credit_amount": 1500}, {"refund_amount": 2500}):
        give_back(told, **how)
        states.append((told.hear().state(), told.invoice().refunded, told.invoice().credited))
    assert states == [
        (InvoiceState.PARTLY_REFUNDED, 1000, 0),
        (InvoiceState.PARTLY_REFUNDED, 1000, 1500),
        (InvoiceState.REFUNDED, 3500, 1500),
    ]
    assert [note["amount"] for note in told.invoice().document["credit_notes"]] == [1000, 1500, 2500]


def test_what_went_back_to_the_balance_alone_is_credited(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    give_back(told, credit_amount=5000)
    assert told.hear().state() is InvoiceState.CREDITED
    assert told.charges() == [(0, "usd")]


def test_a_refund_without_a_credit_note_is_told_too(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    (payment,) = told.api.invoice_payments.list({"invoice": told.latest_invoice().id}).data
    told.api.refunds.create({"payment_intent": payment.payment.payment_intent, "amount": 5000})
    assert told.hear().state() is InvoiceState.REFUNDED


def test_a_refund_that_failed_gave_nothing_back(told: Told) -> None:
    told.save("pm_card_refundFail")
    told.subscribe(told.price(5000))
    give_back(told, refund_amount=5000)
    told.stripe.control.advance(days=10)
    assert told.hear().state() is InvoiceState.PAID
