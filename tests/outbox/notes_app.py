from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "tests.outbox"
    label = "notes"

    def ready(self) -> None:
        from tests.outbox import notes  # noqa: F401 - its kind of mail
