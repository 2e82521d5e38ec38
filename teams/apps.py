from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "teams"
    verbose_name = "Teams"

    def ready(self) -> None:
        from orgs.endings import tell_of_endings_with  # noqa: PLC0415 - as below
        from teams import actions, receivers  # noqa: F401, PLC0415 - they register themselves, once the models are there
        from teams.selectors import ended_places  # noqa: PLC0415 - as above

        tell_of_endings_with(ended_places)
