"""Invitations that nobody has answered yet, as those who sent them see them."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Func, OuterRef, Subquery, TextField
from django.utils.translation import gettext as _

from invitations.models import Invitation, Kind
from invitations.refusals import Reason
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from outbox.models import OutgoingEmail
from outbox.models import State as MailState

PENDING_SHOWN = 100
SHOWN = (
    "kind",
    "role",
    "email",
    "invited_by_name",
    "sent_at",
    "last_error",
    "last_error_by",
    "last_error_at",
)


def reserved_places(organization: Organization, role: Role) -> int:
    """How many places for that kind of role pending invitations hold."""
    return Invitation.objects.live(organization).for_role(role).count()


@dataclass(frozen=True)
class PendingInvitation:
    """A row of those who have not answered. ``error``: why somebody, ``error_by``, last failed to accept."""

    id: uuid.UUID
    by_mail: bool
    addressee: str
    role: Role
    inviter: str
    sent_at: datetime
    expired: bool
    mail_failed: bool
    error: str
    error_by: str
    error_at: datetime | None
    may_copy: bool
    menu_label: str


class MailKey(Func):
    """The dedupe key of an invitation's mail, as ``mail_key`` makes it, from id and generation."""

    template = "'invitation_sent:' || %(expressions)s"
    arg_joiner = " || ':' || "
    output_field = TextField()


def pending_invitations(membership: Membership, role: Role) -> list[PendingInvitation]:
    """The pending invitations for that kind of role that the membership may see, in one statement."""
    mail = OutgoingEmail.objects.filter(dedupe_key=MailKey(OuterRef("id"), OuterRef("generation")))
    rows = (
        Invitation.objects.visible_to(membership)
        .pending()
        .for_role(role)
        .annotate(mail_state=Subquery(mail.order_by().values("state")))
        .only(*SHOWN)
        .order_by("-sent_at", "-id")[:PENDING_SHOWN]
    )
    pending = []
    for invitation in rows:
        invitation.organization = membership.organization
        pending.append(_pending_row(membership, invitation))
    return pending


def _pending_row(membership: Membership, invitation: Invitation) -> PendingInvitation:
    """What a billing manager reads about why it failed must not tell who belongs to the organization."""
    sees_people = may(membership, Permission.MEMBERS_LIST)
    overdue = invitation.is_overdue
    reason = Reason(invitation.last_error) if invitation.last_error else None
    return PendingInvitation(
        id=invitation.pk,
        by_mail=invitation.kind == Kind.MAIL,
        addressee=invitation.email,
        role=Role(invitation.role),
        inviter=invitation.invited_by_name,
        sent_at=invitation.sent_at,
        expired=overdue,
        mail_failed=getattr(invitation, "mail_state", None) == MailState.FAILED,
        error=str(reason.label) if reason and (sees_people or reason is not Reason.ALREADY_IN) else "",
        error_by=invitation.last_error_by if sees_people else "",
        error_at=invitation.last_error_at,
        may_copy=not overdue,
        menu_label=_menu_label(invitation),
    )


def _menu_label(invitation: Invitation) -> str:
    if not invitation.email:
        return _("Actions for this invite link")
    return _("Actions for the invitation of %(address)s") % {"address": invitation.email}
