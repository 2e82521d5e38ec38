from django.apps import AppConfig


class HooksConfig(AppConfig):
    name = "hooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        # They register themselves, once the models are there.
        from hooks import actions, mails, receivers  # noqa: F401, PLC0415
