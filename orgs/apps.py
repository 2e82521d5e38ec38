from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from orgs import actions, checks, mails  # noqa: F401, PLC0415 - they register themselves, once the models are there
