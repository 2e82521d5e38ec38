"""Whatever happens, in whatever order: in the end our pages, our mirror and Stripe say the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe as stripe_library
from django.conf import LazySettings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from billing.gateway import client
from stripe_simulator.simulator import Simulator
from tests.billing.conftest import API_KEY, WEBHOOK_SECRET
from tests.billing.direct import DirectClient, DirectControl
from tests.billing.machine.machine import BillingMachine
from tests.billing.machine.run import Stage
from tests.billing.mishaps import steered
from tests.billing.world import StripeWorld
from tests.sampling import sampled

pytestmark = pytest.mark.django_db

# Hypothesis' own way of choosing spends most of few runs on mixtures of earlier ones, and on runs that do
# next to nothing. By this name it takes them as they come.
AS_THEY_COME = "as_they_come"
AVAILABLE_PROVIDERS[AS_THEY_COME] = HypothesisProvider

# The same runs each time, so that a failure is one of what was changed; what fails prints its steps.
RUNS_OF_A_SEED = 5
SEEDS = 6
# `make test-full` sets so many that there are 3,000 runs.
SLOW_SEEDS = int(os.environ.get("MACHINE_SEEDS", "8"))


@pytest.fixture
def stage(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    settings.STRIPE_SECRET_KEY = API_KEY
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    simulator = Simulator(tmp_path, api_key=API_KEY, url="http://stripe.test")
    library = stripe_library.StripeClient(API_KEY, http_client=DirectClient(simulator))
    monkeypatch.setattr(client, "client", lambda: library)
    with steered(monkeypatch) as (fuse, clock):
        yield Stage(StripeWorld(DirectControl(simulator), library.v1), simulator, fuse, clock)
    simulator.close()


@pytest.mark.parametrize(
    ("seed_", "steps"),
    [
        *sampled([(number, 5) for number in range(SEEDS)], every=SEEDS),
        *(pytest.param(number, 15, marks=pytest.mark.slow) for number in range(SEEDS, SEEDS + SLOW_SEEDS)),
    ],
)
def test_whatever_happens_all_agree_in_the_end(seed_: int, steps: int, stage: Stage) -> None:
    run_state_machine_as_test(
        seed(seed_)(lambda: BillingMachine(stage)),
        settings=settings(
            max_examples=RUNS_OF_A_SEED,
            stateful_step_count=steps,
            backend=AS_THEY_COME,
            print_blob=True,
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
