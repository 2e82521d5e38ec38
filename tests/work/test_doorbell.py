import json
import os
import socket
import subprocess
import sys
import time
from threading import Event, Thread

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from billing.notices import tell_of_failed_payment, tell_of_new_card
from billing.tasks import resume_operations
from devstack.paths import ROOT
from invitations.services import accept
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.tasks import deliver_written
from tests.billing.factories import BillingAccountFactory, CardSetupFactory, InvoiceFactory
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.outbox.conftest import Enqueue
from tests.redis_server import RedisServer
from work import doorbell
from work.doorbell import Asked

QUEUE = "celery"


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What each ring asked for, instead of the wire to Redis."""
    heard: list[Asked] = []
    monkeypatch.setattr(doorbell._doorbell, "ring", heard.append)
    return heard


# Of a ring, on a machine that others keep busy.
NO_WAIT = 0.2


def seconds_of_a_ring() -> float:
    began = time.monotonic()
    doorbell._doorbell.ring({deliver_written: ["id"]})
    return time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_only_a_commit_rings(put: Enqueue, redis_server: RedisServer) -> None:
    redis = redis_server.client()
    with transaction.atomic():
        put()
        transaction.set_rollback(True)
    assert redis.llen(QUEUE) == 0

    email = put()
    doorbell._doorbell.finish()
    message = json.loads(redis.lindex(QUEUE, 0) or "")
    redis.close()
    assert message["headers"]["task"] == "outbox.deliver"
    assert str(email.id) in message["headers"]["argsrepr"]


@pytest.mark.django_db(transaction=True)
def test_a_commit_rings_once_with_all_that_was_written_in_it(put: Enqueue, redis_server: RedisServer) -> None:
    with transaction.atomic():
        first, second = put(), put()
        with transaction.atomic():
            nested = put()
    doorbell._doorbell.finish()
    with redis_server.client() as redis:
        (message,) = redis.lrange(QUEUE, 0, -1)
    for email in (first, second, nested):
        assert str(email.id) in json.loads(message)["headers"]["argsrepr"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("undone", ["first", "last"])
def test_a_savepoint_that_is_rolled_back_takes_no_ring_along(
    undone: str, put: Enqueue, rings: list[Asked]
) -> None:
    with transaction.atomic():
        for savepoint in ("first", "last"):
            with transaction.atomic():
                put()
                transaction.set_rollback(savepoint == undone)
    assert len(rings) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_and_an_operation_of_one_commit_are_one_ring(put: Enqueue, rings: list[Asked]) -> None:
    with transaction.atomic():
        email = put()
        doorbell.ring(resume_operations, "operation")
    assert rings == [{deliver_written: [str(email.id)], resume_operations: ["operation"]}]


@pytest.mark.django_db(transaction=True)
def test_a_verb_with_two_kinds_of_mail_rings_once(rings: list[Asked]) -> None:
    person = MembershipFactory()
    account, operation = BillingAccountFactory(organization=person.organization), CardSetupFactory.build()
    invoice = InvoiceFactory(organization=person.organization)
    MembershipFactory.create_batch(2, organization=person.organization, role=Role.ADMIN)
    with transaction.atomic():
        tell_of_new_card(account, operation)
        tell_of_failed_payment(person.organization, invoice)
    (asked,) = rings
    assert len(asked[deliver_written]) == 4


@pytest.mark.django_db(transaction=True)
def test_accepting_an_invitation_rings_once(rings: list[Asked]) -> None:
    invitation = InvitationFactory(role=Role.BILLING_MANAGER)
    MembershipFactory.create_batch(2, organization=invitation.organization, role=Role.ADMIN)
    accept(user=UserFactory(email=invitation.email), claim=by_mail(invitation))
    (asked,) = rings
    assert len(asked[deliver_written]) == OutgoingEmail.objects.count() == 3


def test_a_ring_in_vain_is_logged_and_then_there_is_silence(redis_server: RedisServer) -> None:
    redis_server.stop()
    with capture_logs() as logs:
        for _again in range(3):
            assert seconds_of_a_ring() < NO_WAIT
            doorbell._doorbell.finish()
    assert [log["event"] for log in logs] == ["doorbell_in_vain"]


def test_a_hanging_redis_holds_up_nobody(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds_of_a_ring()
    doorbell._doorbell.finish()
    redis_server.freeze()
    assert seconds_of_a_ring() < NO_WAIT
    with capture_logs() as logs:
        doorbell._doorbell.finish()
    assert [log["event"] for log in logs] == ["doorbell_in_vain"]
    monkeypatch.setattr(doorbell, "_doorbell", doorbell.Doorbell())
    assert seconds_of_a_ring() < NO_WAIT, "nor with a new connection"


def test_a_server_that_drops_every_packet_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        # A listener whose backlog is full leaves connection attempts unanswered, like a dropped packet.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{full.getsockname()[1]}/0")
        with capture_logs() as logs:
            assert seconds_of_a_ring() < NO_WAIT
            doorbell._doorbell.finish()
        assert len(logs) == 1


@pytest.mark.slow
def test_a_server_that_answers_a_byte_at_a_time_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hung_up = Event(), Event()

    def trickle() -> None:
        client, _ = server.accept()
        with client:
            asked.set()
            client.send(b"+")
            while not hung_up.wait(0.1):
                client.send(b"O")

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        monkeypatch.setattr(doorbell, "MOST_WAITING", 3)
        monkeypatch.setattr(doorbell, "_doorbell", doorbell.Doorbell())
        trickling = Thread(target=trickle)
        trickling.start()
        seconds_of_a_ring()
        asked.wait()
        with capture_logs() as logs:
            assert all(seconds_of_a_ring() < NO_WAIT for _time in range(10))
        assert len(logs) == 1, "no more are kept than some"
        hung_up.set()
        trickling.join()


def test_a_child_of_a_fork_rings_for_itself(redis_server: RedisServer) -> None:
    seconds_of_a_ring()
    doorbell._doorbell.finish()
    child = os.fork()
    if child == 0:
        seconds_of_a_ring()
        doorbell._doorbell.finish()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with redis_server.client() as redis:
        assert redis.llen(QUEUE) == 2


@pytest.mark.slow
def test_a_process_that_ends_rings_before(redis_server: RedisServer) -> None:
    code = (
        "import django; django.setup(); from work import doorbell; from outbox.tasks import deliver_written;"
        " doorbell.ring(deliver_written, 'id')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    with redis_server.client() as redis:
        assert redis.llen(QUEUE) == 1


@pytest.mark.django_db(transaction=True)
def test_change_is_committed_while_redis_is_away(put: Enqueue, redis_server: RedisServer) -> None:
    redis_server.stop()
    email = put()
    assert OutgoingEmail.objects.due().get() == email
