from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "programs"
    verbose_name = "Programs"

    def ready(self) -> None:
        from programs import actions, receivers, selectors  # noqa: F401, PLC0415 - they register themselves, once the models are there
