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


# `make test` makes the same runs each time. The slow ones are others each time, for several workers; one that
# fails prints its steps, and what repeats it.
@pytest.mark.parametrize(
    ("runs", "steps", "alike"),
    [
        pytest.param(12, 8, True, id="the-same-runs"),
        *(pytest.param(60, 15, False, id=f"other-runs-{group}", marks=pytest.mark.slow) for group in (1, 2)),
    ],
)
def test_whatever_happens_all_agree_in_the_end(runs: int, steps: int, alike: bool, stage: Stage) -> None:
    run_state_machine_as_test(
        lambda: BillingMachine(stage),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            derandomize=alike,
            print_blob=not alike,
            deadline=None,
            phases=[Phase.generate] if alike else [Phase.generate, Phase.shrink],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
