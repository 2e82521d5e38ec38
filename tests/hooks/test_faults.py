"""No webhook is lost, whatever dies when: it goes out again under the same id."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from hooks.delivery import deliver_due
from hooks.models import Delivery, Endpoint, State
from hooks.services import put
from hooks.tasks import sweep
from tests.hooks.receiver import Receiver
from tests.outbox.processes import ROOT, Worker, environment, wait_until
from tests.redis_server import RedisServer
from work import doorbell

pytestmark = pytest.mark.django_db(transaction=True)

StartWorker = Callable[[], Worker]

PROCESS_THAT_DIES_BEFORE_IT_NOTES_THE_ANSWER = """
import os, signal, django
django.setup()
from hooks import delivery
post = delivery.post
def post_and_die(*arguments):
    post(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
delivery.post = post_and_die
delivery.deliver_due()
"""


@pytest.fixture
def variables(redis_server: RedisServer) -> dict[str, str]:
    return {**environment("smtp://127.0.0.1:1", redis_server.url), "WEBHOOKS_MAY_STAY_INSIDE": "1"}


@pytest.fixture
def start_worker(variables: dict[str, str], tmp_path: Path) -> Iterator[StartWorker]:
    workers: list[Worker] = []

    def start() -> Worker:
        workers.append(Worker(variables, tmp_path))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def written(endpoint: Endpoint) -> Delivery:
    with transaction.atomic():
        (delivery,) = put("membership.removed", "{}", [endpoint])
    return delivery


def let_lease_run_out() -> None:
    Delivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def all_delivered() -> bool:
    return not Delivery.objects.exclude(state=State.DELIVERED).exists()


def play_beat() -> None:
    """Ring for a sweep, as beat does every ten seconds."""
    doorbell._doorbell.ring({sweep: []})


@pytest.mark.slow
def test_a_process_that_dies_with_the_answer_sends_it_again_under_the_same_id(
    endpoint: Endpoint, receiver: Receiver, variables: dict[str, str]
) -> None:
    delivery = written(endpoint)
    died = subprocess.run(
        [sys.executable, "-c", PROCESS_THAT_DIES_BEFORE_IT_NOTES_THE_ANSWER],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=False,
    )
    assert died.returncode == -9
    delivery.refresh_from_db()
    assert delivery.state == State.WAITING
    assert deliver_due() == 0, "another may still be at it"
    let_lease_run_out()
    deliver_due()
    assert all_delivered()
    assert receiver.ids == [delivery.message_id] * 2


@pytest.mark.slow
def test_a_worker_killed_while_the_server_hangs(
    endpoint: Endpoint, receiver: Receiver, start_worker: StartWorker
) -> None:
    receiver.hangs = True
    delivery = written(endpoint)
    worker = start_worker()
    assert receiver.hung.wait(60)
    worker.kill()
    receiver.hangs = False
    let_lease_run_out()
    start_worker()
    wait_until(all_delivered, meanwhile=play_beat)
    assert receiver.ids == [delivery.message_id] * 2


@pytest.mark.slow
def test_redis_flushed_with_webhooks_in_its_queue(
    endpoint: Endpoint, receiver: Receiver, redis_server: RedisServer, start_worker: StartWorker
) -> None:
    deliveries = [written(endpoint) for _ in range(3)]
    doorbell._doorbell.finish()
    with redis_server.client() as redis:
        assert redis.llen("hooks") == 3
        redis.flushall()
    start_worker()
    wait_until(all_delivered, meanwhile=play_beat)
    assert sorted(receiver.ids) == sorted(delivery.message_id for delivery in deliveries)
