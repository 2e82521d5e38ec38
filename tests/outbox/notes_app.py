from django.apps import AppConfig

from outbox.registry import register


class NotesConfig(AppConfig):
    name = "tests.outbox"
    label = "notes"

    def ready(self) -> None:
        from tests.outbox.notes import KIND, render_note

        register(KIND, render_note)
