"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy

from audit.registry import Action

ALLOWED = Action(
    "program.allowed",
    gettext_lazy("Allowed a program"),
    gettext_lazy("let the program %(target)s read billing"),
)
REVOKED = Action(
    "program.revoked",
    gettext_lazy("Disconnected a program"),
    gettext_lazy("disconnected the program %(target)s, which read billing"),
)
ENDED = Action(
    "program.ended",
    gettext_lazy("Ended a program's access"),
    gettext_lazy("ended the access of the program %(target)s, since %(owner)s may no longer see billing"),
    owner=str,
)
