from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from billing import actions, mails  # noqa: F401, PLC0415 - they register themselves, once the models are there
