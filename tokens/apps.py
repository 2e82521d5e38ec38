from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "tokens"
    verbose_name = "Access tokens"

    def ready(self) -> None:
        from orgs.endings import tell_of_what_goes_on_with  # noqa: PLC0415 - as above
        from tokens import actions, mails, receivers  # noqa: F401, PLC0415 - they register themselves, once the models are there
        from tokens.selectors import kept_tokens  # noqa: PLC0415 - as above

        tell_of_what_goes_on_with(kept_tokens)
