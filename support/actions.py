"""What of support staff the audit log tells."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, label_in
from orgs.policy import StaffRole


def staff_roles(codes: str) -> str:
    """Codes of staff roles, with commas between them."""
    role = label_in(StaffRole)
    return ", ".join(map(role, codes.split(","))) if codes else str(_("none"))


SESSION_OPENED = Action(
    "staff_session.opened",
    _("Support staff opened a session"),
    _("opened a staff session"),
)
SESSION_ENDED = Action(
    "staff_session.ended",
    _("Support staff ended a session"),
    _("ended a staff session"),
)
ORGANIZATION_OPENED = Action(
    "organization.opened_by_staff",
    _("Support staff looked at the organization"),
    _("looked at the organization"),
)
PORTAL_SEEN_AS = Action(
    "portal.seen_by_staff",
    _("Support staff saw the portal as a person"),
    _("saw the portal as %(target)s"),
)
ROLES_CHANGED = Action(
    "staff_roles.changed",
    _("Changed somebody's roles in support"),
    _("changed the support roles of %(target)s from %(old)s to %(new)s"),
    old=staff_roles,
    new=staff_roles,
)
