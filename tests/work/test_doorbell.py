import json
import socket
import time
from threading import Event, Thread

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from billing.notices import tell_of_failed_payment, tell_of_new_card
from billing.tasks import resume_operations
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


def test_ring_is_quick(redis_server: RedisServer) -> None:
    assert seconds_of_a_ring() < 0.5
    assert min(seconds_of_a_ring() for _ in range(20)) < 0.02


def test_refused_ring_is_logged_and_quick(redis_server: RedisServer) -> None:
    redis_server.stop()
    with capture_logs() as logs:
        assert seconds_of_a_ring() < doorbell.RING_SECONDS
    assert [log["event"] for log in logs] == ["doorbell_in_vain"]


def test_hanging_redis_holds_up_one_request_for_a_second_at_most(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds_of_a_ring()
    redis_server.freeze()
    assert seconds_of_a_ring() < doorbell.RING_SECONDS + 0.2
    assert sum(seconds_of_a_ring() for _ in range(10)) < 0.1, "after one in vain it stays silent"
    monkeypatch.setattr(doorbell, "_doorbell", doorbell.Doorbell())
    assert seconds_of_a_ring() < doorbell.RING_SECONDS + 0.2, "a new connection hangs no longer"


def test_server_that_drops_every_packet_holds_up_a_request_for_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        # A listener whose backlog is full leaves connection attempts unanswered, like a dropped packet.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{full.getsockname()[1]}/0")
        with capture_logs() as logs:
            assert seconds_of_a_ring() < doorbell.RING_SECONDS + 0.2
        assert len(logs) == 1


@pytest.mark.slow
def test_server_that_answers_a_byte_at_a_time_holds_up_a_request_for_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hung_up = Event()

    def trickle() -> None:
        client, _ = server.accept()
        with client:
            client.send(b"+")
            while not hung_up.wait(0.1):
                client.send(b"O")

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        trickling = Thread(target=trickle)
        trickling.start()
        assert doorbell.RING_SECONDS < seconds_of_a_ring() < doorbell.RING_SECONDS + 0.2
        hung_up.set()
        trickling.join()


@pytest.mark.django_db(transaction=True)
def test_change_is_committed_while_redis_is_away(put: Enqueue, redis_server: RedisServer) -> None:
    redis_server.stop()
    email = put()
    assert OutgoingEmail.objects.due().get() == email
