from django.apps import AppConfig


class BillingPortalConfig(AppConfig):
    name = "billing_portal"

    def ready(self) -> None:
        from billing_portal import account_mails  # noqa: PLC0415 - once the models are there

        account_mails.register_all()
