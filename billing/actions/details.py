"""What the audit log tells of the billing details."""

from django.utils.translation import gettext_lazy as _

from audit.registry import BillingAction as Action
from billing.actions.words import parts

DETAILS_CHANGED = Action(
    "details.changed",
    _("Changed the billing details"),
    _("changed the billing details: %(parts)s"),
    parts=parts,
)
TAX_ID_ADDED = Action(
    "details.tax_id_added", _("Added a tax id"), _("added the tax id %(tax_id)s"), tax_id=str
)
TAX_ID_REMOVED = Action(
    "details.tax_id_removed", _("Removed a tax id"), _("removed the tax id %(tax_id)s"), tax_id=str
)
