from django.apps import AppConfig

from outbox.readers import ask_for_reader


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import mails  # noqa: F401, PLC0415 - its kinds of mail, once the models are there
        from accounts.models import User  # noqa: PLC0415 - once the models are there

        ask_for_reader(User.objects.reader_of)
