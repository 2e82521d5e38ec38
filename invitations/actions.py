"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, register

register(
    Action("invitation.sent", _("Sent an invitation"), _("invited %(target)s as %(role)s")),
    Action("invitation.link_created", _("Made an invite link"), _("made an invite link for one %(role)s")),
    Action(
        "invitation.link_copied",
        _("Copied an invite link"),
        _("copied the link of the invitation for %(target)s as %(role)s"),
    ),
    Action(
        "invitation.resent",
        _("Sent an invitation again"),
        _("sent the invitation for %(target)s as %(role)s again"),
    ),
    Action(
        "invitation.revoked",
        _("Revoked an invitation"),
        _("revoked the invitation for %(target)s as %(role)s"),
    ),
    Action(
        "invitation.expired",
        _("Ended an expired invitation"),
        _("ended the invitation for %(target)s, which had expired"),
    ),
    Action(
        "invitation.accepted",
        _("Accepted an invitation"),
        _("accepted the invitation of %(inviter)s and joined as %(role)s"),
    ),
    Action(
        "invitation.declined",
        _("Declined an invitation"),
        _("declined the invitation of %(inviter)s as %(role)s"),
    ),
    Action(
        "invitation.refused",
        _("Failed to accept an invitation"),
        _("could not accept the invitation of %(inviter)s as %(role)s: %(reason)s"),
    ),
)
