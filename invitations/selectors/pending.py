"""Invitations that nobody has answered yet, or that are asked for anew, as those who invite see them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Window
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invitations.actions import addressee
from invitations.models import Invitation, InvitationQuerySet, Kind, State, sees_all
from invitations.refusals import Reason
from invitations.selectors.ways import change_of_role
from orgs.acting import OrganizationPrincipal
from orgs.compiled import compiled
from orgs.dates import day
from orgs.endings import counted_among_endings
from orgs.last_days import is_past
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from outbox.models import State as MailState

PENDING_SHOWN = 100


def reserved_places(organization: Organization, role: Role) -> int:
    """How many places for that kind of role pending invitations hold."""
    return Invitation.objects.live(organization).for_role(role).count()


def delegated_invitations(organization: Organization) -> list[str]:
    """Whom the pending invitations are for that end when billing managers may no longer send any."""
    if not organization.managers_manage_managers:
        return []
    return [
        addressee(email)
        for email in Invitation.objects.delegated(organization)
        .order_by("sent_at", "id")
        .values_list("email", flat=True)
    ]


@counted_among_endings(
    lambda count: ngettext("%(count)s pending invitation", "%(count)s pending invitations", count)
)
def ended_invitations(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> InvitationQuerySet:
    """What ends with the memberships of those who sent it: see ``orgs.endings``."""
    senders = [person.user_id for person in leaving]
    pending = Invitation.objects.for_org(actor.organization_id).pending()
    return pending.filter(invited_by__in=senders)


class InvitationRow(NamedTuple):
    id: uuid.UUID
    generation: int
    kind: str
    role: str
    email: str
    state: str
    asked_at: datetime | None
    asked_for: str
    invited_by_name: str
    sent_at: datetime
    last_day: date | None
    last_error: str
    last_error_by: str
    last_error_at: datetime | None
    mail_state: str | None
    belongs: uuid.UUID | None
    total: int


@compiled(InvitationRow)
def _pending(organization: uuid.UUID, role: Role) -> QuerySet[Invitation, Any]:
    return _latest_pending(Invitation.objects.for_org(organization).for_role(role))


@compiled(InvitationRow)
def _pending_by(organization: uuid.UUID, sender: uuid.UUID) -> QuerySet[Invitation, Any]:
    return _latest_pending(Invitation.objects.for_org(organization).to_managers_by(sender))


def _latest_pending(invitations: InvitationQuerySet) -> QuerySet[Invitation, Any]:
    latest = invitations.listed().with_mail_state().with_conflict().order_by("-sent_at", "-id")
    rows = latest.annotate(total=Window(Count("*"))).values_list(*InvitationRow._fields)
    return rows[:PENDING_SHOWN]


class InvitationMenu(NamedTuple):
    """What may be done with an invitation of one kind, and the ``generation`` that it is done to.

    ``may_send_new``: to the address that asks for one, in place of a dead invitation.
    """

    by_mail: bool
    may_resend: bool
    may_send_new: bool
    may_copy: bool
    may_revoke: bool
    generation: int

    @property
    def offers(self) -> bool:
        return self.may_resend or self.may_send_new or self.may_copy or self.may_revoke


@dataclass(frozen=True)
class PendingInvitation:
    """A row of those who have not answered. ``ended``: how, of a dead one; ``asked_for``: the address that
    asks for a new one. ``expires_at``: None for never, or where that has passed. ``last_day``: in UTC, of a
    billing manager for a time, else "". ``error``: why somebody, ``error_by``, last failed to accept;
    ``change_role_url``: the way to give them the role all the same, "" where there is none.
    """

    id: str
    menu: InvitationMenu
    addressee: str
    role: Role
    inviter: str
    sent_at: datetime
    last_day: str
    expired: bool
    expires_at: datetime | None
    ended: str
    asked_for: str
    asked_at: datetime | None
    mail_failed: bool
    error: str
    error_by: str
    error_at: datetime | None
    change_role_url: str
    menu_label: str


@dataclass(frozen=True)
class PendingInvitations:
    """The latest of them; ``total``: how many there are."""

    shown: list[PendingInvitation]
    total: int


NONE_PENDING = PendingInvitations([], 0)


def pending_invitations(membership: Membership, role: Role, *, joinable: bool = True) -> PendingInvitations:
    """The pending invitations for that kind of role that the membership may see, in one statement.

    ``joinable``: a place is left. While people take them all, no link is sent or copied that leads nowhere.
    """
    if sees_all(membership):
        rows = _pending(membership.organization_id, role)
    elif role.is_billing_manager:
        rows = _pending_by(membership.organization_id, membership.user_id)
    else:
        rows = []
    return PendingInvitations(
        shown=[_pending_row(row, membership, joinable=joinable) for row in rows],
        total=rows[0].total if rows else 0,
    )


def _pending_row(row: InvitationRow, reader: Membership, *, joinable: bool) -> PendingInvitation:
    """Why it failed must not tell a billing manager who belongs to the organization."""
    organization = reader.organization
    sees_people = may(reader, Permission.MEMBERS_LIST)
    changes_roles = may(reader, Permission.MEMBERS_CHANGE_ROLE)
    expired = is_past(row.last_day) or organization.outlives_invitation(row.sent_at)
    reason = Reason(row.last_error) if row.last_error else None
    by_mail, pending = row.kind == Kind.MAIL, row.state == State.PENDING
    sends_new = bool(row.asked_for) and (not pending or not by_mail)
    return PendingInvitation(
        id=str(row.id),
        menu=InvitationMenu(
            by_mail=by_mail,
            may_resend=by_mail and pending and joinable and not is_past(row.last_day),
            may_send_new=sends_new and joinable and not is_past(row.last_day),
            may_copy=pending and joinable and not expired,
            may_revoke=pending,
            generation=row.generation,
        ),
        addressee=row.email,
        role=Role(row.role),
        inviter=row.invited_by_name,
        sent_at=row.sent_at,
        last_day=day(row.last_day),
        expired=pending and expired,
        ended="" if pending else str(State(row.state).label),
        asked_for=row.asked_for,
        asked_at=row.asked_at,
        expires_at=None if expired or not pending else organization.invitation_expiry(row.sent_at),
        mail_failed=row.mail_state == MailState.FAILED,
        error=str(reason.label) if reason and (sees_people or reason is not Reason.ALREADY_IN) else "",
        error_by=row.last_error_by if sees_people else "",
        error_at=row.last_error_at,
        change_role_url=(
            change_of_role(organization.slug, row.belongs, Role(row.role))
            if changes_roles and row.belongs and reason is Reason.ALREADY_IN
            else ""
        ),
        menu_label=_menu_label(row.email),
    )


def _menu_label(address: str) -> str:
    if not address:
        return _("Actions for this invite link")
    return _("Actions for the invitation of %(address)s") % {"address": address}
