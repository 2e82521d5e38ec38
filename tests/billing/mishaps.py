"""What goes wrong between the portal and Stripe: a worker dies, Stripe gives no answer or a bad one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from django.db import connection
from django.utils import timezone

from billing.gateway import account, calls, invoice_items, invoicing, lists, patience, plans, subscribing
from billing.models import BillingAccount, StripeEvent, StripeOperation
from stripe_simulator.control import Control


class Killed(BaseException):
    """What a process dies of: nothing that any code catches."""


class Fuse:
    """Kills the process at a chosen step: before a statement, or before or after a call to Stripe.

    And lets others act meanwhile: once Stripe has done what a call asks for, and before it answers.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.steps_left: int | None = None
        self._calls_left: int | None = None
        self._others: Callable[[], object] = lambda: None

    def meanwhile(self, calls: int, others: Callable[[], object]) -> None:
        """Let others act during the call that comes after so many."""
        self._calls_left, self._others = calls, others

    def step(self) -> None:
        if self.steps_left == 0:
            self.steps_left = None
            raise Killed
        if self.steps_left is not None:
            self.steps_left -= 1

    def before_statement(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        # A process that is dead rolls back too: its connection ends.
        if not sql.startswith("ROLLBACK"):
            self.step()
        return execute(sql, *arguments)

    def _let_others_act(self) -> None:
        if self._calls_left == 0:
            # What befalls this process does not befall theirs.
            steps_left, self.steps_left, self._calls_left = self.steps_left, None, None
            self._others()
            self.steps_left = steps_left
        elif self._calls_left is not None:
            self._calls_left -= 1

    def around_calls(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fused(ask: Callable[..., Any]) -> Any:
            self.step()
            try:
                return call(ask)
            finally:
                self._let_others_act()
                self.step()

        return fused


@dataclass(frozen=True)
class Fault:
    """What Stripe does with the next ``count`` of our requests of a method, before or after their work."""

    kind: Literal["drop", "fail"]
    status: int = 500
    method: str = "*"
    when: Literal["before", "after"] = "before"
    count: int = 1

    def order(self, control: Control) -> None:
        if self.kind == "drop":
            control.drop(method=self.method, count=self.count, when=self.when)
        else:
            control.fail(self.status, method=self.method, count=self.count, when=self.when)


@dataclass
class Clock:
    """Ours, which keeps pace with the simulator's."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@contextmanager
def steered(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Fuse, Clock]]:
    """Calls and statements go by a fuse, and times by a clock. Nobody is kept from asking Stripe again."""
    fuse, clock = Fuse(), Clock()
    for module in (account, calls, invoice_items, invoicing, lists, plans, subscribing):
        monkeypatch.setattr(module, "call", fuse.around_calls(module.call))
    monkeypatch.setattr(patience, "MAX_UNANSWERED", 1_000_000)
    monkeypatch.setattr(timezone, "now", clock.now)
    for name in ("created_at", "key_saved_at"):
        # A field remembers the function that its default was at the start.
        monkeypatch.setattr(StripeOperation._meta.get_field(name), "_get_default", clock.now)
    with connection.execute_wrapper(fuse.before_statement):
        yield fuse, clock


def let_waits_end() -> None:
    """Leases of the dead run out, and what was put off is due. Nobody's last attempt was used up by that."""
    for model in (StripeEvent, StripeOperation, BillingAccount):
        model.objects.update(leased_until=None, next_attempt_at=datetime.now(UTC))
