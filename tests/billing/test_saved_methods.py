"""Several payment methods: what is added is kept, one of them is made what pays, others are removed."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from billing import gateway
from billing.card_outcomes import Outcome, outcome_of
from billing.mirror.customers import sync_customer
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, OperationKind, OperationState, PaymentMethod, StripeOperation
from billing.operations import method_steps, methods
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from billing.selectors.saved_methods import methods_page
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Denied
from tests.billing.pages import text_of
from tests.billing.world import MASTERCARD, StripeWorld, operation_in, sweep_everything
from tests.conftest import SignIn
from tests.races import at_once
from tests.sampling import sampled

pytestmark = pytest.mark.django_db


class Wallet:
    """A customer whose Visa pays a subscription and everything else, and a Mastercard beside it."""

    def __init__(self, stripe: StripeWorld, account: BillingAccount) -> None:
        self.stripe, self.account = stripe, account
        self.visa = stripe.attach_default(account)
        customer = account.stripe_customer_id
        attached = stripe.api.payment_methods.attach("pm_card_mastercard", {"customer": customer})
        self.mastercard = str(attached.id)
        self.subscription = str(stripe.subscribe(account).id)
        self.sync()

    def sync(self) -> None:
        sync_customer(self.account)
        sync_subscriptions(self.account)

    def id_of(self, stripe_id: str) -> uuid.UUID:
        return PaymentMethod.objects.get(stripe_id=stripe_id).pk

    @property
    def version(self) -> str:
        return methods_page(self.account.organization).version

    def choose(self, actor: Membership, stripe_id: str, *, shown: str = "") -> StripeOperation:
        return methods.choose_method(
            actor=actor, method_id=self.id_of(stripe_id), shown=shown or self.version
        )

    def remove(self, actor: Membership, stripe_id: str, *, shown: str = "") -> StripeOperation:
        return methods.remove_method(
            actor=actor, method_id=self.id_of(stripe_id), shown=shown or self.version
        )

    def url(self, name: str, stripe_id: str = "") -> str:
        ids = [self.id_of(stripe_id)] if stripe_id else []
        return reverse(name, args=[self.account.organization.slug, *ids])

    @property
    def kept(self) -> set[str]:
        return self.stripe.cards_of(self.account)

    @property
    def default(self) -> str | None:
        return self.stripe.default_card(self.account)


@pytest.fixture
def wallet(stripe: StripeWorld, account: BillingAccount) -> Wallet:
    return Wallet(stripe, account)


def forms_of(client: Client, wallet: Wallet) -> HttpResponse:
    return client.get(wallet.url("methods"))


def test_all_that_is_saved_is_mirrored_and_what_is_gone_goes(wallet: Wallet, stripe: StripeWorld) -> None:
    rows = {row.stripe_id: row for row in PaymentMethod.objects.all()}
    assert rows.keys() == {wallet.visa, wallet.mastercard}
    assert (rows[wallet.mastercard].brand, rows[wallet.mastercard].last4) == ("mastercard", "4444")
    stripe.api.payment_methods.detach(wallet.mastercard)
    wallet.sync()
    assert set(PaymentMethod.objects.values_list("stripe_id", flat=True)) == {wallet.visa}
    stripe.api.customers.delete(wallet.account.stripe_customer_id)
    sync_customer(wallet.account)
    assert not PaymentMethod.objects.exists()


def test_the_page_says_what_each_pays_and_offers_what_can_be_done(
    wallet: Wallet, billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text_of(forms_of(sign_in(billing_manager), wallet))
    assert "Visa ending 4242 Default Test seat" in page
    assert "What pays can be removed once another one is the default." in page
    assert "Mastercard ending 4444 No subscription now" in page
    assert page.count("Make default") == 1
    assert page.count("Remove payment method") == 1


def test_a_subscriptions_own_method_is_shown_as_what_pays_it(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    stripe.api.subscriptions.update(wallet.subscription, {"default_payment_method": wallet.mastercard})
    wallet.sync()
    page = text_of(forms_of(sign_in(admin), wallet))
    assert "Mastercard ending 4444 Test seat" in page
    # Neither pays all, and both pay: the subscription, and whatever else comes.
    assert page.count("Make default") == 2
    assert "Remove" not in page


def test_adding_keeps_what_pays(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    answer = client.post(wallet.url("method_add"))
    back = stripe.control.enter_card(answer["Location"], number="378282246310005", cvc="1234")
    operation = resume(operation_in(back))
    assert (operation.state, outcome_of(operation)) == (OperationState.DONE, Outcome.ADDED)
    assert wallet.default == wallet.visa
    assert len(wallet.kept) == 3
    landed = client.get(back, follow=True)
    assert landed.redirect_chain[-1][0] == wallet.url("methods")
    page = text_of(landed)
    assert "The payment method is saved. What pays stays as it was." in page
    assert "American Express ending 0005" in page
    sentence = AuditEvent.objects.get(action="card.added").sentence
    assert sentence == "saved American Express ending 0005 beside what pays"


def test_the_first_one_added_pays(stripe: StripeWorld, account: BillingAccount, admin: Membership) -> None:
    page = start_card_setup(actor=admin, kind=OperationKind.ADD_METHOD)
    resume(operation_in(stripe.control.enter_card(page)))
    account.refresh_from_db()
    assert account.payment_method_id == stripe.default_card(account)
    assert AuditEvent.objects.get(action="card.updated")


def test_adding_and_updating_have_pages_of_their_own(wallet: Wallet, admin: Membership) -> None:
    adding = start_card_setup(actor=admin, kind=OperationKind.ADD_METHOD)
    updating = start_card_setup(actor=admin)
    assert adding != updating
    assert adding == start_card_setup(actor=admin, kind=OperationKind.ADD_METHOD)


def test_updating_still_replaces_what_pays_and_keeps_the_others(
    wallet: Wallet, stripe: StripeWorld, admin: Membership
) -> None:
    resume(operation_in(stripe.control.enter_card(start_card_setup(actor=admin), number=MASTERCARD)))
    assert wallet.visa not in wallet.kept
    assert wallet.mastercard in wallet.kept
    assert wallet.default not in {wallet.visa, wallet.mastercard, None}


def test_a_bank_debit_can_be_added(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    page = start_card_setup(actor=admin, kind=OperationKind.ADD_METHOD)
    back = stripe.control.enter_bank_account(page, type="us_bank_account", account="000123456789")
    resume(operation_in(back))
    assert "STRIPE TEST BANK ending 6789" in text_of(forms_of(sign_in(admin), wallet))


def test_made_default_it_pays_the_customer_and_every_subscription(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    stripe.api.subscriptions.update(wallet.subscription, {"default_payment_method": wallet.visa})
    wallet.sync()
    url, shown = wallet.url("method_choose", wallet.mastercard), wallet.version
    page = text_of(sign_in(admin).post(url, {"shown": shown}, follow=True))
    assert "Mastercard ending 4444 pays from now on." in page
    assert "Mastercard ending 4444 Default Test seat" in page
    assert wallet.default == wallet.mastercard
    own = stripe.api.subscriptions.retrieve(wallet.subscription).default_payment_method
    assert own == wallet.mastercard
    assert wallet.kept == {wallet.visa, wallet.mastercard}
    event = AuditEvent.objects.get(action="card.updated")
    assert event.sentence == "made Mastercard ending 4444 what pays"
    assert event.actor_id == admin.user_id


def test_one_chosen_earlier_gives_way_to_a_card_that_is_set_up_later(
    wallet: Wallet, stripe: StripeWorld, admin: Membership
) -> None:
    wallet.choose(admin, wallet.mastercard)
    stripe.control.advance(seconds=60)
    resume(operation_in(stripe.control.enter_card(start_card_setup(actor=admin), number=MASTERCARD)))
    assert wallet.default not in {wallet.visa, wallet.mastercard}


def test_an_act_on_what_no_longer_pays_as_shown_is_not_done(
    wallet: Wallet, admin: Membership, billing_manager: Membership
) -> None:
    shown = wallet.version
    wallet.choose(billing_manager, wallet.mastercard)
    with pytest.raises(PageOutdated):
        wallet.choose(admin, wallet.visa, shown=shown)
    with pytest.raises(PageOutdated):
        wallet.remove(admin, wallet.visa, shown=shown)
    assert wallet.default == wallet.mastercard
    assert wallet.kept == {wallet.visa, wallet.mastercard}


def test_removing_asks_and_detaches(wallet: Wallet, admin: Membership, sign_in: SignIn) -> None:
    client, url = sign_in(admin), wallet.url("method_remove", wallet.mastercard)
    assert "Remove Mastercard ending 4444?" in text_of(client.get(url))
    page = text_of(client.post(url, {"shown": wallet.version}, follow=True))
    assert "Mastercard ending 4444 was removed." in page
    assert wallet.kept == {wallet.visa}
    assert AuditEvent.objects.get(action="card.removed").sentence == "removed Mastercard ending 4444"


def test_a_removal_decided_by_an_earlier_state_is_asked_anew(
    wallet: Wallet, admin: Membership, sign_in: SignIn
) -> None:
    client, url = sign_in(admin), wallet.url("method_remove", wallet.mastercard)
    answer = client.post(url, {"shown": "of another day"})
    assert answer.status_code == 409
    assert "Nothing was done. Check it, then try again." in text_of(answer)
    assert wallet.kept == {wallet.visa, wallet.mastercard}


@pytest.mark.parametrize("own", [False, True])
def test_what_pays_is_not_removed(
    own: bool, wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    pays = wallet.visa
    if own:
        pays = wallet.mastercard
        stripe.api.subscriptions.update(wallet.subscription, {"default_payment_method": pays})
        wallet.sync()
    with pytest.raises(Refused, match="This payment method pays"):
        wallet.remove(admin, pays)
    answer = sign_in(admin).get(wallet.url("method_remove", pays), follow=True)
    assert "Make another one the default first." in text_of(answer)
    assert pays in wallet.kept


def test_what_pays_by_now_at_stripe_is_not_removed_either(
    wallet: Wallet, stripe: StripeWorld, admin: Membership
) -> None:
    stripe.api.subscriptions.update(wallet.subscription, {"default_payment_method": wallet.mastercard})
    operation = wallet.remove(admin, wallet.mastercard)
    assert operation.state == OperationState.FAILED
    assert wallet.mastercard in wallet.kept
    assert not AuditEvent.objects.filter(action="card.removed").exists()


def test_the_last_one_can_be_removed_once_nothing_is_left_to_pay(
    wallet: Wallet, stripe: StripeWorld, admin: Membership
) -> None:
    stripe.api.subscriptions.cancel(wallet.subscription)
    wallet.sync()
    assert wallet.remove(admin, wallet.visa).state == OperationState.DONE
    wallet.account.refresh_from_db()
    assert (wallet.account.payment_method_id, wallet.kept) == ("", {wallet.mastercard})


def test_a_member_may_do_none_of_it(wallet: Wallet, member: Membership) -> None:
    for act in (wallet.choose, wallet.remove):
        with pytest.raises(Denied):
            act(member, wallet.mastercard)
    assert not StripeOperation.objects.exists()


def test_while_stripe_does_not_answer_the_act_waits_and_the_page_says_so(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    client, shown = sign_in(admin), wallet.version
    stripe.control.fail(503, count=10)
    url = wallet.url("method_choose", wallet.mastercard)
    page = text_of(client.post(url, {"shown": shown}, follow=True))
    assert "Stripe does not answer right now. The portal goes on trying" in page
    assert "Becomes the default once Stripe answers" in page
    with pytest.raises(Refused, match="pays"):
        wallet.remove(admin, wallet.mastercard)
    client.post(url, {"shown": shown})
    assert StripeOperation.objects.count() == 1
    stripe.control.clear_faults()
    sweep_everything()
    assert wallet.default == wallet.mastercard


def test_one_that_is_gone_at_stripe_is_not_said_to_pay(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    stripe.api.payment_methods.detach(wallet.mastercard)
    url = wallet.url("method_choose", wallet.mastercard)
    page = text_of(sign_in(admin).post(url, {"shown": wallet.version}, follow=True))
    assert "Stripe did not accept Mastercard ending 4444. What pays stays as it was." in page
    assert wallet.default == wallet.visa


@pytest.mark.django_db(transaction=True)
def test_choosing_and_removing_at_once_leave_something_that_pays(
    wallet: Wallet, admin: Membership, billing_manager: Membership
) -> None:
    shown = wallet.version
    at_once(
        lambda: wallet.choose(admin, wallet.mastercard, shown=shown),
        lambda: wallet.remove(billing_manager, wallet.mastercard, shown=shown),
    )
    sweep_everything()
    assert wallet.default in wallet.kept
    assert not StripeOperation.objects.pending().exists()


class ProcessDied(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


STEPS = [
    (acts, before, module, name)
    for before in (True, False)
    for acts, module, name in [
        ("choose", gateway, "set_default_payment_method"),
        ("choose", gateway, "customer"),
        ("choose", method_steps, "tell_of_new_card"),
        ("choose", StripeOperation, "write"),
        ("remove", gateway, "customer"),
        ("remove", gateway, "detach_payment_method"),
        ("remove", methods, "write_customer"),
        ("remove", StripeOperation, "write"),
    ]
]


@pytest.mark.parametrize(
    ("act", "before", "module", "name"), sampled(STEPS, every=2), ids=lambda value: str(value)[:30]
)
def test_a_process_that_dies_at_any_step_leaves_nothing_undone(
    act: str,
    before: bool,
    module: Any,
    name: str,
    wallet: Wallet,
    admin: Membership,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, deaths = getattr(module, name), []

    def dying(*args: Any, **asked: Any) -> Any:
        if deaths:
            return real(*args, **asked)
        deaths.append(name)
        raise ProcessDied(None if before else real(*args, **asked))

    monkeypatch.setattr(module, name, dying)
    with pytest.raises(ProcessDied):
        getattr(wallet, act)(admin, wallet.mastercard)
    sweep_everything()
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()
    chosen = act == "choose"
    assert wallet.default == (wallet.mastercard if chosen else wallet.visa)
    assert wallet.kept == {wallet.visa, wallet.mastercard} - (set() if chosen else {wallet.mastercard})
    action = "card.updated" if chosen else "card.removed"
    assert AuditEvent.objects.filter(action=action).count() == 1


def test_a_card_that_stripe_renewed_is_shown_and_told(
    wallet: Wallet, stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    stripe.api.payment_methods.update(wallet.visa, {"card": {"exp_month": 3, "exp_year": 2044}})
    wallet.sync()
    assert "31 March 2044" in text_of(forms_of(sign_in(admin), wallet))
    event = AuditEvent.objects.get(action="card.renewed")
    assert (event.actor_kind, event.sentence) == (
        "stripe",
        "noted new data of a card: Visa ending 4242, valid until 03/2044",
    )
