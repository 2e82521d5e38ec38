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
            contacts,
            customers,
            details,
            endings,
            methods,
            names,
            on_demand_steps,
            open_pages,
            payment_links,
            payment_steps,
            plan_steps,
            purchase_steps,
        )
        from billing.selectors.removal import ended_addresses  # noqa: PLC0415 - as above
        from orgs.endings import tell_of_endings_with  # noqa: PLC0415 - as above

        tell_of_endings_with(ended_addresses)
