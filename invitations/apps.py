from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "invitations"
    verbose_name = "Invitations"

    def ready(self) -> None:
        from invitations import actions, mails, receivers, selectors  # noqa: F401, PLC0415 - they register themselves, once the models are there
        from invitations.selectors import reserved_places  # noqa: PLC0415 - as above
        from orgs.capacity import count_reservations_with  # noqa: PLC0415 - as above

        count_reservations_with(reserved_places)
