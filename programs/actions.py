"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy

from audit.registry import Action, label_in
from programs.models import Ending

ALLOWED = Action(
    "program.allowed",
    gettext_lazy("Allowed a program"),
    gettext_lazy("let the program %(target)s read billing"),
)
REVOKED = Action(
    "program.revoked",
    gettext_lazy("Disconnected a program"),
    gettext_lazy("disconnected the program %(target)s, which %(owner)s had let read billing"),
    owner=str,
)
ENDED = Action(
    "program.ended",
    gettext_lazy("Ended a program's access"),
    gettext_lazy("disconnected the program %(target)s of %(owner)s: %(reason)s"),
    owner=str,
    reason=label_in(Ending),
)
