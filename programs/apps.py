from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"
    verbose_name = "Programs"

    def ready(self) -> None:
        from orgs.endings import tell_of_endings_with  # noqa: PLC0415 - as below
        from programs import actions, receivers  # noqa: F401, PLC0415 - they register themselves, once the models are there
        from programs.selectors import ended_connections  # noqa: PLC0415 - as above

        tell_of_endings_with(ended_connections)
