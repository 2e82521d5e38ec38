"""Credits that are bought while processes die, answers get lost and people press at once: one grant for each
invoice that is paid, and nothing that is owed.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from billing.credit_outcomes import CreditOutcome, credit_outcome_of
from billing.gateway import GatewayError
from billing.models import BillingAccount, OperationState, StripeEvent, StripeOperation
from billing.operations.credit_purchases import buy_credits
from billing.tasks import sweep
from billing.webhooks import handle
from credits.models import Grant, Ledger
from credits.services.settling import settle
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Role
from tests.billing.mishaps import Fuse, Killed, let_waits_end, steered
from tests.billing.packs import IN_A_PACK, PATH, bought, purchase, sell_packs
from tests.billing.plans import Customer, sealed_in, text_of
from tests.billing.world import StripeWorld, deliver
from tests.conftest import SignIn
from tests.credits.months import burnt_of, count
from tests.races import at_once

pytestmark = pytest.mark.django_db
INVOICES, SAVED = (
    "/v1/invoices",
    ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"],
)


@pytest.fixture
def fuse() -> Fuse:
    return Fuse()


@pytest.fixture
def buyer(
    stripe: StripeWorld,
    account: BillingAccount,
    billing_manager: Membership,
    sign_in: SignIn,
    fuse: Fuse,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Customer]:
    """A customer with a card on a prepaid edition, whose processes die by the fuse."""
    stripe.attach_default(account)
    with steered(monkeypatch, fuse) as (_fuse, clock):
        customer = Customer(stripe, account, billing_manager, clock, sign_in(billing_manager))
        sell_packs(customer)
        yield customer


def offer(customer: Customer, packs: int = 1) -> str:
    return sealed_in(customer.get(PATH.format(packs)))


def press(customer: Customer, sealed: str) -> None:
    with suppress(Refused, GatewayError):
        buy_credits(actor=customer.reader, sealed=sealed)


def sweep_everything(times: int = 1) -> None:
    for _time in range(times):
        let_waits_end()
        sweep()


def come_to_rest(customer: Customer) -> None:
    """Nobody confirms any more; all that is under way ends, and every event arrives."""
    customer.clock.ahead += timedelta(hours=3)
    for _round in range(4):
        sweep_everything()
        for event in customer.stripe.events():
            deliver(event)
        for event_id in StripeEvent.objects.values_list("pk", flat=True):
            handle(event_id)
    customer.hear()


def to_dict(invoice: Any) -> dict[str, Any]:
    return dict(invoice.to_dict())


def agree(customer: Customer) -> None:
    """What Stripe has of packs, what was granted of it, and what the person was told, are the same."""
    made = [one for one in map(to_dict, customer.invoices()) if "portal_operation" in one["metadata"]]
    assert {one["status"] for one in made} <= {"paid", "void"}
    paid = {f"invoice:{one['id']}": one for one in made if one["status"] == "paid"}
    grants = Grant.objects.filter(source__startswith="invoice:").select_related("voiding")
    assert {grant.source for grant in grants} == set(paid)
    given_back = {
        charge.payment_intent for charge in customer.api.charges.list({"limit": 100}).data if charge.refunded
    }
    for grant in grants:
        payments = customer.api.invoice_payments.list({"invoice": paid[grant.source]["id"]}).data
        is_given_back = {one.payment.payment_intent for one in payments} <= given_back
        assert (grant.voided_at is not None) is is_given_back
    ended = {str(one.pk): one for one in StripeOperation.objects.filter(kind="buy_credits")}
    assert {one.state for one in ended.values()} <= {OperationState.DONE, OperationState.FAILED}
    told_bought = {pk for pk, one in ended.items() if one.state == OperationState.DONE}
    assert told_bought == {one["metadata"]["portal_operation"] for one in paid.values()}


def burns_add_up(customer: Customer) -> None:
    """Each hour is burnt of grants, or on demand, and of no grant more than it has."""
    organization = customer.account.organization
    begun = customer.row().period_start.replace(minute=0, second=0, microsecond=0)
    counted = {begun + timedelta(hours=hour): 7_000_000 for hour in range(1, 3)}
    count(organization, counted)
    settle(organization_id=organization.pk, until=customer.clock.now())
    burnt = burnt_of(organization)
    within = sum(7_000_000 for hour in counted if hour < Ledger.objects.get().settled_until)
    assert sum(burnt.values()) == within
    for grant in Grant.objects.with_left(organization.pk):
        assert grant.left == grant.credits - burnt.get(grant.source, 0) >= 0


@pytest.mark.parametrize("path", [INVOICES, "/v1/invoiceitems", f"{INVOICES}/*"])
@pytest.mark.slow
def test_an_answer_lost_after_the_work_charges_once(buyer: Customer, path: str) -> None:
    sealed = offer(buyer)
    buyer.stripe.control.drop(method="POST", path=path)
    press(buyer, sealed)
    sweep_everything()
    assert bought(buyer) == [IN_A_PACK]
    agree(buyer)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [INVOICES, "/v1/invoiceitems", f"{INVOICES}/*/finalize", f"{INVOICES}/*/pay"]
)
def test_a_failure_that_stripe_remembers_ends_in_all_or_nothing(buyer: Customer, path: str) -> None:
    sealed = offer(buyer)
    buyer.stripe.control.fail(500, method="POST", path=path, when="after", stored=True)
    press(buyer, sealed)
    sweep_everything(3)
    agree(buyer)


@pytest.mark.slow
def test_what_stripe_did_not_do_within_minutes_is_called_off(buyer: Customer) -> None:
    sealed = offer(buyer)
    buyer.stripe.control.fail(503, method="POST", path=f"{INVOICES}/*/pay", when="before")
    press(buyer, sealed)
    assert "what becomes of the purchase of credits" in text_of(buyer.get(""))
    buyer.clock.ahead += timedelta(minutes=20)
    sweep_everything()
    assert credit_outcome_of(purchase()) is CreditOutcome.TOO_LATE
    assert bought(buyer) == []
    agree(buyer)
    assert "asked to buy prepaid credits" in text_of(buyer.get(""))


@pytest.mark.slow
def test_a_role_lost_meanwhile_buys_nothing(buyer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = offer(buyer)
    with monkeypatch.context() as patch:
        patch.setattr(
            "billing.operations.credit_purchases.resume", lambda pk: StripeOperation.objects.get(pk=pk)
        )
        press(buyer, sealed)
    Membership.objects.filter(pk=buyer.reader.pk).update(role=Role.MEMBER)
    sweep_everything()
    assert credit_outcome_of(purchase()) is CreditOutcome.NOT_ALLOWED
    assert len(buyer.invoices()) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_the_second_is_told(buyer: Customer) -> None:
    sealed = [offer(buyer), offer(buyer, 2)]
    done = at_once(*(lambda one=one: buy_credits(actor=buyer.reader, sealed=one) for one in sealed))
    assert [isinstance(one, Refused) for one in done].count(True) == 1
    assert len(bought(buyer)) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_press_that_comes_twice_buys_once(buyer: Customer) -> None:
    sealed = offer(buyer)
    at_once(*[lambda: buy_credits(actor=buyer.reader, sealed=sealed)] * 2)
    sweep_everything()
    assert bought(buyer) == [IN_A_PACK]


class Life:
    """What can happen to a customer who buys packs, by chance."""

    def __init__(self, buyer: Customer, chance: random.Random) -> None:
        self.buyer = buyer
        self.chance = chance

    def press(self) -> None:
        press(self.buyer, offer(self.buyer, self.chance.randint(1, 3)))

    def hear_some(self) -> None:
        events = self.buyer.stripe.events()
        for event in self.chance.sample(events, min(4, len(events))):
            deliver(event)
            handle(event["id"])

    def hear_all(self) -> None:
        self.buyer.hear()

    def sweep(self) -> None:
        sweep_everything()

    def give_back(self) -> None:
        charges = self.buyer.api.charges.list({"limit": 20}).data
        paid = [one for one in charges if one.paid and not one.refunded]
        if paid:
            part: dict[str, Any] = {"amount": 1_000} if self.chance.random() < 0.5 else {}
            self.buyer.api.refunds.create({"charge": self.chance.choice(paid).id, **part})

    def answer_the_bank(self) -> None:
        for invoice in self.buyer.invoices():
            if invoice.status == "open":
                page = f"{invoice.hosted_invoice_url}/authenticate"
                with suppress(Exception):
                    self.buyer.stripe.control.authenticate(page, succeed=self.chance.random() < 0.7)

    def change_card(self) -> None:
        self.buyer.stripe.attach_default(self.buyer.account, self.chance.choice(SAVED))
        self.buyer.hear()

    @property
    def acts(self) -> list[Callable[[], None]]:
        others = [self.hear_some, self.hear_all, self.sweep, self.give_back]
        return [self.press, self.press, *others, self.answer_the_bank, self.change_card]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(12))
def test_whatever_happens_there_is_one_grant_for_each_paid_invoice(
    number: int, buyer: Customer, fuse: Fuse
) -> None:
    chance = random.Random(number)
    life = Life(buyer, chance)
    for _step in range(8):
        if chance.random() < 0.5:
            fuse.steps_left = chance.randint(0, 60)
        with suppress(Killed):
            chance.choice(life.acts)()
        fuse.reset()
    come_to_rest(buyer)
    agree(buyer)
    burns_add_up(buyer)
