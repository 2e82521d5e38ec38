"""Invitations that nobody has answered yet, as those who sent them see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from invitations.models import Invitation, Kind
from invitations.refusals import Reason
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from orgs.rows import fetch_rows
from outbox.models import State as MailState

PENDING_SHOWN = 100
# By whom it may be seen: as Invitation.objects.visible_to. The mail's key: as mail_key makes it.
PENDING = """
    SELECT i.id::text, i.generation, i.kind, i.role, i.email, i.invited_by_name, i.sent_at, i.last_error,
           i.last_error_by, i.last_error_at, m.state AS mail_state, count(*) OVER () AS total
    FROM invitations_invitation i
    LEFT JOIN outbox_outgoingemail m ON m.dedupe_key = 'invitation_sent:' || i.id || ':' || i.generation
    WHERE i.organization_id = %(organization)s AND i.state = 'pending'
      AND (i.role = 'billing_manager') = %(for_managers)s
      AND (%(sees_all)s OR i.invited_by_id = %(reader)s)
    ORDER BY i.sent_at DESC, i.id DESC
    LIMIT %(most)s
"""


def reserved_places(organization: Organization, role: Role) -> int:
    """How many places for that kind of role pending invitations hold."""
    return Invitation.objects.live(organization).for_role(role).count()


class InvitationRow(NamedTuple):
    id: str
    generation: int
    kind: str
    role: str
    email: str
    invited_by_name: str
    sent_at: datetime
    last_error: str
    last_error_by: str
    last_error_at: datetime | None
    mail_state: str | None
    total: int


@dataclass(frozen=True)
class PendingInvitation:
    """A row of those who have not answered. ``expires_at``: None for never, or where that has passed.
    ``error``: why somebody, ``error_by``, last failed to accept.
    """

    id: str
    generation: int
    by_mail: bool
    addressee: str
    role: Role
    inviter: str
    sent_at: datetime
    expired: bool
    expires_at: datetime | None
    mail_failed: bool
    error: str
    error_by: str
    error_at: datetime | None
    may_copy: bool
    menu_label: str


@dataclass(frozen=True)
class PendingInvitations:
    """The latest of them; ``total``: how many there are."""

    shown: list[PendingInvitation]
    total: int


NONE_PENDING = PendingInvitations([], 0)


def pending_invitations(membership: Membership, role: Role) -> PendingInvitations:
    """The pending invitations for that kind of role that the membership may see, in one statement."""
    rows = fetch_rows(
        InvitationRow,
        PENDING,
        organization=membership.organization_id,
        for_managers=role is Role.BILLING_MANAGER,
        sees_all=may(membership, Permission.BILLING_MANAGERS_LIST_MAILS),
        reader=membership.user_id,
        most=PENDING_SHOWN,
    )
    sees_people = may(membership, Permission.MEMBERS_LIST)
    return PendingInvitations(
        shown=[_pending_row(row, membership.organization, sees_people=sees_people) for row in rows],
        total=rows[0].total if rows else 0,
    )


def _pending_row(row: InvitationRow, organization: Organization, *, sees_people: bool) -> PendingInvitation:
    """What a billing manager reads about why it failed must not tell who belongs to the organization."""
    expired = organization.outlives_invitation(row.sent_at)
    reason = Reason(row.last_error) if row.last_error else None
    return PendingInvitation(
        id=row.id,
        generation=row.generation,
        by_mail=row.kind == Kind.MAIL,
        addressee=row.email,
        role=Role(row.role),
        inviter=row.invited_by_name,
        sent_at=row.sent_at,
        expired=expired,
        expires_at=None if expired else organization.invitation_expiry(row.sent_at),
        mail_failed=row.mail_state == MailState.FAILED,
        error=str(reason.label) if reason and (sees_people or reason is not Reason.ALREADY_IN) else "",
        error_by=row.last_error_by if sees_people else "",
        error_at=row.last_error_at,
        may_copy=not expired,
        menu_label=_menu_label(row.email),
    )


def _menu_label(address: str) -> str:
    if not address:
        return _("Actions for this invite link")
    return _("Actions for the invitation of %(address)s") % {"address": address}
