"""The document of the domain events names each of them, and each app that listens."""

import re

from django.apps import apps
from django.conf import settings
from django.dispatch import Signal

from audit.events import event_recorded
from orgs import events

ROW = re.compile(r"^\| `(\w+)` \|.*\|(.*)\|$", re.MULTILINE)
SIGNALS = {name: one for name, one in vars(events).items() if isinstance(one, Signal)} | {
    "event_recorded": event_recorded
}
APPS = {config.name for config in apps.get_app_configs()}


def test_the_document_tells_who_listens_to_what() -> None:
    rows = ROW.findall((settings.BASE_DIR / "docs" / "events.md").read_text())
    told = {name: set(re.findall(r"(\w+):", who)) for name, who in rows}
    assert told == {name: listeners(signal) for name, signal in SIGNALS.items()}


def listeners(signal: Signal) -> set[str]:
    receivers = signal._live_receivers(sender=None)[0]
    return {receiver.__module__.partition(".")[0] for receiver in receivers} & APPS
