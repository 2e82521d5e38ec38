"""Every webhook arrives that its server takes, signed and under one id; what fails ends in the open."""

import json
import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from audit.models import AuditEvent
from hooks import failing, services
from hooks.delivery import deliver, deliver_due
from hooks.models import FAILING_FOR, PING, Delivery, Endpoint, OffBecause, State
from hooks.secret import new_secret, sealed
from hooks.sending import Answer, post
from hooks.tasks import delete_old
from invitations import services as invitations
from orgs import services as orgs
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory
from tests.hooks.factories import DeliveryFactory, EndpointFactory
from tests.hooks.receiver import Receiver

pytestmark = pytest.mark.django_db


def due(delivery: Delivery) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=past)


def test_an_act_is_told_in_codes_and_ids_signed(
    endpoint: Endpoint, receiver: Receiver, admin: Membership, member: Membership
) -> None:
    secret = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(secret=sealed(secret))
    orgs.remove_member(actor=admin, membership_id=member.pk)
    assert deliver_due() == 1

    (received,) = receiver.received
    assert received.is_signed_with(secret)
    assert not received.is_signed_with(new_secret())
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 10
    assert received.headers["Content-Type"] == "application/json"
    told = json.loads(received.body)
    assert told["type"] == "membership.removed"
    assert told["data"] == {
        "organization_id": str(admin.organization_id),
        "actor": {"kind": "person", "id": str(admin.user_id), "role": "admin"},
        "target_id": str(member.user_id),
        "role": "member",
    }
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.answer_status, delivery.answer) == (State.DELIVERED, 200, "ok")


def test_no_name_and_no_mail_address_is_sent(organization: object, admin: Membership) -> None:
    EndpointFactory(organization=organization, events=["invitation.sent", "membership.role_changed"])
    member = MembershipFactory(organization=organization, role=Role.MEMBER)
    invitations.invite_by_mail(actor=admin, email="lee@ledger.test", role=Role.BILLING_MANAGER)
    orgs.change_role(actor=admin, membership_id=member.pk, role=Role.ADMIN)
    bodies = " ".join(Delivery.objects.values_list("body", flat=True))
    assert Delivery.objects.count() == 2
    for word in (admin.user.name, admin.user.email, member.user.name, member.user.email, "lee@ledger.test"):
        assert word not in bodies


def test_what_is_undone_is_told_to_nobody_and_what_nobody_asked_for_neither(
    endpoint: Endpoint, admin: Membership, member: Membership
) -> None:
    EndpointFactory(organization=admin.organization, off_because="person")
    EndpointFactory(organization=admin.organization, removed_at=timezone.now())
    EndpointFactory(organization=admin.organization, events=["invoice.paid"])
    EndpointFactory()
    with transaction.atomic():
        orgs.remove_member(actor=admin, membership_id=member.pk)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    orgs.remove_member(actor=admin, membership_id=member.pk)
    assert Delivery.objects.get().endpoint == endpoint


def test_what_fails_is_tried_again_under_one_id_until_it_is_taken(
    endpoint: Endpoint, receiver: Receiver
) -> None:
    delivery = DeliveryFactory(endpoint=endpoint)
    receiver.status, receiver.answer = 500, b"out of order"
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.answer_status, delivery.answer) == (State.WAITING, 500, "out of order")
    assert not deliver(delivery.pk), "before its time"
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None

    receiver.status = 204
    due(delivery)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.failure) == (State.DELIVERED, 2, "")
    assert receiver.ids == [delivery.message_id] * 2
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


class Killed(BaseException):
    """Nothing of ours catches it."""


def test_who_dies_with_the_answer_leaves_the_lease_and_it_is_sent_again(
    endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = DeliveryFactory(endpoint=endpoint)

    def post_and_die(url: str, body: bytes, headers: dict[str, str]) -> Answer:
        post(url, body, headers)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("hooks.delivery.post", post_and_die)
        with pytest.raises(Killed):
            deliver_due()
    assert deliver_due() == 0, "another may still be at it"
    Delivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.state == State.DELIVERED
    assert receiver.ids == [delivery.message_id] * 2


def test_it_is_tried_for_three_days_and_then_parked(endpoint: Endpoint, receiver: Receiver) -> None:
    waited = sum((Delivery.WAITS.after(tried) for tried in range(1, Delivery.MAX_ATTEMPTS)), timedelta())
    assert FAILING_FOR < waited < FAILING_FOR + timedelta(hours=4)
    delivery = DeliveryFactory(endpoint=endpoint, attempts=Delivery.MAX_ATTEMPTS - 1)
    receiver.status, receiver.location = 302, receiver.url
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.failure) == (State.FAILED, "redirected")


def test_a_dead_server_holds_up_no_other(endpoint: Endpoint, receiver: Receiver) -> None:
    dead = EndpointFactory(organization=endpoint.organization, url="http://127.0.0.1:1/")
    waiting = [DeliveryFactory(endpoint=dead) for _ in range(3)]
    DeliveryFactory(endpoint=endpoint)
    deliver_due()
    assert len(receiver.received) == 1
    assert sorted(Delivery.objects.filter(endpoint=dead).values_list("attempts", flat=True)) == [0, 0, 1]
    assert not Delivery.objects.due().filter(pk__in=[one.pk for one in waiting]).exists()


def test_what_is_written_for_a_dead_server_waits_with_the_others(
    endpoint: Endpoint, receiver: Receiver, admin: Membership
) -> None:
    """Who causes events in a row costs the workers no try for each; a person's test goes at once."""
    Endpoint.objects.update(failing_since=timezone.now())
    endpoint.refresh_from_db()
    services.put("membership.removed", "{}", [endpoint])
    deliver_due()
    assert receiver.received == []
    services.send_test(actor=admin, endpoint_id=endpoint.pk)
    deliver_due()
    assert len(receiver.received) == 1


def test_a_server_that_failed_for_three_days_is_switched_off_with_a_mail(
    endpoint: Endpoint, receiver: Receiver, admin: Membership
) -> None:
    receiver.status = 500
    long_ago = timezone.now() - FAILING_FOR - timedelta(minutes=1)
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=long_ago)
    first, second = DeliveryFactory(endpoint=endpoint), DeliveryFactory(endpoint=endpoint)
    deliver_due()
    endpoint.refresh_from_db()
    assert endpoint.off_because == OffBecause.FAILING
    assert AuditEvent.objects.get(action="webhook.given_up").sentence == (
        "stopped the webhook to 127.0.0.1: Switched off after failing for 3 days"
    )
    assert list(OutgoingEmail.objects.values_list("kind", "to")) == [("webhook_off", admin.user.email)]

    # What still waits ends too, and says why.
    for delivery in (first, second):
        due(delivery)
    deliver_due()
    states = set(Delivery.objects.values_list("state", "failure"))
    assert states == {(State.FAILED, "off")}
    assert len(receiver.received) == 1


def test_a_new_start_by_a_person_is_not_undone(endpoint: Endpoint, receiver: Receiver) -> None:
    """The address was changed while the worker waited for the old one's answer."""
    Endpoint.objects.filter(pk=endpoint.pk).update(version=2)
    failing.switch_off(endpoint, OffBecause.FAILING)
    endpoint.refresh_from_db()
    assert endpoint.is_on


def test_gone_for_good_ends_it_at_once(endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.status = 410
    DeliveryFactory(endpoint=endpoint)
    deliver_due()
    endpoint.refresh_from_db()
    assert endpoint.off_because == OffBecause.GONE


def test_a_test_is_sent_once_also_to_one_that_is_off(
    endpoint: Endpoint, receiver: Receiver, admin: Membership
) -> None:
    services.switch_endpoint(actor=admin, endpoint_id=endpoint.pk, on=False)
    receiver.status = 500
    delivery = services.send_test(actor=admin, endpoint_id=endpoint.pk)
    deliver_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.answer_status) == (State.FAILED, 500)
    assert json.loads(receiver.received[0].body)["type"] == PING
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_it_is_sent_again_under_the_same_id(
    endpoint: Endpoint, receiver: Receiver, admin: Membership
) -> None:
    delivery = DeliveryFactory(endpoint=endpoint)
    deliver_due()
    services.replay(actor=admin, delivery_id=delivery.pk)
    services.replay(actor=admin, delivery_id=delivery.pk)
    deliver_due()
    assert receiver.ids == [delivery.message_id] * 2
    assert receiver.received[0].body == receiver.received[1].body
    assert AuditEvent.objects.filter(action="webhook.replayed").count() == 1


def test_both_secrets_sign_for_a_day_and_none_lies_in_clear(
    endpoint: Endpoint, receiver: Receiver, admin: Membership
) -> None:
    old = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(secret=sealed(old))
    _, new = services.roll_secret(actor=admin, endpoint_id=endpoint.pk, shown_version=1)
    DeliveryFactory(endpoint=endpoint)
    deliver_due()
    Endpoint.objects.update(old_secret_until=timezone.now())
    DeliveryFactory(endpoint=endpoint)
    deliver_due()
    during, after = receiver.received
    assert (during.is_signed_with(old), during.is_signed_with(new)) == (True, True)
    assert (after.is_signed_with(old), after.is_signed_with(new)) == (False, True)
    stored = str(Endpoint.objects.values().get())
    assert new.removeprefix("whsec_") not in stored
    assert django_settings.SECRET_KEY not in stored


def test_old_deliveries_are_deleted_and_removed_endpoints_after_them(endpoint: Endpoint) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    removed = EndpointFactory(organization=endpoint.organization, removed_at=long_ago)
    DeliveryFactory(endpoint=removed, created_at=long_ago, state=State.FAILED)
    waiting = DeliveryFactory(endpoint=endpoint, created_at=long_ago)
    delete_old()
    assert list(Endpoint.objects.all()) == [endpoint]
    assert list(Delivery.objects.all()) == [waiting]
