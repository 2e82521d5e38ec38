from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"
    verbose_name = "Teams"

    def ready(self) -> None:
        from teams import actions, receivers, selectors  # noqa: F401, PLC0415 - they register themselves, once the models are there
