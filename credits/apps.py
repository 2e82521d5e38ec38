from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "credits"
    verbose_name = "Credits"

    def ready(self) -> None:
        # Once the models are there.
        from credits.selectors import closed_until  # noqa: PLC0415
        from usage.settling import tell_until_when_settled_with  # noqa: PLC0415 - as above

        tell_until_when_settled_with(closed_until)
