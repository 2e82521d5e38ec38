from django.apps import AppConfig


class HooksConfig(AppConfig):
    name = "hooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        # They register themselves, once the models are there.
        from hooks import actions, mails, receivers  # noqa: F401, PLC0415
        from hooks.selectors import kept_webhooks  # noqa: PLC0415 - as above
        from orgs.endings import tell_of_what_goes_on_with  # noqa: PLC0415 - as above

        tell_of_what_goes_on_with(kept_webhooks)
