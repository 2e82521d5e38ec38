"""A press that pays: with what is saved, what the page showed, once, and what the person reads then."""

import time
from contextlib import suppress
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from stripe import CardError

from audit.models import AuditEvent
from billing import gateway
from billing.models import BillingAccount, Invoice, OperationKind, OperationState, StripeOperation
from billing.operations.life import new_operation
from billing.operations.payments import Shown, pay_invoices
from billing.payment_outcomes import Outcome, outcome_of
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Role
from outbox.models import OutgoingEmail
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.pages import text_of
from tests.billing.presses import PayButton, pay_buttons
from tests.billing.told import Told
from tests.billing.world import MASTERCARD, finished_at_stripe, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db

ASKS_FOR_3D_SECURE = "pm_card_authenticationRequired"


def failed_renewal(told: Told, *, amount: int = 60_000, reason: str = "insufficient_funds") -> Any:
    """A subscription whose renewal could not be charged to a card that works again."""
    card = told.save()
    told.subscribe(told.price(amount))
    told.stripe.control.refuse_charges(card, reason)
    told.stripe.control.advance(days=31, hours=2)
    told.stripe.control.allow_charges(card)
    told.hear()
    return told.latest_invoice()


def open_invoice(told: Told, *, amount: int = 60_000, method: str = "pm_card_visa") -> Any:
    told.save(method)
    made = told.stripe.invoice(told.account, amount=amount)
    told.hear()
    return made


def failed_now(told: Told, reason: str) -> None:
    """An invoice that could not be charged today, by our clock."""
    told.stripe.control.set_clock(int(time.time()))
    card = told.save()
    made = told.stripe.invoice(told.account, amount=60_000)
    told.stripe.control.refuse_charges(card, reason)
    with suppress(CardError):
        told.api.invoices.pay(made.id)
    told.hear()


def the_button(told: Told, path: str = "") -> PayButton:
    (button,) = pay_buttons(told.browser, told.reader.organization, path)
    return button


def press(told: Told, button: PayButton | None = None, **changed: str) -> str:
    """Press, and read the page that follows."""
    answer = (button or the_button(told)).press(told.browser, **changed)
    assert answer.status_code == 302
    return text_of(told.browser.get(answer["Location"]))


def at_stripe(told: Told, invoice: Any) -> Any:
    return told.api.invoices.retrieve(invoice.id)


def charges(told: Told) -> list[int]:
    return [one.amount for one in told.api.charges.list({"customer": told.customer}).data if one.paid]


def payment() -> StripeOperation:
    return StripeOperation.objects.get(kind="pay_invoice")


def test_a_failed_payment_is_paid_with_one_press_and_all_is_clear_at_once(told: Told) -> None:
    invoice = failed_renewal(told)
    page = told.page()
    assert "Due now $600.00" in page
    assert "Payment overdue" in page
    button = the_button(told)
    assert (button.label, button.is_primary) == ("Pay $600.00 with Visa ending 4242", True)
    page = press(told, button)
    assert "Paid $600.00 with Visa ending 4242." in page
    assert "Due now Nothing" in page
    assert "Payment overdue" not in page
    assert at_stripe(told, invoice).status == "paid"
    rows = AuditEvent.objects.filter(action__startswith="invoice.").order_by("id")
    assert [(row.action, row.actor_kind) for row in rows][-2:] == [
        ("invoice.payment_started", "person"),
        ("invoice.paid", "stripe"),
    ]


def test_an_invoice_is_paid_on_its_own_page(told: Told) -> None:
    open_invoice(told)
    path = f"invoices/{told.invoice().pk}/"
    button = the_button(told, path)
    assert (button.label, button.is_primary) == ("Pay $600.00 with Visa ending 4242", True)
    answer = button.press(told.browser)
    assert answer["Location"].endswith(path)
    page = text_of(told.browser.get(answer["Location"]))
    assert "Paid $600.00 with Visa ending 4242." in page
    assert pay_buttons(told.browser, told.reader.organization, path) == []


def test_what_the_subscription_has_of_its_own_pays_its_invoice(told: Told) -> None:
    own = told.save("pm_card_mastercard", is_default=False)
    told.save()
    told.subscribe(told.price(60_000), default_payment_method=own)
    told.stripe.control.refuse_charges(own, "insufficient_funds")
    told.stripe.control.advance(days=31, hours=2)
    told.stripe.control.allow_charges(own)
    told.hear()
    assert "Paid $600.00 with Mastercard ending 4444." in press(told)
    assert told.api.charges.list({"customer": told.customer, "limit": 1}).data[0].payment_method == own


def test_a_legacy_source_pays(told: Told) -> None:
    told.api.customers.payment_sources.create(told.customer, {"source": "tok_visa"})
    told.stripe.invoice(told.account, amount=500)
    told.hear()
    assert "Paid $5.00 with Visa ending 4242." in press(told)
    assert charges(told) == [500]


def test_a_bank_debit_is_on_its_way_and_not_asked_for_again(told: Told) -> None:
    open_invoice(told, method="pm_usBankAccount_success")
    page = press(told)
    assert "A payment of $600.00 is on its way." in page
    assert outcome_of(payment()) is Outcome.ON_ITS_WAY
    assert pay_buttons(told.browser, told.reader.organization) == []


def test_a_declined_payment_changes_nothing_else_and_is_told_in_plain_words(told: Told) -> None:
    failed_renewal(told)
    before = told.invoice()
    told.stripe.control.refuse_charges(str(told.stripe.default_card(told.account)), "lost_card")
    page = press(told)
    assert "The payment of $600.00 was declined. Nothing was charged." in page
    assert "Visa ending 4242 could not be charged: the bank gave no reason." in page
    after = told.invoice()
    assert (after.attempt_count, after.next_attempt_at) == (before.attempt_count, before.next_attempt_at)
    assert (outcome_of(payment()), payment().state) == (Outcome.DECLINED, OperationState.FAILED)
    # The lost card can't pay: another one is what the page asks for.
    assert pay_buttons(told.browser, told.reader.organization) == []
    assert "Use another card" in page


@pytest.mark.slow
def test_who_pressed_gets_no_mail_of_what_they_read_and_others_get_it_once(told: Told) -> None:
    failed_renewal(told)
    admin = MembershipFactory(organization=told.reader.organization, role=Role.ADMIN)
    OutgoingEmail.objects.all().delete()
    told.stripe.control.refuse_charges(str(told.stripe.default_card(told.account)), "insufficient_funds")
    told.stripe.control.advance(hours=1)
    press(told)
    told.hear()
    mails = OutgoingEmail.objects.filter(kind="payment_failed")
    assert [mail.to for mail in mails] == [admin.user.email]
    told.stripe.control.advance(hours=1)
    press(told)
    assert mails.all().count() == 2


def test_a_bank_that_asks_leads_to_stripes_page_and_the_answer_pays(told: Told) -> None:
    invoice = open_invoice(told, method=ASKS_FOR_3D_SECURE)
    answer = the_button(told).press(told.browser)
    assert (answer.status_code, answer["Location"]) == (303, invoice.hosted_invoice_url)
    page = told.page()
    assert "The bank wants you to confirm the payment." in page
    assert "Confirm payment" in page
    assert pay_buttons(told.browser, told.reader.organization) == []
    told.stripe.control.authenticate(f"{invoice.hosted_invoice_url}/authenticate")
    assert "Due now Nothing" in told.hear().page()
    assert charges(told) == [60_000]


@pytest.mark.parametrize(
    ("meanwhile", "says", "charged"),
    [
        ("paid", "$600.00 was paid already. Nothing was charged now.", [60_000]),
        ("void", "The invoice is void. Nothing was charged.", []),
        ("credited", "The amount has changed: $550.00 is due now. Nothing was charged.", []),
        ("other card", "The payment method has changed: Mastercard ending 4444 pays now.", []),
        ("no card", "No payment method is saved any more. Nothing was charged.", []),
    ],
)
def test_what_changed_at_stripe_since_the_page_was_shown_charges_nothing_and_is_said(
    meanwhile: str, says: str, charged: list[int], told: Told
) -> None:
    invoice = open_invoice(told)
    button = the_button(told)
    match meanwhile:
        case "paid":
            told.api.invoices.pay(invoice.id)
        case "void":
            told.api.invoices.void_invoice(invoice.id)
        case "credited":
            told.api.credit_notes.create({"invoice": invoice.id, "amount": 5000})
        case "other card":
            told.save("pm_card_mastercard")
        case "no card":
            told.api.payment_methods.detach(told.stripe.default_card(told.account))
    assert says in press(told, button)
    assert charges(told) == charged
    assert outcome_of(payment()) is not Outcome.PAID


def test_what_changed_here_since_the_page_was_shown_asks_nothing_of_stripe(told: Told) -> None:
    open_invoice(told)
    button = the_button(told)
    told.save("pm_card_mastercard")
    told.hear()
    assert "Mastercard ending 4444 pays now. Nothing was charged." in press(told, button)
    assert not StripeOperation.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"amount": "1"},
        {"amount": "٣"},
        {"amount": "9" * 50},
        {"currency": "eur"},
        {"method": "pm_card_visa"},
        {"method": ""},
        {"invoice": "nonsense"},
        {"invoice": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_what_no_page_showed_pays_nothing(sent: dict[str, str], told: Told) -> None:
    BillingAccount.objects.all().delete()
    BillingAccountFactory(organization=told.reader.organization)
    InvoiceFactory(organization=told.reader.organization, status="open")
    assert "Nothing was charged" in press(told, **sent)
    assert not StripeOperation.objects.exists()


@pytest.mark.slow
def test_several_invoices_are_paid_with_one_press_that_names_their_sum(told: Told) -> None:
    open_invoice(told, amount=60_000)
    told.stripe.invoice(told.account, amount=20_000)
    told.hear()
    button = the_button(told)
    assert button.label == "Pay $800.00 with Visa ending 4242"
    assert "Paid $800.00 with Visa ending 4242." in press(told, button)
    assert sorted(charges(told)) == [20_000, 60_000]
    assert StripeOperation.objects.filter(kind="pay_invoice", state="done").count() == 2


def test_each_currency_has_a_button_of_its_own(
    client: Client, billing_manager: Membership, sign_in: SignIn
) -> None:
    organization = billing_manager.organization
    BillingAccountFactory(organization=organization)
    for currency in ("usd", "eur"):
        InvoiceFactory(organization=organization, status="open", currency=currency)
    buttons = pay_buttons(sign_in(billing_manager), organization)
    assert {button.label for button in buttons} == {
        "Pay $58.25 with Visa ending 4242",
        "Pay €58.25 with Visa ending 4242",
    }
    assert [button.is_primary for button in buttons] == [True, False]


@pytest.mark.parametrize(
    ("card", "invoice", "offers"),
    [
        ({}, {"payment_status": "processing"}, None),
        ({}, {"charged_automatically": False}, "Show how to pay"),
        ({"card_exp_year": 2020}, {}, "Use another card"),
        ({"card_exp_year": 2020}, {"payment_status": "failed"}, "Use another card"),
        ({"payment_method_id": ""}, {}, "Add card"),
        ({}, {"payment_status": "failed", "failure_code": "stolen_card"}, "Use another card"),
    ],
)
def test_no_press_pays_where_it_could_not(
    card: dict[str, Any],
    invoice: dict[str, Any],
    offers: str | None,
    billing_manager: Membership,
    sign_in: SignIn,
) -> None:
    organization, client = billing_manager.organization, sign_in(billing_manager)
    BillingAccountFactory(organization=organization, **card)
    made = InvoiceFactory(organization=organization, status="open", **invoice)
    for path in ("", f"invoices/{made.pk}/"):
        assert pay_buttons(client, organization, path) == []
    page = text_of(client.get(f"/orgs/{organization.slug}/settings/billing/"))
    assert offers is None or offers in page


# After a card was saved


@pytest.mark.slow
def test_a_saved_card_asks_whether_it_is_to_pay_what_is_open_and_charges_nothing_by_itself(
    told: Told,
) -> None:
    failed_now(told, "lost_card")
    operation_id = finished_at_stripe(told.stripe, told.reader, MASTERCARD)
    sweep_everything()
    back = f"/orgs/{told.reader.organization.slug}/settings/billing/card/return/?operation={operation_id}"
    answer = told.browser.get(back)
    assert answer["Location"].endswith(f"?saved={operation_id}")
    page = text_of(told.browser.get(answer["Location"]))
    assert "Saved. Pay the open $600.00 with it? Pay $600.00 with Mastercard ending 4444" in page
    assert page.count("Pay $600.00") == 1
    assert "The card is saved." not in page
    assert charges(told) == []
    (button,) = pay_buttons(told.browser, told.reader.organization, f"?saved={operation_id}")
    assert "Paid $600.00 with Mastercard ending 4444." in press(told, button)


@pytest.mark.slow
def test_the_same_card_saved_anew_may_pay_what_it_could_not(told: Told) -> None:
    failed_now(told, "expired_card")
    operation_id = finished_at_stripe(told.stripe, told.reader)
    sweep_everything()
    (button,) = pay_buttons(told.browser, told.reader.organization, f"?saved={operation_id}")
    assert "Paid $600.00 with Visa ending 4242." in press(told, button)


def test_a_set_up_of_somebody_else_is_not_told_as_ones_own(told: Told, sign_in: SignIn) -> None:
    failed_now(told, "lost_card")
    operation_id = finished_at_stripe(told.stripe, told.reader, MASTERCARD)
    sweep_everything()
    admin = MembershipFactory(organization=told.reader.organization, role=Role.ADMIN)
    for saved in (str(operation_id), "nonsense"):
        page = sign_in(admin).get(f"/orgs/{admin.organization.slug}/settings/billing/?saved={saved}")
        assert "Saved." not in text_of(page)


# Who may, and two at once


def test_a_person_who_lost_the_role_meanwhile_charges_nothing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_invoice(told)
    shown = shown_by(the_button(told))
    with monkeypatch.context() as fault:
        fault.setattr(gateway, "due", raises(gateway.GatewayUnavailable("away")))
        pay_invoices(actor=told.reader, shown=shown)
    Membership.objects.filter(pk=told.reader.pk).update(role=Role.MEMBER)
    sweep_everything()
    assert outcome_of(payment()) is Outcome.NOT_ALLOWED
    assert charges(told) == []
    with pytest.raises(Denied):
        pay_invoices(actor=told.reader, shown=shown)


def raises(error: Exception) -> Any:
    def refuse(*_args: object, **_values: object) -> None:
        raise error

    return refuse


def shown_by(button: PayButton) -> Shown:
    return Shown(
        invoices=list(Invoice.objects.filter(pk__in=button.sends["invoice"]).values_list("pk", flat=True)),
        amount=int(button.sends["amount"][0]),
        currency=button.sends["currency"][0],
        method_id=button.sends["method"][0],
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_people_who_press_at_once_pay_once(told: Told) -> None:
    open_invoice(told)
    other = MembershipFactory(organization=told.reader.organization, role=Role.ADMIN)
    shown = shown_by(the_button(told))

    def pay(person: Membership) -> str:
        try:
            (operation,) = pay_invoices(actor=person, shown=shown)
        except Refused as refused:
            return str(refused.message)
        return str(outcome_of(operation))

    outcomes = at_once(lambda: pay(told.reader), lambda: pay(other))
    assert "paid" in outcomes
    assert charges(told) == [60_000]
    assert StripeOperation.objects.filter(kind="pay_invoice").count() == 1


def test_the_database_lets_one_payment_of_an_invoice_be_under_way(billing_manager: Membership) -> None:
    def operation(state: str) -> StripeOperation:
        made = new_operation(kind=OperationKind.PAY_INVOICE, actor=billing_manager)
        made.stripe_id, made.state = "in_1", state
        return made

    StripeOperation.objects.bulk_create([operation("pending"), operation("failed"), operation("done")])
    with pytest.raises(IntegrityError, match="operation_one_payment_of_invoice"):
        operation("pending").save(force_insert=True)


@pytest.mark.slow
def test_while_a_payment_is_under_way_nobody_is_offered_a_second_press(told: Told) -> None:
    open_invoice(told)
    button = the_button(told)
    told.stripe.control.drop(method="POST", path="/v1/invoices/*")
    page = press(told, button)
    assert "Waiting for Stripe. This page shows what becomes of the payment." in page
    assert "A payment of $600.00 is under way." in page
    for path in ("", f"invoices/{told.invoice().pk}/"):
        assert pay_buttons(told.browser, told.reader.organization, path) == []
    assert "A payment is under way already." in press(told, button)
    sweep_everything()
    assert "Due now Nothing" in told.page()
    assert charges(told) == [60_000]
