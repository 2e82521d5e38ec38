from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import mails  # noqa: PLC0415 - once the models are there

        mails.register_all()
