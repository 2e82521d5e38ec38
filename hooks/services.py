"""The verbs of webhooks, one transaction each. Every verb of a person comes in by ``acting``."""

import uuid
from collections.abc import Collection, Iterable

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from hooks import actions
from hooks.announcements import written
from hooks.models import PING, SECRETS_OVERLAP, Delivery, Endpoint, OffBecause, State
from hooks.secret import new_secret, sealed
from hooks.tasks import deliver_written
from orgs.acting import Act, acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission
from work.doorbell import ring

MOST_ENDPOINTS = 5
# Tests of one endpoint that may wait at a time.
MOST_TESTS = 3


def put(event: str, body: str, endpoints: Iterable[Endpoint]) -> list[Delivery]:
    """Write a webhook for each of these; the commit rings the worker. Call it inside a transaction."""
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            endpoint=endpoint,
            event=event,
            body=body,
            # A person waits for a test, and looks at it.
            next_attempt_at=Now() if event == PING else endpoint.first_try_at,
        )
        for endpoint in endpoints
    )
    ring(deliver_written, *(str(delivery.pk) for delivery in deliveries))
    return deliveries


def make_endpoint(
    *, actor: Membership, key: uuid.UUID, url: str, events: Collection[str]
) -> tuple[Endpoint, str]:
    """Add an endpoint. Answers it with its secret, which is shown this once.

    ``url``: checked. ``key``: with the same key and person no second one is made. Raises Refused.
    """
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoints = Endpoint.objects.for_org(act.organization)
        pk = uuid.uuid5(key, f"{act.membership.user_id} {act.organization.pk}")
        if endpoints.filter(pk=pk).exists():
            raise Refused(
                _(
                    "This webhook was added already, and its secret is shown only once. "
                    "If you lost it, make a new one on the webhook's page."
                )
            )
        if endpoints.kept().count() >= MOST_ENDPOINTS:
            raise Refused(
                _("There are %(limit)s webhooks already, which is the limit. Remove one first.")
                % {"limit": MOST_ENDPOINTS}
            )
        secret = new_secret()
        endpoint = endpoints.create(
            pk=pk,
            organization=act.organization,
            url=url,
            events=sorted(events),
            secret=sealed(secret),
        )
        act.record(actions.MADE, target=(endpoint.pk, endpoint.host))
        return endpoint, secret


def change_endpoint(
    *, actor: Membership, endpoint_id: uuid.UUID, shown_version: int, url: str, events: Collection[str]
) -> None:
    """Send to another address, or about other events. ``url``: checked.

    Raises PageOutdated, and Endpoint.DoesNotExist.
    """
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoint = _as_shown(act, endpoint_id, shown_version)
        if (endpoint.url, endpoint.events) == (url, sorted(events)):
            return
        endpoint.url, endpoint.events = url, sorted(events)
        endpoint.failing_since = None
        _save(endpoint, "url", "events", "failing_since")
        act.record(actions.CHANGED, target=(endpoint.pk, endpoint.host))


def roll_secret(*, actor: Membership, endpoint_id: uuid.UUID, shown_version: int) -> tuple[Endpoint, str]:
    """Make a new secret, and answer it. The one before signs as well for a day; an older one no more.

    Raises PageOutdated, and Endpoint.DoesNotExist.
    """
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoint = _as_shown(act, endpoint_id, shown_version)
        secret = new_secret()
        endpoint.old_secret, endpoint.secret = endpoint.secret, sealed(secret)
        endpoint.old_secret_until = timezone.now() + SECRETS_OVERLAP
        _save(endpoint, "old_secret", "secret", "old_secret_until")
        act.record(actions.SECRET_ROLLED, target=(endpoint.pk, endpoint.host))
        return endpoint, secret


def switch_endpoint(*, actor: Membership, endpoint_id: uuid.UUID, on: bool) -> None:
    """Switch it on or off. What was written while it was off does not come later.

    Raises Endpoint.DoesNotExist.
    """
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoint = _locked(act, endpoint_id)
        if endpoint.is_on == on:
            return
        endpoint.off_because = "" if on else OffBecause.PERSON
        endpoint.failing_since = None
        _save(endpoint, "off_because", "failing_since")
        action = actions.SWITCHED_ON if on else actions.SWITCHED_OFF
        act.record(action, target=(endpoint.pk, endpoint.host))


def remove_endpoint(*, actor: Membership, endpoint_id: uuid.UUID) -> None:
    """End it for good, its secrets at once. Raises Endpoint.DoesNotExist."""
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoint = _locked(act, endpoint_id)
        endpoint.secret = endpoint.old_secret = ""
        endpoint.old_secret_until = None
        endpoint.removed_at = timezone.now()
        _save(endpoint, "secret", "old_secret", "old_secret_until", "removed_at")
        act.record(actions.REMOVED, target=(endpoint.pk, endpoint.host))


def send_test(*, actor: Membership, endpoint_id: uuid.UUID) -> Delivery:
    """Send a test, also to one that is off. Raises Refused, and Endpoint.DoesNotExist."""
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        endpoint = _locked(act, endpoint_id)
        waiting = endpoint.deliveries.filter(Delivery.unfinished, event=PING)
        if waiting.count() >= MOST_TESTS:
            raise Refused(_("Other tests are still on their way. Wait for them first."))
        body = written(PING, timezone.now().isoformat(), {"organization_id": str(act.organization.pk)})
        (delivery,) = put(PING, body, [endpoint])
        act.record(actions.TESTED, target=(endpoint.pk, endpoint.host))
        return delivery


def replay(*, actor: Membership, delivery_id: uuid.UUID) -> None:
    """Send a webhook again that was delivered or has failed: under the same id, with the same body.

    Raises Refused, and Delivery.DoesNotExist.
    """
    with acting(actor, Permission.WEBHOOKS_MANAGE) as act:
        deliveries = Delivery.objects.for_org(act.organization).filter(endpoint__removed_at=None)
        locked = deliveries.select_related("endpoint").select_for_update(of=("self",))
        delivery = locked.get(pk=delivery_id)
        if not (delivery.endpoint.is_on or delivery.is_ping):
            raise Refused(_("The webhook is off. Switch it on first, then send this again."))
        if delivery.state == State.WAITING:
            # Somebody else has pressed as well: that is what was wanted.
            return
        delivery.state, delivery.attempts, delivery.next_attempt_at = State.WAITING, 0, Now()
        delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
        ring(deliver_written, str(delivery.pk))
        act.record(actions.REPLAYED, target=(delivery.endpoint_id, delivery.endpoint.host))


def _locked(act: Act, endpoint_id: uuid.UUID) -> Endpoint:
    return (
        Endpoint.objects.for_org(act.organization).kept().select_for_update(no_key=True).get(pk=endpoint_id)
    )


def _as_shown(act: Act, endpoint_id: uuid.UUID, shown_version: int) -> Endpoint:
    endpoint = _locked(act, endpoint_id)
    if endpoint.version != shown_version:
        raise PageOutdated(
            _("This webhook has changed since you opened this. Nothing was done. Check it, then try again.")
        )
    return endpoint


def _save(endpoint: Endpoint, *changed: str) -> None:
    endpoint.version += 1
    endpoint.save(update_fields=[*changed, "version"])
