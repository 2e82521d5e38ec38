"""Delivering webhooks. Safe to run anywhere, any number of times, and to be killed at any line.

A worker that dies leaves its lease to run out, and then the delivery is tried again, under the same
``webhook-id``: a receiver may get a webhook twice, and never misses one that it could have taken.
"""

import time
import uuid
from http import HTTPStatus

from django.db.models.functions import Now

from hooks.failing import note_failure, note_success
from hooks.models import Delivery, Endpoint, Failure, State
from hooks.secret import opened, signatures
from hooks.sending import Answer, NotAnswered, post


class NotDelivered(Exception):
    """A try that failed."""


def deliver_due(*delivery_ids: str, seconds: float = 30.0) -> int:
    """Deliver what is due, of these or all, beginning none after ``seconds``. How many were taken."""
    deliveries = Delivery.objects.filter(pk__in=delivery_ids) if delivery_ids else Delivery.objects.all()
    return sum(deliver(delivery_id) for delivery_id in deliveries.sweep(seconds=seconds))


def deliver(delivery_id: uuid.UUID) -> bool:
    """Try one delivery if it is due. Returns whether this call took it, however that ended."""
    delivery = Delivery.objects.due().lease(delivery_id, tried_at=Now())
    if delivery is None:
        return False
    with delivery.attempt():
        _try(delivery, delivery.endpoint)
    return True


def _try(delivery: Delivery, endpoint: Endpoint) -> None:
    # A test shows whether the address works, before it is switched on.
    if endpoint.removed_at or not (endpoint.is_on or delivery.is_ping):
        delivery.write(failure=Failure.OFF)
        delivery.park(str(Failure.OFF))
        return
    try:
        answer = _send(delivery, endpoint)
    except NotAnswered as error:
        _fail(delivery, endpoint, error.reason)
        return
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        delivery.release(state=State.DELIVERED, failure="", answer_status=answer.status, answer=answer.text)
        note_success(endpoint)
    else:
        redirected = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
        _fail(delivery, endpoint, Failure.REDIRECTED if redirected else Failure.ANSWERED, answer)


def _send(delivery: Delivery, endpoint: Endpoint) -> Answer:
    """Raises NotAnswered."""
    body, timestamp = delivery.body.encode(), int(time.time())
    secrets = [opened(secret) for secret in endpoint.sealed_secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "billing-portal-webhooks",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(secrets, delivery.message_id, timestamp, body),
    }
    return post(endpoint.url, body, headers)


def _fail(delivery: Delivery, endpoint: Endpoint, reason: str, answer: Answer | None = None) -> None:
    """A test is tried once, and its failure says nothing of the webhooks that wait."""
    delivery.write(
        failure=reason,
        answer_status=answer.status if answer else None,
        answer=answer.text if answer else "",
    )
    delivery.fail(NotDelivered(str(reason)), max_attempts=1 if delivery.is_ping else None)
    if not delivery.is_ping:
        note_failure(endpoint, status=answer.status if answer else None)
