"""What of this app the audit log tells. Every event says of an invitation its role and its inviter."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.registry import Action, Wording, label_in
from invitations.refusals import Reason
from orgs.actions import role


def addressee(email: str) -> str:
    """The person whom an invitation is for; a link, which any account may use, stores no address."""
    return email or _("anyone with the link")


def decliner(name: str) -> str:
    """The person who declined: without a name if they have only the link, and did not sign in."""
    return name or _("a person with the link")


def _action(code: str, label: Promise, sentence: Promise, *, actor: Wording = str, **data: Wording) -> Action:
    return Action(code, label, sentence, actor=actor, target=addressee, role=role, inviter=str, **data)


SENT = _action(
    "invitation.sent", gettext_lazy("Sent an invitation"), gettext_lazy("invited %(target)s as %(role)s")
)
LINK_CREATED = _action(
    "invitation.link_created",
    gettext_lazy("Made an invite link"),
    gettext_lazy("made an invite link for one %(role)s"),
)
LINK_COPIED = _action(
    "invitation.link_copied",
    gettext_lazy("Copied an invite link"),
    gettext_lazy("copied the link of the invitation for %(target)s as %(role)s"),
)
RESENT = _action(
    "invitation.resent",
    gettext_lazy("Sent an invitation again"),
    gettext_lazy("sent the invitation for %(target)s as %(role)s again"),
)
REVOKED = _action(
    "invitation.revoked",
    gettext_lazy("Revoked an invitation"),
    gettext_lazy("revoked the invitation for %(target)s as %(role)s"),
)
EXPIRED = _action(
    "invitation.expired",
    gettext_lazy("Ended an expired invitation"),
    gettext_lazy("ended the invitation for %(target)s, which had expired"),
)
ENDED = _action(
    "invitation.ended",
    gettext_lazy("Ended an invitation"),
    gettext_lazy("ended the invitation for %(target)s as %(role)s: %(reason)s"),
    reason=label_in(Reason),
)
ACCEPTED = _action(
    "invitation.accepted",
    gettext_lazy("Accepted an invitation"),
    gettext_lazy("accepted the invitation of %(inviter)s and joined as %(role)s"),
)
DECLINED = _action(
    "invitation.declined",
    gettext_lazy("Declined an invitation"),
    gettext_lazy("declined the invitation of %(inviter)s as %(role)s"),
    actor=decliner,
)
ASKED = _action(
    "invitation.asked",
    gettext_lazy("Asked for a new invitation"),
    gettext_lazy("asked for a new invitation as %(role)s, in place of one of %(inviter)s"),
)
REFUSED = _action(
    "invitation.refused",
    gettext_lazy("Failed to accept an invitation"),
    gettext_lazy("could not accept the invitation of %(inviter)s as %(role)s: %(reason)s"),
    reason=label_in(Reason),
)
