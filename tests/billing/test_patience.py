"""How long people wait for Stripe, how many at once, and when not at all; workers are held up by nothing."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from billing import gateway
from billing.gateway import patience
from billing.gateway.patience import MAX_UNANSWERED, PAUSE_SECONDS, PLACES, Breaker, Wait
from billing.models import BillingAccount, OperationState, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from orgs.errors import Refused
from orgs.models import Membership
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.world import StripeWorld, card_url, finished_at_stripe, sweep_everything
from tests.conftest import SignIn
from work.models import WorkQuerySet


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """The breaker that requests go by, with the test's clock."""
    breaker = Breaker(clock)
    monkeypatch.setattr(patience, "_breaker", breaker)
    return breaker


@pytest.fixture
def tripped(breaker: Breaker) -> Breaker:
    for _time in range(MAX_UNANSWERED):
        breaker.note(unanswered=True)
    return breaker


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """People who turn away the moment they have asked."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.0)


@pytest.fixture
def hanging(stripe: StripeWorld) -> Iterator[StripeWorld]:
    """A Stripe that takes requests and answers none."""
    stripe.control.delay(60, count=1000)
    yield stripe
    stripe.control.clear_faults()


def test_enough_in_vain_in_a_row_are_needed(breaker: Breaker) -> None:
    for _time in range(MAX_UNANSWERED - 1):
        breaker.note(unanswered=True)
    assert breaker.lets_wait()
    breaker.note(unanswered=False)
    for _time in range(MAX_UNANSWERED - 1):
        breaker.note(unanswered=True)
    assert breaker.lets_wait()
    breaker.note(unanswered=True)
    assert not breaker.lets_wait()


def test_after_the_pause_one_tries_and_the_others_do_not_wait(tripped: Breaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS - 0.1
    assert not tripped.lets_wait()
    clock.now += 0.1
    assert [tripped.lets_wait() for _person in range(3)] == [True, False, False]


def test_how_the_one_fares_holds_for_all(tripped: Breaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS
    assert tripped.lets_wait()
    tripped.note(unanswered=True)
    clock.now += PAUSE_SECONDS - 0.1
    assert not tripped.lets_wait()
    clock.now += 0.1
    assert tripped.lets_wait()
    tripped.note(unanswered=False)
    assert [tripped.lets_wait() for _person in range(3)] == [True, True, True]


def test_one_who_never_tells_how_it_ended_keeps_nobody_out_for_good(tripped: Breaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS
    assert tripped.lets_wait()
    clock.now += PAUSE_SECONDS
    assert tripped.lets_wait()


def test_an_answer_after_the_time_is_up_is_left_behind() -> None:
    answer, wait = threading.Event(), Wait(0)
    with pytest.raises(gateway.GatewayUnavailable):
        wait.for_answer(answer.wait)
    answer.set()
    assert wait.unanswered


def test_an_error_in_time_is_an_answer() -> None:
    wait = Wait(60)
    with pytest.raises(ZeroDivisionError):
        wait.for_answer(lambda: 1 / 0)
    assert wait.unanswered is False
    assert wait.seconds_left < 60


def test_no_more_wait_at_once_than_there_are_places() -> None:
    with ExitStack() as people:
        for _person in range(PLACES):
            people.enter_context(gateway.person_waits())
        with pytest.raises(gateway.GatewayBusy), gateway.person_waits():
            pytest.fail("There was no place left.")
    with gateway.person_waits():
        pass


def test_whoever_is_not_let_wait_takes_no_place(tripped: Breaker) -> None:
    for _person in range(PLACES + 1):
        with pytest.raises(gateway.GatewayUnavailable), gateway.person_waits():
            pytest.fail("Nobody should wait now.")
    tripped.note(unanswered=False)
    with gateway.person_waits():
        pass


def test_one_who_asks_nothing_tells_nothing(tripped: Breaker, clock: Clock) -> None:
    clock.now += PAUSE_SECONDS
    with gateway.person_waits():
        pass
    assert not tripped.lets_wait()


@pytest.mark.django_db
def test_a_press_on_a_hanging_stripe_is_told_and_its_work_is_done_later_and_once(
    admin: Membership,
    hanging: StripeWorld,
    breaker: Breaker,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(admin)
    with monkeypatch.context() as impatient:
        impatient.setattr(patience, "PATIENCE_SECONDS", 0.0)
        for _press in range(MAX_UNANSWERED):
            page = client.post(card_url(admin), follow=True).content.decode()
            assert "Stripe does not answer right now. Nothing was changed." in page
    hanging.control.clear_faults()
    begun = StripeOperation.objects.get()
    assert (begun.state, begun.leased_until) == (OperationState.PENDING, None)
    assert "Stripe does not answer right now." in client.post(card_url(admin), follow=True).content.decode()
    sweep_everything()
    assert len(hanging.customers()) == 1
    assert StripeOperation.objects.get().state == OperationState.DONE
    breaker.note(unanswered=False)
    assert client.post(card_url(admin)).status_code == 303
    assert len(hanging.customers()) == len(hanging.sessions()) == 1


@pytest.mark.django_db
def test_a_press_that_finds_no_place_begins_nothing(admin: Membership, stripe: StripeWorld) -> None:
    with ExitStack() as people:
        for _person in range(PLACES):
            people.enter_context(gateway.person_waits())
        with pytest.raises(Refused, match="Other people wait for Stripe right now"):
            start_card_setup(actor=admin)
    assert not StripeOperation.objects.exists()
    assert not stripe.control.requests()


@pytest.mark.django_db
def test_an_error_of_stripe_that_comes_at_once_keeps_nobody_from_trying_again(
    admin: Membership, stripe: StripeWorld, breaker: Breaker
) -> None:
    for _press in range(MAX_UNANSWERED + 1):
        stripe.control.fail(503)
        with pytest.raises(Refused):
            start_card_setup(actor=admin)
    assert start_card_setup(actor=admin)


@pytest.mark.django_db
def test_two_who_set_up_the_same_organization_do_not_make_stripe_look_dead(
    admin: Membership, stripe: StripeWorld, breaker: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds the customer just being made by somebody else is told to try again; Stripe did answer."""
    with monkeypatch.context() as busy:
        busy.setattr(WorkQuerySet, "lease", lambda *_row: None)
        for _press in range(MAX_UNANSWERED + 1):
            with pytest.raises(Refused):
                start_card_setup(actor=admin)
    assert start_card_setup(actor=admin)


@pytest.mark.django_db
def test_workers_work_while_nobody_is_let_wait(
    admin: Membership, stripe: StripeWorld, breaker: Breaker
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    for _time in range(MAX_UNANSWERED):
        breaker.note(unanswered=True)
    assert resume(operation_id).state == OperationState.DONE
    assert BillingAccount.objects.get().card_last4 == "4242"


@pytest.mark.django_db
@pytest.mark.usefixtures("hanging", "no_patience")
def test_the_pdf_of_a_hanging_stripe_is_missed_by_nobody_for_long(admin: Membership, sign_in: SignIn) -> None:
    BillingAccountFactory(organization=admin.organization)
    invoice = InvoiceFactory(organization=admin.organization)
    client = sign_in(admin)
    url = f"/orgs/{admin.organization.slug}/settings/billing/invoices/{invoice.pk}/pdf/"
    for _press in range(MAX_UNANSWERED + 1):
        assert client.get(url).status_code == 503
