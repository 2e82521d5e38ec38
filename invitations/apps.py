from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "invitations"
    verbose_name = "Invitations"

    def ready(self) -> None:
        from invitations import actions, mails, receivers  # noqa: F401, PLC0415 - they register themselves, once the models are there
        from invitations.selectors import ended_invitations, reserved_places  # noqa: PLC0415 - as above
        from orgs.capacity import count_reservations_with  # noqa: PLC0415 - as above
        from orgs.endings import tell_of_endings_with  # noqa: PLC0415 - as above

        count_reservations_with(reserved_places)
        tell_of_endings_with(ended_invitations)
