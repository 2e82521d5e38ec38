from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "tokens"
    verbose_name = "Access tokens"

    def ready(self) -> None:
        from tokens import actions, mails, receivers  # noqa: F401, PLC0415 - they register themselves, once the models are there
