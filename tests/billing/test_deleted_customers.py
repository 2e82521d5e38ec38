"""A customer that Stripe has deleted, whoever tells of it and when, and what they left behind."""

from itertools import count, product
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.invoice_states import InvoiceState, state_of
from billing.mirror.reconciliation import Drift, reconcile
from billing.mirror.rows import next_fetch_number
from billing.models import BillingAccount, Invoice, PaymentMethod, StripeCustomer, Subscription
from billing.operations.cards import start_card_setup
from billing.operations.customers import ensure_customer
from billing.operations.payments import Shown, pay_invoices
from billing.paying import Way
from billing.selectors import billing_page, issued_invoice, page_of
from billing.webhooks import handle
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from tests.billing.factories import BillingAccountFactory
from tests.billing.world import StripeWorld, deliver, event_of
from tests.conftest import SignIn
from tests.factories import OrganizationFactory
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

numbers = count()


def tell(stripe: StripeWorld, customer: str, kind: str, **subject: Any) -> None:
    """An event that Stripe sends, of an object of this customer."""
    about = {"id": "x_1", "object": "something", "customer": customer, **subject}
    event = event_of(id=f"evt_deleted{next(numbers)}", type=kind, data={"object": about})
    assert deliver(event).status_code == 200
    handle(event["id"])


class Left:
    """A customer deleted at Stripe while nobody listened, who owed money."""

    def __init__(self, stripe: StripeWorld, account: BillingAccount, *, subscribed: bool) -> None:
        self.stripe, self.account, self.customer = stripe, account, str(account.stripe_customer_id)
        stripe.attach_default(account)
        if subscribed:
            stripe.subscribe(account)
        self.open_id = stripe.invoice(account).id
        self.uncollectible_id = stripe.invoice(account).id
        reconcile(account.organization)
        stripe.api.customers.delete(self.customer)
        stripe.api.invoices.mark_uncollectible(self.uncollectible_id)

    def open(self) -> Invoice:
        return Invoice.objects.get(stripe_id=self.open_id)

    def settle(self) -> None:
        self.stripe.api.invoices.pay(self.open_id, {"paid_out_of_band": True})

    def tell(self, kind: str, **subject: Any) -> None:
        tell(self.stripe, self.customer, kind, **subject)

    def tell_of_invoice(self, kind: str) -> None:
        self.tell(kind, id=self.open_id)


def refuse_lists(stripe: StripeWorld) -> None:
    """As Stripe may answer for a deleted customer."""
    stripe.control.fail(400, path="/v1/subscriptions*", count=100)
    stripe.control.fail(400, path="/v1/invoices", count=100)


TELLERS = [
    "customer.updated",
    "customer.deleted",
    "payment_method.detached",
    "customer.subscription.updated",
    "invoiceitem.deleted",
    "invoice.updated",
    "invoice_payment.paid",
    "credit_note.created",
    "checkout.session.expired",
    "setup_intent.canceled",
    "",
]


@pytest.mark.parametrize(
    ("teller", "subscribed", "listed"), sampled(list(product(TELLERS, [True, False], [True, False])), every=7)
)
def test_any_event_or_reconciling_tells_that_a_customer_is_gone(
    teller: str,
    subscribed: bool,
    listed: bool,
    stripe: StripeWorld,
    account: BillingAccount,
    billing_manager: Membership,
) -> None:
    left = Left(stripe, account, subscribed=subscribed)
    if not listed:
        refuse_lists(stripe)
    if teller == "customer.deleted":
        left.tell(teller, id=left.customer, object="customer")
    elif teller:
        left.tell(teller)
    else:
        reconcile(account.organization)
    account.refresh_from_db()
    assert (account.customer_deleted, account.payment_method_id) == (True, "")
    assert not Subscription.objects.current().exists()
    assert Subscription.objects.exists() == subscribed
    assert not PaymentMethod.objects.exists()
    assert Invoice.objects.get(stripe_id=left.uncollectible_id).status == "uncollectible"
    page = billing_page(billing_manager)
    assert (page.upcoming, page.methods) == ([], [])
    assert page.owed is not None
    assert [(one.invoice.id, one.way) for one in page.owed.invoices] == [(left.open().pk, Way.AT_STRIPE)]


def test_a_press_after_an_unheard_deletion_fails_once(
    stripe: StripeWorld, account: BillingAccount, admin: Membership
) -> None:
    stripe.api.customers.delete(account.stripe_customer_id)
    with pytest.raises(Refused):
        start_card_setup(actor=admin)
    assert start_card_setup(actor=admin)
    assert BillingAccount.objects.get().stripe_customer_id not in {account.stripe_customer_id, None}


@pytest.fixture(params=["deleted", "replaced"])
def left(
    request: pytest.FixtureRequest, stripe: StripeWorld, account: BillingAccount, admin: Membership
) -> Left:
    """Known to be deleted; and with another customer since."""
    left = Left(stripe, account, subscribed=True)
    left.tell("customer.deleted", id=left.customer, object="customer")
    if request.param == "replaced":
        price = stripe.api.prices.list({"lookup_keys": ["test"]}).data[0].id
        ensure_customer(actor=admin)
        account.refresh_from_db()
        assert account.stripe_customer_id not in {left.customer, None}
        stripe.attach_default(account, "pm_card_mastercard")
        stripe.api.subscriptions.create({"customer": account.stripe_customer_id, "items": [{"price": price}]})
        reconcile(account.organization)
        account.refresh_from_db()
    return left


HAPPENINGS = {
    "invoice.paid": InvoiceState.PAID,
    "invoice.voided": InvoiceState.VOID,
    "invoice.marked_uncollectible": InvoiceState.WRITTEN_OFF,
}


def make_happen(left: Left, kind: str) -> None:
    if kind == "invoice.paid":
        left.settle()
    elif kind == "invoice.voided":
        left.stripe.api.invoices.void_invoice(left.open_id)
    else:
        left.stripe.api.invoices.mark_uncollectible(left.open_id)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "is_heard"), sampled(list(product(HAPPENINGS, [True, False])), every=5))
def test_what_a_former_customer_owed_is_told_as_it_is(
    kind: str, is_heard: bool, left: Left, billing_manager: Membership, sign_in: SignIn
) -> None:
    make_happen(left, kind)
    if is_heard:
        left.tell_of_invoice(kind)
    else:
        assert reconcile(left.account.organization) == Drift(invoices=1)
    assert state_of(left.open()) is HAPPENINGS[kind]
    assert billing_page(billing_manager).owed is None
    listed = sign_in(billing_manager).get(
        f"/orgs/{left.account.organization.slug}/settings/billing/invoices/"
    )
    assert left.open().number in listed.content.decode()


def test_a_refund_to_a_former_customer_is_told(left: Left) -> None:
    (paid,) = Invoice.objects.filter(status="paid", customer_id=left.customer)
    (charge,) = left.stripe.api.charges.list({"customer": left.customer}).data
    left.stripe.api.refunds.create({"charge": charge.id, "amount": 500})
    left.tell("charge.refunded", id=charge.id, object="charge", payment_intent=charge.payment_intent)
    paid.refresh_from_db()
    assert (state_of(paid), paid.refunded) == (InvoiceState.PARTLY_REFUNDED, 500)


def test_what_a_former_customer_left_is_not_charged_to_the_new_card(left: Left, admin: Membership) -> None:
    """Stripe lets no customer pay with what belongs to another."""
    account, invoice = left.account, left.open()
    page = page_of(issued_invoice(account.organization, invoice.pk))
    assert (page.way, page.bill) == (Way.AT_STRIPE, None)
    shown = Shown([invoice.pk], invoice.amount_remaining, "usd", account.payment_method_id)
    left.stripe.control.forget_requests()
    with pytest.raises(PageOutdated):
        pay_invoices(actor=admin, shown=shown)
    assert not left.stripe.calls("POST", "/v1/invoices")


def test_an_answer_about_the_new_customer_says_nothing_of_what_the_former_one_left(
    left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of all that the new customer has came in between, and does not name the invoice."""
    number = next_fetch_number()
    reconcile(left.account.organization)
    make_happen(left, "invoice.paid")
    Invoice.objects.filter(stripe_id=left.open_id).update(fetched_seq=number - 1)
    monkeypatch.setattr("billing.mirror.invoices.next_fetch_number", lambda: number)
    left.tell_of_invoice("invoice.paid")
    assert state_of(left.open()) is InvoiceState.PAID


def test_how_fresh_it_is_told_is_not_taken_from_the_new_customer(left: Left) -> None:
    (paid,) = Invoice.objects.filter(status="paid", customer_id=left.customer)
    reconcile(left.account.organization)
    is_replaced = left.account.stripe_customer_id != left.customer
    as_of = issued_invoice(left.account.organization, paid.pk).as_of
    assert (as_of == paid.synced_at) == is_replaced


def test_a_customer_is_one_organizations_for_good(left: Left) -> None:
    assert left.customer in set(StripeCustomer.objects.values_list("pk", flat=True))
    for taken in (left.customer, left.account.stripe_customer_id):
        with pytest.raises(IntegrityError), transaction.atomic():
            BillingAccountFactory(stripe_customer_id=taken)
    other = BillingAccountFactory(organization=OrganizationFactory(), stripe_customer_id=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        BillingAccount.objects.filter(pk=other.pk).update(stripe_customer_id=left.customer)
