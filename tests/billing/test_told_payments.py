"""What became of a payment, and what pays: as Stripe has it, in pages, mails and the audit log."""

import pytest

from audit.models import AuditEvent
from billing.invoice_states import InvoiceState
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.billing.told import Told

pytestmark = pytest.mark.django_db

SEPA = "DE89370400440532013000"
SEPA_WITHOUT_FUNDS = "DE61370400440002222227"


def mails() -> list[str]:
    return [mail.kind for mail in OutgoingEmail.objects.order_by("created_at")]


def audit() -> list[str]:
    return [event.action for event in AuditEvent.objects.exclude(action__startswith="organization.")]


def test_a_debit_on_its_way_is_neither_failed_nor_to_be_paid_again(told: Told) -> None:
    told.save(told.make_method("sepa_debit", iban=SEPA))
    told.subscribe(told.price(5000, currency="eur"))
    told.hear()
    assert told.state() is InvoiceState.ON_ITS_WAY
    page = told.page()
    assert "€50.00" in page
    assert "on its way" in page
    assert "failed" not in page
    assert not mails()
    told.stripe.control.advance(days=6)
    assert told.hear().state() is InvoiceState.PAID
    assert "SEPA debit ending 3000" in told.rows()[-2][1]
    assert audit().count("invoice.paid") == 1


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("pm_usBankAccount_insufficientFunds", "there was not enough money in the account"),
        ("pm_usBankAccount_accountClosed", "the bank account is closed"),
        ("pm_usBankAccount_debitNotAuthorized", "the account's owner did not authorize the debit"),
    ],
)
def test_a_debit_that_fails_in_the_end_is_told_with_its_reason(method: str, words: str, told: Told) -> None:
    told.save(method)
    told.subscribe(told.price(5000), payment_behavior="allow_incomplete")
    assert told.hear().state() is InvoiceState.ON_ITS_WAY
    told.stripe.control.advance(days=5)
    told.hear()
    assert told.state() is InvoiceState.FAILED
    assert words in told.page()
    (mail,) = OutgoingEmail.objects.all()
    assert words in renderer_of(mail.kind)(mail).text


def test_a_debit_of_an_invoice_that_was_written_off_is_still_on_its_way(told: Told) -> None:
    told.save("pm_usBankAccount_processing")
    told.subscribe(told.price(5000))
    told.api.invoices.mark_uncollectible(told.latest_invoice().id)
    assert told.hear().state() is InvoiceState.ON_ITS_WAY
    assert not told.state().is_owed


@pytest.mark.slow
def test_a_card_that_is_refused_is_told_with_its_reason_and_the_next_try(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    told.stripe.control.refuse_charges(told.save("pm_card_mastercard"), "insufficient_funds")
    told.hear()
    told.stripe.control.advance(days=30, hours=2)
    told.hear().hear()
    assert told.state() is InvoiceState.FAILED
    assert "there was not enough money in the account" in told.page()
    assert mails() == ["payment_failed"]
    told.stripe.control.advance(days=4)
    told.hear()
    assert mails() == ["payment_failed"] * 2
    assert audit().count("invoice.payment_failed") == 2


def test_a_renewal_that_the_bank_asks_about_waits_for_a_person(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    told.save("pm_card_authenticationRequired")
    told.hear()
    told.stripe.control.advance(days=30, hours=2)
    told.hear()
    assert told.state() is InvoiceState.NEEDS_CONFIRMATION
    assert "failed" not in told.page()
    assert mails() == ["confirmation_needed"]
    told.stripe.control.authenticate(f"{told.invoice().hosted_url}/authenticate")
    assert told.hear().state() is InvoiceState.PAID


def test_a_person_who_lets_the_banks_question_pass_reads_that_it_failed(told: Told) -> None:
    told.subscribe(told.price(5000), payment_behavior="default_incomplete")
    told.hear()
    assert told.state() is InvoiceState.DUE
    page = told.invoice().hosted_url
    told.stripe.control.authenticate(
        told.stripe.control.enter_card(page, number="4000002760003184"), succeed=False
    )
    assert told.hear().state() is InvoiceState.FAILED
    assert "the payment was not confirmed" in told.page()


def test_a_first_payment_that_never_came_is_owed_no_more(told: Told) -> None:
    told.subscribe(told.price(5000), payment_behavior="default_incomplete")
    told.stripe.control.advance(days=2)
    assert told.hear().state() is InvoiceState.VOID
    assert told.upcoming() == []


def test_an_invoice_sent_and_not_paid_in_time_is_overdue(told: Told) -> None:
    told.subscribe(told.price(5000), collection_method="send_invoice", days_until_due=14)
    told.stripe.control.advance(days=20)
    told.hear()
    assert told.state() is InvoiceState.OVERDUE
    assert "15 June 2026" in told.page()
    assert not mails(), "nothing was tried"


def test_the_subscriptions_own_method_pays_before_the_customers(told: Told) -> None:
    own = told.save("pm_card_mastercard", is_default=False)
    told.subscribe(told.price(5000), default_payment_method=own)
    assert [one.pays.name for one in told.hear().upcoming() if one.pays] == ["Mastercard ending 4444"]
    assert "Mastercard ending 4444" in told.page()
    told.save("pm_card_visa")
    told.subscribe(told.price(700))
    paying = {one.amount: one.pays.name for one in told.hear().upcoming() if one.pays}
    assert paying == {5000: "Mastercard ending 4444", 700: "Visa ending 4242"}


def test_a_source_pays_until_a_payment_method_takes_its_place(told: Told) -> None:
    told.api.customers.payment_sources.create(told.customer, {"source": "tok_visa"})
    told.subscribe(told.price(5000))
    assert "Visa ending 4242" in told.hear().page()
    told.save("pm_card_amex")
    assert "American Express ending 0005" in told.hear().page()


@pytest.mark.parametrize(("kind", "name"), [("link", "Link")])
def test_a_method_without_a_number_is_named_by_its_kind_alone(kind: str, name: str, told: Told) -> None:
    told.save(told.make_method(kind))
    told.subscribe(told.price(5000))
    assert [one.pays.name for one in told.hear().upcoming() if one.pays] == [name]
    assert "ending" not in told.page()
    assert told.rows()[-2][1].endswith(f", {name}")


def test_a_deleted_customer_has_ended(told: Told) -> None:
    told.save()
    told.subscribe(told.price(5000))
    told.hear()
    told.api.customers.delete(told.customer)
    told.hear()
    assert told.upcoming() == []
    page = told.page()
    assert "Active" not in page
    assert "Visa ending" not in page
    assert told.state() is InvoiceState.PAID


def test_an_attempt_with_nothing_to_charge_has_failed(told: Told) -> None:
    told.subscribe(told.price(5000), trial_period_days=3)
    told.hear()
    told.stripe.control.advance(days=4)
    told.hear()
    assert told.state() is InvoiceState.FAILED
    assert "nothing was saved that could pay" in told.page()
    (mail,) = OutgoingEmail.objects.all()
    assert "nothing was saved that could pay" in renderer_of(mail.kind)(mail).text


def test_an_invoice_that_is_not_charged_by_itself_has_not_failed(told: Told) -> None:
    told.stripe.invoice(told.account)
    told.subscribe(told.price(5000), payment_behavior="default_incomplete")
    assert told.hear().state() is InvoiceState.DUE
    assert not mails()


def test_what_was_paid_outside_stripe_is_not_told_as_received(told: Told) -> None:
    invoice = told.stripe.invoice(told.account, amount=8000)
    told.hear()
    told.api.invoices.pay(invoice.id, {"paid_out_of_band": True})
    told.hear()
    sentences = [event.sentence for event in AuditEvent.objects.filter(action__startswith="invoice.")]
    assert sentences == [f"noted that $80.00 of invoice {told.invoice()} was paid outside Stripe"]
