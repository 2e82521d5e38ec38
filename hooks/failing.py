"""What follows from an endpoint's failures: its other webhooks wait, and in the end it is switched off."""

from django.db.models.functions import Now
from django.utils import timezone

from audit.services import Actor
from hooks.actions import SWITCHED_OFF_BY_PORTAL
from hooks.mails import WEBHOOK_OFF_MAIL
from hooks.models import FAILING_FOR, HELD_BACK_FOR, Delivery, Endpoint, OffBecause
from orgs.acting import acting_as
from orgs.models import Membership

GONE = 410


def note_success(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).exclude(failing_since=None).update(failing_since=None)


def note_failure(endpoint: Endpoint, *, status: int | None) -> None:
    """``status``: of the answer. 410 says that nobody is there for good, by Standard Webhooks."""
    Endpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=Now())
    soon = Now() + HELD_BACK_FOR
    waiting = Delivery.objects.unleased().filter(Delivery.unfinished, endpoint=endpoint)
    waiting.filter(next_attempt_at__lt=soon).update(next_attempt_at=soon)
    endpoint.refresh_from_db(fields=["failing_since"])
    if status == GONE:
        switch_off(endpoint, OffBecause.GONE)
    elif has_failed_for_long(endpoint):
        switch_off(endpoint, OffBecause.FAILING)


def has_failed_for_long(endpoint: Endpoint) -> bool:
    since = endpoint.failing_since
    return since is not None and since <= timezone.now() - FAILING_FOR


def switch_off(endpoint: Endpoint, because: OffBecause) -> None:
    """Switch it off in the portal's name, unless that was done or a person has made a new start meanwhile."""
    with acting_as(Actor.system(), endpoint.organization_id) as act:
        on = Endpoint.objects.kept().filter(pk=endpoint.pk, version=endpoint.version, off_because="")
        locked = on.select_for_update(no_key=True).first()
        if locked is None:
            return
        locked.off_because = because
        locked.version += 1
        locked.save(update_fields=["off_because", "version"])
        event = act.record(SWITCHED_OFF_BY_PORTAL, target=(locked.pk, locked.host), because=because.value)
        admins = Membership.objects.for_org(act.organization).admins().select_related("user")
        act.mail_each(
            WEBHOOK_OFF_MAIL,
            to={f"webhook_off:{event.pk}:{admin.user_id}": admin.user.email for admin in admins},
            endpoint_id=str(locked.pk),
            host=locked.host,
            because=because.value,
        )
