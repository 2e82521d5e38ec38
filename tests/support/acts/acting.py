"""Acts of support staff, as a browser sends them."""

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from audit.models import ActorKind, AuditEvent
from support.acts import ACTS

WHY = {"ticket": "48213", "reason": "Asked by phone"}


def ask(client: Client, act: str, key: object) -> HttpResponse:
    """The dialog."""
    return client.get(ACTS[act].url(key))


def do(client: Client, act: str, key: object, **fields: object) -> str:
    """Send the dialog's form; the sentence that the staff member reads."""
    shown = ask(client, act, key).context["form"]["shown"].value() if "shown" not in fields else ""
    answer = client.post(ACTS[act].url(key), {**WHY, "shown": shown, **fields})
    assert answer.status_code == 302, answer.content.decode()
    *_earlier, message = get_messages(answer.wsgi_request)
    return str(message)


def told() -> list[str]:
    """What customers read of what support did."""
    events = AuditEvent.objects.filter(actor_kind=ActorKind.STAFF).exclude(organization_id=None)
    return [f"{event} ({event.why})" for event in events.order_by("id")]
