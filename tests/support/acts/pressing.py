"""Acts of staff through their pages."""

from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from audit.models import ActorKind, AuditEvent

WHY = {"ticket": "48213", "reason": "Asked by phone"}


def url_of(name: str, key: object) -> str:
    return f"/admin/acts/{name}/{key}/"


def ask(client: Client, name: str, key: object) -> HttpResponse:
    """Open the dialog."""
    return client.get(url_of(name, key))


def dialog(client: Client, name: str, key: object) -> str:
    answer = ask(client, name, key)
    assert answer.status_code == 200
    return answer.content.decode()


def shown(client: Client, name: str, key: object) -> str:
    """What the dialog sends back of the thing."""
    return str(ask(client, name, key).context["form"]["shown"].value())


def press(client: Client, name: str, key: object, **fields: Any) -> HttpResponse:
    return client.post(url_of(name, key), {**WHY, **fields})


def act(client: Client, name: str, key: object, **fields: Any) -> str:
    """Open the dialog, unless ``shown`` is given, and press; what is said then."""
    if "shown" not in fields:
        fields["shown"] = shown(client, name, key)
    return said(press(client, name, key, **fields))


def said(answer: HttpResponse) -> str:
    """The sentence that the staff member reads."""
    assert answer.status_code == 302, answer.content.decode()
    *_earlier, message = get_messages(answer.wsgi_request)
    return str(message)


def told() -> list[str]:
    """What customers read of what support did."""
    events = AuditEvent.objects.filter(actor_kind=ActorKind.STAFF).exclude(organization_id=None)
    return [f"{event} ({event.why})" for event in events.order_by("id")]


def done() -> list[str]:
    """The actions of support, oldest first; each says why."""
    events = list(AuditEvent.objects.filter(actor_kind=ActorKind.STAFF).order_by("id"))
    for event in events:
        assert (event.actor_name, event.ticket, event.reason) == ("Support", *WHY.values())
        assert event.sentence
    return [event.action for event in events]
