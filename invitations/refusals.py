"""Why an invitation can't be accepted: a sentence for the invitee, and one for the people who invite."""

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orgs.errors import Refused


class Reason(TextChoices):
    """The label is what admins read beside the invitation."""

    USED = "used", _("It was used already.")
    REVOKED = "revoked", _("It was revoked.")
    DECLINED = "declined", _("It was declined.")
    EXPIRED = "expired", _("It has expired.")
    SUPERSEDED = "superseded", _("An older link was used. The latest one works.")
    INVITER = "inviter", _("The person who sent it may no longer invite.")
    OTHER_ADDRESS = "other_address", _("The account has another email address.")
    UNVERIFIED = "unverified", _("The account's email address isn't verified.")
    ALREADY_IN = "already_in", _("The person belongs to the organization already. Change the role instead.")
    NO_ROOM = "no_room", _("The edition had no place left.")
    EDITION = "edition", _("The new edition has no place for it.")


FOR_INVITEE: dict[Reason, Promise] = {
    Reason.USED: _("This invitation was used already. Ask an admin of %(organization)s for a new one."),
    Reason.REVOKED: _("This invitation was withdrawn. Ask an admin of %(organization)s for a new one."),
    Reason.DECLINED: _("This invitation was declined. Ask an admin of %(organization)s for a new one."),
    Reason.EXPIRED: _("This invitation has expired. Ask an admin of %(organization)s for a new one."),
    Reason.SUPERSEDED: _(
        "A newer link has replaced this one. Open the latest mail from %(organization)s, "
        "or ask an admin there for a new link."
    ),
    Reason.INVITER: _(
        "The person who invited you may no longer do so. Ask an admin of %(organization)s for a new one."
    ),
    Reason.OTHER_ADDRESS: _(
        "This invitation is for another email address. Sign in with the invited address, "
        "or ask an admin of %(organization)s to invite the address of this account."
    ),
    Reason.UNVERIFIED: _(
        "The invited mail address isn't verified on this account yet. "
        "Verify it in your account settings, then accept."
    ),
    Reason.ALREADY_IN: _(
        "You belong to %(organization)s already, and a person has one role. "
        "Ask an admin there to change your role instead."
    ),
    Reason.NO_ROOM: _(
        "%(organization)s has no place left on its edition. "
        "Ask an admin there to make room, then accept again."
    ),
    Reason.EDITION: _(
        "This invitation has ended: %(organization)s has another edition now, which has no place for it. "
        "Ask an admin there to make room and to invite you again."
    ),
}


def sentence_for_invitee(reason: Reason, organization_name: str) -> str:
    return str(FOR_INVITEE[reason]) % {"organization": organization_name}


class AcceptRefused(Refused):
    """The invitation wasn't accepted. ``reason`` is kept beside it; ``message`` is for the invitee."""

    def __init__(self, reason: Reason, organization_name: str) -> None:
        super().__init__(sentence_for_invitee(reason, organization_name))
        self.reason = reason
