"""What of this app the audit log tells."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.registry import Action


def label(text: str) -> str:
    return text or _("none")


STACKS_LABELED = Action(
    "stack.labeled",
    gettext_lazy("Labeled stacks"),
    gettext_lazy("gave stacks the cost label %(cost_label)s: %(stacks)s"),
    cost_label=label,
    stacks=str,
)
