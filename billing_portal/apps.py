from django.apps import AppConfig
from django.core.signals import request_started

from billing_portal.content_types import forget_charset


class BillingPortalConfig(AppConfig):
    name = "billing_portal"

    def ready(self) -> None:
        from billing_portal import account_mails  # noqa: PLC0415 - once the models are there

        account_mails.register_all()
        request_started.connect(forget_charset)
