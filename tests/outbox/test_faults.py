"""Every mail goes out, and none twice unless nobody can know whether it went, whatever dies when."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from outbox.models import OutgoingEmail, State
from outbox.tasks import sweep
from tests.outbox.conftest import Enqueue
from tests.outbox.mail_server import MailServer
from tests.outbox.processes import ROOT, Worker, environment, wait_until
from tests.redis_server import RedisServer
from work import doorbell

pytestmark = pytest.mark.django_db(transaction=True)

StartWorker = Callable[..., Worker]

WEB_PROCESS_THAT_DIES = """
import os, signal, django
django.setup()
from django.db import transaction
from outbox.services import enqueue
from tests.outbox.notes import NOTE_MAIL
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    enqueue(NOTE_MAIL, to="lee@ledger.test", dedupe_key="web")
"""


@pytest.fixture
def start_worker(mail_server: MailServer, redis_server: RedisServer, tmp_path: Path) -> Iterator[StartWorker]:
    workers: list[Worker] = []

    def start(*, children: int = 1, beat: bool = False) -> Worker:
        variables = environment(mail_server.url, redis_server.url)
        workers.append(Worker(variables, tmp_path, children=children, beat=beat))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


def play_beat() -> None:
    """Ring for a sweep, as beat does every ten seconds."""
    doorbell._doorbell.ring({sweep: []})


def all_sent() -> bool:
    return not OutgoingEmail.objects.exclude(state=State.SENT).exists()


def wait_until_all_sent(seconds: float = 60) -> None:
    wait_until(all_sent, seconds=seconds, meanwhile=play_beat)


def state_of(email: OutgoingEmail) -> str:
    email.refresh_from_db()
    return email.state


@pytest.mark.slow
def test_worker_killed_while_it_writes_a_mail(
    put: Enqueue, mail_server: MailServer, start_worker: StartWorker, tmp_path: Path
) -> None:
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    email = put(waits_for=str(obstacle))
    worker = start_worker()
    wait_until(obstacle.with_suffix(".reached").exists)
    worker.kill()
    assert state_of(email) == State.WRITING

    obstacle.unlink()
    start_worker()
    wait_until_all_sent()
    assert mail_server.message_ids() == [email.message_id]


@pytest.mark.slow
def test_worker_killed_before_the_mail_server_has_the_mail(
    put: Enqueue, mail_server: MailServer, start_worker: StartWorker
) -> None:
    mail_server.hang_before_data = True
    email = put()
    worker = start_worker()
    assert mail_server.hung.wait(60)
    worker.kill()
    assert state_of(email) == State.SENDING

    mail_server.hang_before_data = False
    start_worker()
    wait_until_all_sent()
    assert mail_server.message_ids() == [email.message_id]


@pytest.mark.slow
def test_mail_of_unknown_outcome_goes_out_again_under_the_same_message_id(
    put: Enqueue, mail_server: MailServer, start_worker: StartWorker
) -> None:
    mail_server.hang_after_data = True
    email = put()
    worker = start_worker()
    assert mail_server.hung.wait(60)
    worker.kill()
    assert state_of(email) == State.SENDING

    mail_server.hang_after_data = False
    start_worker()
    wait_until_all_sent()
    assert mail_server.message_ids() == [email.message_id] * 2


@pytest.mark.slow
def test_web_process_killed_after_the_commit(
    mail_server: MailServer, redis_server: RedisServer, start_worker: StartWorker
) -> None:
    web = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS_THAT_DIES],
        cwd=ROOT,
        env=environment(mail_server.url, redis_server.url),
        check=False,
    )
    assert web.returncode == -9
    email = OutgoingEmail.objects.get()
    with redis_server.client() as redis:
        assert redis.llen("celery") == 0

    start_worker()
    wait_until_all_sent()
    assert mail_server.message_ids() == [email.message_id]


@pytest.mark.slow
def test_redis_flushed_with_mails_in_its_queue(
    put: Enqueue, mail_server: MailServer, redis_server: RedisServer, start_worker: StartWorker
) -> None:
    emails = [put() for _ in range(5)]
    doorbell._doorbell.finish()
    with redis_server.client() as redis:
        assert redis.llen("celery") == 5
        redis.flushall()

    start_worker()
    wait_until_all_sent()
    assert sorted(mail_server.message_ids()) == sorted(email.message_id for email in emails)

    began = time.monotonic()
    put()
    wait_until(all_sent)
    assert time.monotonic() - began < 2, "the commit alone rings"


@pytest.mark.slow
def test_redis_stopped_for_a_moment_under_a_worker_at_work(
    put: Enqueue, mail_server: MailServer, redis_server: RedisServer, start_worker: StartWorker
) -> None:
    start_worker()
    put()
    wait_until(all_sent)
    redis_server.stop()
    began = time.monotonic()
    for _ in range(5):
        put()
    assert time.monotonic() - began < 5 * doorbell.RING_SECONDS
    redis_server.start()
    doorbell._doorbell.silent_until = 0

    wait_until_all_sent()
    assert len(mail_server.mails) == len(set(mail_server.message_ids())) == 6


@pytest.mark.slow
def test_redis_stopped_for_a_minute_under_worker_and_beat(
    put: Enqueue, mail_server: MailServer, redis_server: RedisServer, start_worker: StartWorker
) -> None:
    start_worker(beat=True)
    put()
    wait_until(all_sent)
    redis_server.stop()
    for _ in range(10):
        put()
    time.sleep(60)
    redis_server.start()
    put()

    wait_until(all_sent, seconds=60)
    assert len(mail_server.mails) == len(set(mail_server.message_ids())) == 12


@pytest.mark.slow
def test_redis_stopped_twenty_times_while_children_of_the_worker_die(
    put: Enqueue,
    mail_server: MailServer,
    redis_server: RedisServer,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    worker = start_worker(children=2)
    emails: list[OutgoingEmail] = []
    for outage in range(20):
        obstacle = tmp_path / f"obstacle-{outage}"
        obstacle.touch()
        at_work = put(waits_for=str(obstacle))
        wait_until(obstacle.with_suffix(".reached").exists, meanwhile=play_beat)
        redis_server.stop()
        emails += [at_work, put()]
        worker.kill_children()
        assert state_of(at_work) == State.WRITING
        obstacle.unlink()
        if outage % 4 == 0:
            # Long enough for the worker to come back too early, and to wait before it tries again.
            time.sleep(1)
        redis_server.start()
        doorbell._doorbell.silent_until = 0
        wait_until(lambda: all_sent() or worker.process.poll() is not None, meanwhile=play_beat)
        assert worker.process.poll() is None, f"ended after outage {outage + 1}"
    # A child may have died in the moment when nobody can know whether its mail went out.
    assert set(mail_server.message_ids()) == {email.message_id for email in emails}
