from django.apps import AppConfig
from django.core.signals import request_started

from billing_portal.content_types import forget_charset


class BillingPortalConfig(AppConfig):
    name = "billing_portal"

    def ready(self) -> None:
        request_started.connect(forget_charset)
