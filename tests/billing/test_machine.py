"""Whatever happens, in whatever order: in the end our pages, our mirror and Stripe say the same."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from stripe_simulator import server
from tests.billing.machine import BillingMachine, Stage
from tests.billing.mishaps import steered
from tests.billing.world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(
    stripe: StripeWorld, stripe_server: server.Running, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with steered(monkeypatch) as (fuse, clock):
        yield Stage(stripe, stripe_server.simulator, fuse, clock)


# The same runs each time, so that a failure is one of what was changed. To look for more: more runs, and
# `derandomize=False`; what fails prints its steps.
@pytest.mark.parametrize(
    ("runs", "steps"),
    [
        pytest.param(8, 8, id="short-runs"),
        pytest.param(60, 15, id="longer-runs", marks=pytest.mark.slow),
    ],
)
def test_whatever_happens_all_agree_in_the_end(runs: int, steps: int, stage: Stage) -> None:
    run_state_machine_as_test(
        lambda: BillingMachine(stage),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            derandomize=True,
            print_blob=True,
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
