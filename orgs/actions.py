"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, register

register(
    Action(
        "organization.created", _("Created the organization"), _("created the organization on %(edition)s")
    ),
    Action(
        "organization.renamed",
        _("Renamed the organization"),
        _("renamed the organization from %(old)s to %(new)s"),
    ),
    Action(
        "organization.managers_setting_changed",
        _("Changed who manages billing managers"),
        _("changed whether billing managers may manage billing managers: %(allowed)s"),
    ),
    Action(
        "organization.invitation_age_changed",
        _("Changed how long invitations last"),
        _("changed how long invitations last: %(days)s"),
    ),
    Action(
        "membership.role_changed",
        _("Changed a role"),
        _("changed the role of %(target)s from %(old)s to %(new)s"),
    ),
    Action("membership.removed", _("Removed a person"), _("removed %(target)s, who was %(role)s")),
    Action("membership.left", _("Left"), _("left the organization as %(role)s")),
    Action("access.requested", _("Asked for access"), _("asked to be allowed to %(permission)s")),
)
