"""What of this app the audit log tells. The target is the endpoint, named by its host."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, label_in
from hooks.models import OffBecause

MADE = Action("webhook.made", _("Added a webhook"), _("added a webhook to %(target)s"))
CHANGED = Action("webhook.changed", _("Changed a webhook"), _("changed the webhook to %(target)s"))
SECRET_ROLLED = Action(
    "webhook.secret_rolled",
    _("Made a new webhook secret"),
    _("made a new secret for the webhook to %(target)s"),
)
SWITCHED_ON = Action(
    "webhook.switched_on", _("Switched a webhook on"), _("switched the webhook to %(target)s on")
)
SWITCHED_OFF = Action(
    "webhook.switched_off", _("Switched a webhook off"), _("switched the webhook to %(target)s off")
)
SWITCHED_OFF_BY_PORTAL = Action(
    "webhook.given_up",
    _("Gave a webhook up"),
    _("stopped the webhook to %(target)s: %(because)s"),
    because=label_in(OffBecause),
)
TESTED = Action("webhook.tested", _("Tested a webhook"), _("sent a test to the webhook to %(target)s"))
REPLAYED = Action("webhook.replayed", _("Sent a webhook again"), _("sent a webhook to %(target)s again"))
REMOVED = Action("webhook.removed", _("Removed a webhook"), _("removed the webhook to %(target)s"))
