"""What each run of the machine has: an organization with two people, a customer at Stripe, and mishaps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition
from stripe import StripeError

from billing import gateway, tasks
from billing.models import BillingAccount
from billing.webhooks import put_into_inbox
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Role
from stripe_simulator.simulator import Simulator
from tests.billing.mishaps import Clock, Fault, Fuse, Killed
from tests.billing.world import MASTERCARD, VISA, StripeWorld, signature
from tests.factories import MembershipFactory

NOT_SIMULATED = {"parameter_not_simulated", "parameter_unknown"}
FAULTS = st.sampled_from(
    [
        Fault("drop", when="after", method="POST"),
        Fault("drop", when="after"),
        Fault("drop", count=3),
        Fault("fail", 500, when="after", method="POST"),
        Fault("fail", 500),
        Fault("fail", 429, count=2),
        Fault("fail", 429, method="GET", count=5),
    ]
)


class Others(Enum):
    """What workers do, or somebody who presses."""

    HEAR_ALL = auto()
    RECONCILE = auto()
    CHOOSE = auto()
    PAY = auto()
    CANCEL = auto()


@dataclass(frozen=True)
class Mishap:
    """What befalls an act. ``death``: at which step its process dies.

    ``meanwhile``: before the answer to which of its calls others act, and how.
    """

    fault: Fault | None = None
    death: int | None = None
    meanwhile: tuple[int, Others] | None = None


DEATHS = st.integers(0, 50)
MEANWHILE = st.tuples(st.integers(0, 6), st.sampled_from(Others))
FAILS_LATER, ASKS_BANK, IS_DECLINED = "4000000000000341", "4000002500003155", "4000000000000002"
NUMBERS = st.none() | st.sampled_from([VISA, VISA, MASTERCARD, FAILS_LATER, ASKS_BANK, IS_DECLINED])
# Most acts go well, most of the others meet one mishap, and some meet all.
MISHAPS = st.one_of(
    st.just(Mishap()),
    st.builds(Mishap, meanwhile=MEANWHILE),
    st.builds(Mishap, death=DEATHS),
    st.builds(Mishap, fault=FAULTS),
    st.builds(Mishap, fault=FAULTS, death=DEATHS, meanwhile=MEANWHILE),
)
PICKS, FEW = st.integers(0, 7), st.integers(0, 2)

of_customer = precondition(lambda run: run.has_customer())


@dataclass(frozen=True)
class Stage:
    """What all runs of the machine share."""

    stripe: StripeWorld
    simulator: Simulator
    fuse: Fuse
    clock: Clock


class Run(RuleBasedStateMachine):
    """``pages``: of Stripe's, where somebody may pay or save a card. ``questions``: of banks, to them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stripe, self.stage, self.api = stage.stripe, stage, stage.stripe.api
        # A savepoint that the code takes for the test's own transaction: it may begin durable ones inside.
        self.run = transaction.atomic()
        self.run._from_testcase = True  # type: ignore[attr-defined]
        self.run.__enter__()
        self.stripe.control.reset()
        stage.clock.ahead = timedelta()
        self.admin = MembershipFactory(role=Role.ADMIN)
        self.manager = MembershipFactory(organization=self.admin.organization, role=Role.BILLING_MANAGER)
        self.prices: dict[str, str] = {}
        self.pages: list[str] = []
        self.questions: list[str] = []
        self.delivered: set[str] = set()
        self._told: list[dict[str, Any]] = []
        self._customer = ""

    # What there is

    @property
    def account(self) -> BillingAccount:
        return BillingAccount.objects.select_related("organization").get(
            organization=self.admin.organization_id
        )

    @property
    def customer(self) -> str:
        return str(self.account.stripe_customer_id)

    def has_customer(self) -> bool:
        """Asked before each step, so without a request to Stripe."""
        if not self._customer:
            accounts = BillingAccount.objects.filter(organization=self.admin.organization_id)
            self._customer = accounts.values_list("stripe_customer_id", flat=True).first() or ""
        found = self.stage.simulator.store.get(self._customer) if self._customer else None
        if found is None or found.get("deleted"):
            self._customer = ""
        return bool(self._customer)

    def person(self, by_manager: bool) -> Membership:
        """As their request reads them."""
        people = Membership.objects.select_related("organization", "user")
        return people.get(pk=(self.manager if by_manager else self.admin).pk)

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """What the customer has at Stripe, the newest first."""
        return self.stage.simulator.store.select(kind, where="AND customer = ?", values=(self.customer,))

    def price(self, lookup_key: str) -> str:
        if lookup_key not in self.prices:
            amount = 700 + 900 * len(self.prices)
            self.prices[lookup_key] = self.stripe.price(amount=amount, lookup_key=lookup_key)
        return self.prices[lookup_key]

    def events(self) -> list[dict[str, Any]]:
        """All that Stripe had to tell so far, the first first."""
        after = "AND seq > COALESCE((SELECT seq FROM objects WHERE id = ?), 0)"
        last = self._told[-1]["id"] if self._told else ""
        self._told += self.stage.simulator.store.select(
            "event", where=after, values=(last,), oldest_first=True
        )
        return self._told

    # What happens

    @contextmanager
    def in_dashboard(self) -> Iterator[None]:
        """Stripe refuses what makes no sense now."""
        try:
            yield
        except StripeError as error:
            if error.code in NOT_SIMULATED:
                raise

    @contextmanager
    def befallen_by(self, mishap: Mishap) -> Iterator[None]:
        """Around an act of the portal or its people. What they are refused changes nothing."""
        fuse = self.stage.fuse
        if mishap.fault:
            mishap.fault.order(self.stripe.control)
        if mishap.meanwhile:
            call, others = mishap.meanwhile
            fuse.meanwhile(call, lambda: self.let_act(others))
        fuse.steps_left = mishap.death
        try:
            with suppress(Killed, Refused, Denied):
                yield
        finally:
            fuse.reset()
            if mishap.fault:
                self.stripe.control.clear_faults()

    def open_page(self, url: str, number: str | None) -> None:
        """One of Stripe's, where a card's number may be entered at once; None: it is left open."""
        self.pages.append(url)
        if number:
            self.enter(url, number)

    def enter(self, url: str, number: str) -> None:
        """Where the bank has a question, it is answered later, or never."""
        then = self.stripe.control.enter_card(url, number=number)
        if then.endswith("/authenticate"):
            self.questions.append(then)

    def let_act(self, others: Others) -> None:
        """At the same time as a person or a worker, who waits for Stripe's answer."""
        raise NotImplementedError

    def hear_all(self) -> None:
        """A worker hears what Stripe has told so far and nobody has delivered, and works it off."""
        for event in self.events()[::-1]:
            if event["id"] not in self.delivered:
                self.put_in(event)
        tasks.sweep()

    def put_in(self, event: dict[str, Any]) -> None:
        payload = json.dumps(event)
        put_into_inbox(gateway.verified_event(payload.encode(), signature(payload)))
        self.delivered.add(event["id"])
