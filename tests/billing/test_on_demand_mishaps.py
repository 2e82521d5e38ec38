"""Workers that die, answers that never come and several at once: on-demand credits are invoiced once."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, OnDemandItem, StripeOperation
from billing.operations.life import resume
from billing.tasks import sweep
from tests.billing.mishaps import Clock, Fault, Fuse, Killed, let_waits_end, steered
from tests.billing.on_demand import (
    JULY,
    JUNE,
    ask,
    ask_and_sweep,
    charge_of,
    invoices,
    items,
    lines,
    operations,
    subscribe,
)
from tests.billing.world import StripeWorld, deliver
from tests.races import at_once
from tests.sampling import Part, in_parts

pytestmark = pytest.mark.django_db


@pytest.fixture
def steering(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Fuse, Clock]]:
    with steered(monkeypatch) as found:
        yield found


@pytest.mark.slow
@in_parts(5)
@pytest.mark.parametrize("subscribed", [False, True], ids=["own-invoice", "next-invoice"])
def test_a_worker_that_dies_anywhere_invoices_it_once(
    subscribed: bool, part: Part, stripe: StripeWorld, account: BillingAccount, steering: tuple[Fuse, Clock]
) -> None:
    """Before or after each statement and each call, and then again with keys that Stripe has forgotten."""
    fuse, _clock = steering
    organization = account.organization
    stripe.attach_default(account)
    if subscribed:
        subscribe(stripe, account)
        reconcile(organization)
    for number, steps in enumerate(part.of(itertools.count())):
        since = JUNE + timedelta(hours=number)
        charge_of(organization, since=since, until=since + timedelta(hours=1))
        died = dies_after(steps, fuse, partial(ask_and_sweep, organization))
        let_waits_end()
        ask_and_sweep(organization)
        assert len(items(stripe, account)) == number + 1
        assert len(lines(stripe, account)) == (0 if subscribed else number + 1)
        # The subscription's first invoice is there before.
        assert len(invoices(stripe, account)) == (1 if subscribed else number + 1)
        assert OnDemandItem.objects.at_stripe().count() == number + 1
        assert operations(organization)[-1] == ("done", "invoice")
        if not died:
            break
    assert steps > 20


def dies_after(steps: int, fuse: Fuse, act: partial[None]) -> bool:
    fuse.steps_left = steps
    try:
        act()
    except Killed:
        return True
    finally:
        fuse.reset()
    return False


@pytest.mark.parametrize("waited", [timedelta(), timedelta(days=2)], ids=["key-known", "key-forgotten"])
@pytest.mark.parametrize("path", ["/v1/invoiceitems", "/v1/invoices"])
def test_an_answer_that_never_came_is_found_again(
    path: str,
    waited: timedelta,
    stripe: StripeWorld,
    account: BillingAccount,
    steering: tuple[Fuse, Clock],
) -> None:
    charge_of(account.organization)
    stripe.control.drop(method="POST", path=path, count=1, when="after")
    ask_and_sweep(account.organization)
    assert operations(account.organization)[0][0] == "pending"
    _fuse, clock = steering
    clock.ahead += waited
    stripe.control.advance(seconds=int(waited.total_seconds()))
    let_waits_end()
    sweep()
    assert operations(account.organization) == [("done", "invoice")]
    assert len(items(stripe, account)) == len(invoices(stripe, account)) == 1
    assert [amount for _invoice, amount in lines(stripe, account)] == [75_00]


def test_stripes_failures_that_it_remembers_are_asked_for_under_another_key(
    stripe: StripeWorld, account: BillingAccount, steering: tuple[Fuse, Clock]
) -> None:
    charge_of(account.organization)
    ask(account.organization)
    Fault("fail", method="POST", when="after").order(stripe.control)
    for _again in range(3):
        let_waits_end()
        sweep()
    assert operations(account.organization) == [("done", "invoice")]
    assert len(items(stripe, account)) == 1


def test_webhooks_that_come_before_the_answer_change_nothing(
    stripe: StripeWorld, account: BillingAccount, steering: tuple[Fuse, Clock]
) -> None:
    fuse, _clock = steering
    charge_of(account.organization)
    ask(account.organization)

    def told() -> None:
        for event in stripe.events("invoiceitem.created", "invoice.created"):
            deliver(event)
        sweep()

    for calls in range(5):
        fuse.meanwhile(calls, told)
        let_waits_end()
        ask_and_sweep(account.organization)
        fuse.reset()
    assert operations(account.organization) == [("done", "invoice")]
    assert [amount for _invoice, amount in lines(stripe, account)] == [75_00]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_ask_once(stripe: StripeWorld, account: BillingAccount) -> None:
    charge_of(account.organization)
    charge_of(account.organization, since=JUNE, until=JULY)
    at_once(*[partial(ask, account.organization) for _worker in range(3)])
    keys = list(StripeOperation.objects.values_list("pk", flat=True))
    assert len(keys) == 2
    at_once(*[partial(resume, pk) for pk in [*keys, *keys]])
    assert operations(account.organization) == [("done", "invoice")] * 2
    assert len(items(stripe, account)) == 2
    assert sorted(amount for _invoice, amount in lines(stripe, account)) == [75_00, 75_00]
