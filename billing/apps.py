from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        # They register themselves, once the models are there.
        from billing import actions, mails, receivers  # noqa: F401, PLC0415
        from billing.operations import (  # noqa: F401, PLC0415
            card_steps,
            closing,
            customers,
            details,
            endings,
            methods,
            names,
            payment_steps,
            plan_steps,
            purchase_steps,
        )
