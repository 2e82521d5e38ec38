"""Packs of credits: what is shown is what is charged, and credits come once their invoice is paid."""

from datetime import timedelta

import pytest

from audit.models import AuditEvent
from billing.credit_outcomes import CreditOutcome, credit_outcome_of
from billing.models import OperationState, StripeOperation
from billing.tasks import sweep
from credits.models import Grant, Voiding
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.billing.mishaps import let_waits_end
from tests.billing.packs import IN_A_PACK, PATH, bought, price_packs, purchase, sell_packs
from tests.billing.plans import Customer, sealed_in, text_of
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(customer: Customer) -> Customer:
    sell_packs(customer)
    return customer


def sweep_everything() -> None:
    let_waits_end()
    sweep()


def actions() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="credits.").order_by("id")
    return [event.action for event in found]


def pay_with(customer: Customer, method: str) -> None:
    customer.stripe.attach_default(customer.account, method)
    customer.hear()


@pytest.mark.slow
def test_what_the_page_showed_is_charged_and_the_credits_come_with_the_payment(buyer: Customer) -> None:
    page = buyer.get(PATH.format(2))
    told = text_of(page)
    assert "Today you pay $1,140.00" in told
    assert "VAT" in told
    assert "Pay $1,140.00 for 2,000,000 credits" in told
    answer = buyer.press(PATH.format(2), page=page)
    assert (answer.status_code, answer.headers["Location"]) == (302, buyer.url(""))
    latest = buyer.invoices()[0]
    assert (latest.status, latest.total, latest.amount_paid) == ("paid", 114_000, 114_000)
    grant = Grant.objects.get(source=f"invoice:{latest.id}")
    assert (grant.kind, grant.credits) == ("paid", 2 * IN_A_PACK)
    assert grant.effective_at.timestamp() == latest.status_transitions.paid_at
    assert grant.expires_at == buyer.row().period_end
    assert purchase().result == {"outcome": "bought"}
    assert actions() == ["credits.asked", "credits.bought"]
    (mail,) = OutgoingEmail.objects.filter(kind="credits_bought")
    assert (mail.params["amount"], mail.params["credits"]) == (114_000, 2 * IN_A_PACK)
    assert "2,000,000 credits are bought for $1,140.00." in text_of(buyer.get(""))
    buyer.press(PATH.format(2), page=page)
    assert (bought(buyer), len(buyer.invoices())) == ([2 * IN_A_PACK], 2)


@pytest.mark.slow
def test_a_bank_that_asks_leads_to_stripe_and_the_credits_come_once_it_is_answered(buyer: Customer) -> None:
    pay_with(buyer, "pm_card_authenticationRequired")
    page = buyer.get(PATH.format(1))
    answer = buyer.press(PATH.format(1), page=page)
    invoice = buyer.invoices()[0]
    assert (answer.status_code, answer.headers["Location"]) == (303, invoice.hosted_invoice_url)
    assert (purchase().state, bought(buyer)) == (OperationState.WAITING, [])
    again = buyer.press(PATH.format(2))
    assert "waits for its payment to be confirmed" in text_of(again.content.decode())
    buyer.stripe.control.authenticate(f"{invoice.hosted_invoice_url}/authenticate")
    buyer.hear()
    assert bought(buyer) == [IN_A_PACK]
    sweep_everything()
    assert credit_outcome_of(purchase()) is CreditOutcome.BOUGHT
    assert not OutgoingEmail.objects.filter(kind="payment_failed").exists()


@pytest.mark.slow
def test_what_nobody_confirms_is_called_off_after_an_hour(buyer: Customer) -> None:
    pay_with(buyer, "pm_card_authenticationRequired")
    buyer.press(PATH.format(1))
    sweep_everything()
    assert purchase().state == OperationState.WAITING
    buyer.clock.ahead += timedelta(hours=2)
    sweep_everything()
    assert credit_outcome_of(purchase()) is CreditOutcome.UNCONFIRMED
    assert (buyer.invoices()[0].status, bought(buyer)) == ("void", [])
    assert not OutgoingEmail.objects.filter(kind="act_failed").exists()


def test_a_declined_payment_leaves_nothing_that_is_owed(buyer: Customer) -> None:
    pay_with(buyer, "pm_card_chargeCustomerFail")
    answer = buyer.press(PATH.format(1))
    assert answer.status_code == 422
    assert "The payment of $570.00 was declined" in text_of(answer.content.decode())
    assert (buyer.invoices()[0].status, bought(buyer)) == ("void", [])
    kinds = set(OutgoingEmail.objects.values_list("kind", flat=True))
    assert not kinds & {"payment_failed", "credits_bought", "act_failed"}
    assert actions() == ["credits.asked"]


@pytest.mark.slow
def test_who_pays_by_invoice_gets_one_and_the_credits_once_it_is_paid(customer: Customer) -> None:
    sell_packs(customer, collection_method="send_invoice", days_until_due=14)
    told = text_of(customer.get(PATH.format(1)))
    assert "Buy 1,000,000 credits, for an invoice of $570.00" in told
    customer.press(PATH.format(1))
    invoice = customer.invoices()[0]
    assert (invoice.status, invoice.collection_method) == ("open", "send_invoice")
    assert round((invoice.due_date - invoice.created) / 86_400) == 14
    assert (credit_outcome_of(purchase()), bought(customer)) == (CreditOutcome.SENT, [])
    customer.api.invoices.pay(invoice.id, {"paid_out_of_band": True})
    customer.hear()
    assert bought(customer) == [IN_A_PACK]


@pytest.mark.slow
def test_what_is_given_back_in_part_keeps_the_credits_and_in_whole_voids_the_rest(buyer: Customer) -> None:
    buyer.press(PATH.format(1))
    intent = buyer.api.payment_intents.list({"customer": buyer.account.stripe_customer_id}).data[0].id
    buyer.api.refunds.create({"payment_intent": intent, "amount": 10_000})
    buyer.hear()
    assert bought(buyer) == [IN_A_PACK]
    buyer.api.refunds.create({"payment_intent": intent})
    for _again in range(2):
        buyer.hear()
    assert bought(buyer) == []
    assert Voiding.objects.get().grant.credits == IN_A_PACK
    assert actions() == ["credits.asked", "credits.bought", "credits.voided"]


@pytest.mark.slow
def test_an_invoice_credited_before_anything_was_paid_grants_nothing(customer: Customer) -> None:
    sell_packs(customer, collection_method="send_invoice", days_until_due=14)
    customer.press(PATH.format(1))
    invoice = customer.invoices()[0]
    customer.api.credit_notes.create({"invoice": invoice.id, "amount": invoice.total})
    customer.hear()
    assert (customer.invoices()[0].status, bought(customer)) == ("paid", [])


@pytest.mark.slow
def test_what_stripe_asks_for_is_never_more_than_was_shown(buyer: Customer) -> None:
    """The balance has changed since the page was drawn: less is charged without a word, more is not."""
    page, another = buyer.get(PATH.format(1)), buyer.get(PATH.format(2))
    balance = buyer.api.customers.balance_transactions.create
    balance(buyer.account.stripe_customer_id, {"amount": 500, "currency": "usd"})
    answer = buyer.press(PATH.format(1), page=page)
    assert "The amounts have changed meanwhile." in text_of(answer.content.decode())
    assert len(buyer.invoices()) == 1
    balance(buyer.account.stripe_customer_id, {"amount": -1_500, "currency": "usd"})
    buyer.press(PATH.format(2), page=another)
    assert buyer.invoices()[0].amount_paid == 113_000
    assert purchase().result["difference"] == {"total": 114_000, "amount_due": 113_000, "currency": "usd"}
    assert bought(buyer) == [2 * IN_A_PACK]


@pytest.mark.slow
def test_the_balance_pays_first_as_shown(buyer: Customer) -> None:
    owed = {"amount": -100_000, "currency": "usd"}
    buyer.api.customers.balance_transactions.create(buyer.account.stripe_customer_id, owed)
    assert "Buy 1,000,000 credits" in text_of(buyer.get(PATH.format(1)))
    buyer.press(PATH.format(1))
    assert purchase().result == {"outcome": "bought"}
    assert (buyer.invoices()[0].amount_paid, bought(buyer)) == (0, [IN_A_PACK])


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["price", "method", "period"])
def test_a_page_that_is_not_so_any_more_buys_nothing(buyer: Customer, changed: str) -> None:
    page = buyer.get(PATH.format(1))
    match changed:
        case "price":
            price_packs(buyer, cost=1)
        case "method":
            pay_with(buyer, "pm_card_mastercard")
        case "period":
            buyer.end_of_the_period()
    answer = buyer.press(PATH.format(1), page=page)
    assert answer.status_code == 422
    assert "Nothing was" in text_of(answer.content.decode())
    assert not StripeOperation.objects.filter(kind="buy_credits").exists()


@pytest.mark.slow
def test_an_offer_made_by_hand_or_for_another_person_buys_nothing(
    buyer: Customer, admin: Membership, sign_in: SignIn
) -> None:
    sealed = sealed_in(buyer.get(PATH.format(1)))
    for browser, text in [(buyer.browser, "made up"), (buyer.browser, ""), (sign_in(admin), sealed)]:
        answer = browser.post(buyer.url(PATH.format(1)), {"offer": text})
        assert answer.status_code == 422
    assert not StripeOperation.objects.filter(kind="buy_credits").exists()


@pytest.mark.slow
@pytest.mark.parametrize("packs", ["0", "1001", "x", "-1", "1.5", ""])
def test_a_number_that_is_none_is_told(buyer: Customer, packs: str) -> None:
    assert "Choose from 1 to 1,000 packs." in text_of(buyer.get(PATH.format(packs)))


def test_an_edition_that_is_not_prepaid_has_no_such_page(customer: Customer) -> None:
    customer.buy("team-pro", 2)
    assert "Buy credits" not in customer.get("")
    assert customer.browser.get(customer.url("credits/buy/")).status_code == 404
    assert customer.browser.post(customer.url("credits/buy/"), {"offer": "x"}).status_code == 404


@pytest.mark.slow
def test_where_packs_have_no_price_the_page_says_whom_to_ask(customer: Customer) -> None:
    customer.included = {"enterprise-growth": 5}
    customer.buy("enterprise-growth")
    assert "More credits can't be bought here right now. Ask support." in text_of(
        customer.get("credits/buy/")
    )


@pytest.mark.slow
def test_who_has_nothing_saved_is_asked_for_a_card_first(buyer: Customer) -> None:
    buyer.api.payment_methods.detach(buyer.stripe.default_card(buyer.account))
    buyer.hear()
    page = buyer.get(PATH.format(1))
    assert "No card is saved that could pay this." in text_of(page)
    assert 'name="offer"' not in page


@pytest.mark.slow
def test_credits_paid_after_the_renewal_last_until_the_end_of_the_new_period(customer: Customer) -> None:
    sell_packs(customer, collection_method="send_invoice", days_until_due=14)
    customer.press(PATH.format(1))
    invoice = customer.invoices()[0]
    customer.end_of_the_period()
    customer.api.invoices.pay(invoice.id, {"paid_out_of_band": True})
    customer.hear()
    assert Grant.objects.get(source=f"invoice:{invoice.id}").expires_at == customer.row().period_end
