"""The process dies while the holder of a payment link saves a card or pays: nothing twice, nothing undone."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle

import pytest

from audit.models import AuditEvent
from billing import tasks
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, Invoice, OperationState, PaymentLink, StripeOperation
from billing.operations.payment_links import (
    Ended,
    LinkEnded,
    ended_because,
    make_card_link,
    make_invoice_link,
    open_link,
)
from billing.selectors import payment_link
from billing.webhooks import handle
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.billing.mishaps import Fuse, Killed, let_waits_end, steered
from tests.billing.world import StripeWorld, deliver
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

PRESS, SWEEP, WEBHOOK = "second press", "sweep", "webhook"
# A step is a statement, or the moment before or after a call, of the whole journey.
CARD_STEPS, INVOICE_STEPS = range(0, 190, 2), range(0, 270, 5)


class Journey:
    """Of one link: its holder presses, enters a card at Stripe's page, and the workers hear of it."""

    def __init__(self, stripe: StripeWorld, fuse: Fuse, link: PaymentLink) -> None:
        self.stripe, self.fuse, self.link = stripe, fuse, link
        self.entered = False

    def begin(self, *, death: int) -> None:
        """Until the process dies."""
        self.fuse.steps_left = death
        with suppress(Killed):
            self.press()
            self.hear()
        self.fuse.reset()
        let_waits_end()

    def press(self) -> None:
        url = open_link(payment_link(self.link.pk))
        if not self.entered:
            self.stripe.control.enter_card(url)
            self.entered = True

    def hear(self) -> None:
        for event in self.stripe.events():
            deliver(event)
            handle(event["id"])
        tasks.sweep()

    def go_on(self, way: str) -> None:
        """Whoever saw no page of Stripe's presses again, whichever way the rest comes about."""
        if way == PRESS or not self.entered:
            with suppress(LinkEnded):
                self.press()
        WAYS_ON[way](self)

    def sweep(self) -> None:
        """Stripe's events are lost."""
        let_waits_end()
        tasks.sweep()
        reconcile(self.link.organization)


WAYS_ON: dict[str, Callable[[Journey], None]] = {
    PRESS: Journey.sweep,
    SWEEP: Journey.sweep,
    WEBHOOK: Journey.hear,
}


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fuse]:
    with steered(monkeypatch) as (fuse, _clock):
        yield fuse


def each_way(steps: range) -> list[tuple[int, str]]:
    """A death at each of these steps, and a way to go on: of two that are side by side, another one."""
    return list(zip(steps, cycle(WAYS_ON), strict=False))


def acts() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize(("death", "way"), sampled(each_way(CARD_STEPS), every=11))
def test_a_card_is_saved_once_wherever_the_process_dies(
    death: int, way: str, stripe: StripeWorld, fuse: Fuse, billing_manager: Membership
) -> None:
    journey = Journey(stripe, fuse, make_card_link(actor=billing_manager))
    journey.begin(death=death)
    journey.go_on(way)
    account = BillingAccount.objects.get()
    assert stripe.default_card(account) == account.payment_method_id
    assert stripe.cards_of(account) == {account.payment_method_id}
    assert (len(stripe.customers()), len(stripe.sessions())) == (1, 1)
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()
    assert ended_because(payment_link(journey.link.pk)) is Ended.FINISHED
    assert acts() == [
        "payment_link.made",
        "billing.customer_made",
        "payment_link.opened",
        "card.added_by_link",
    ]
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.parametrize(("death", "way"), sampled(each_way(INVOICE_STEPS), every=11))
def test_an_invoice_is_paid_once_wherever_the_process_dies(
    death: int,
    way: str,
    stripe: StripeWorld,
    fuse: Fuse,
    account: BillingAccount,
    billing_manager: Membership,
) -> None:
    stripe.invoice(account, amount=1000)
    reconcile(account.organization)
    link = make_invoice_link(actor=billing_manager, invoice_id=Invoice.objects.get().pk)
    journey = Journey(stripe, fuse, link)
    journey.begin(death=death)
    journey.go_on(way)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.amount_paid) == ("paid", 1000)
    assert ended_because(payment_link(link.pk)) is Ended.PAID
    assert acts() == ["payment_link.made", "payment_link.opened", "invoice.paid"]
    charges = stripe.api.charges.list({"customer": account.stripe_customer_id}).data
    assert [charge.amount for charge in charges] == [1000]
