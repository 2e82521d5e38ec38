"""Invitations and billing managers, by the verbs of the pages. An organization's token invites nobody.

Admins are invited on the page alone, which asks for the password.
"""

import uuid
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from ninja import Schema

import orgs.services
from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Cursor, Limit, cursor_of, key_in, page_of
from invitations import services
from invitations.models import Invitation, Kind, State
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Permission, Role, may
from orgs.rows import older_than

invitations = Endpoints("Invitations")
managers = Endpoints("Billing managers")


class InvitedRole(StrEnum):
    """Admins are invited on the members page, which asks for the password."""

    MEMBER = Role.MEMBER.value
    BILLING_MANAGER = Role.BILLING_MANAGER.value


class InvitationOut(Schema):
    """``email``: null of an invite link. ``expires_at``: null for never."""

    id: uuid.UUID
    kind: Kind
    role: Role
    state: State
    email: str | None
    invited_by: str
    sent_at: datetime
    expires_at: datetime | None


class InvitationsOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[InvitationOut]
    next: str | None


class InvitationIn(Schema):
    email: str
    role: InvitedRole


class ManagerOut(Schema):
    """``email``, ``joined_at``: only with the permission ``billing_managers.list_mails``."""

    id: uuid.UUID
    name: str
    email: str | None = None
    joined_at: datetime | None = None


class ManagersOut(Schema):
    data: list[ManagerOut]


@invitations.get("/invitations", Needs(Permission.BILLING_MANAGERS_INVITE), InvitationsOut)
def list_invitations(request: ApiRequest, cursor: Cursor = None, limit: Limit = ROWS) -> InvitationsOut:
    """List pending invitations, the latest first: all, or those that you sent, as the page shows them."""
    pending = Invitation.objects.visible_to(_person(request)).pending()
    rows = list(older_than(key_in(cursor), pending, time="sent_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.sent_at, row.pk))
    return InvitationsOut(data=[_told(request, invitation) for invitation in shown], next=following)


@invitations.post("/invitations", Needs(Permission.BILLING_MANAGERS_INVITE), InvitationOut, status=201)
def invite(request: ApiRequest, body: InvitationIn) -> InvitationOut:
    """Invite somebody by mail."""
    invitation = services.invite_by_mail(actor=_person(request), email=body.email, role=Role(body.role))
    return _told(request, invitation)


@invitations.post(
    "/invitations/{uuid:invitation_id}/resend", Needs(Permission.BILLING_MANAGERS_INVITE), InvitationOut
)
def resend_invitation(request: ApiRequest, invitation_id: uuid.UUID) -> InvitationOut:
    """Send the mail again, with a new link. The earlier link no longer works."""
    _ensure_no_admin(request, invitation_id)
    return _told(request, services.resend(actor=_person(request), invitation_id=invitation_id))


@invitations.post(
    "/invitations/{uuid:invitation_id}/revoke", Needs(Permission.BILLING_MANAGERS_INVITE), InvitationOut
)
def revoke_invitation(request: ApiRequest, invitation_id: uuid.UUID) -> InvitationOut:
    """Withdraw an invitation. Its link no longer works."""
    return _told(request, services.revoke(actor=_person(request), invitation_id=invitation_id))


@managers.get("/billing-managers", Needs(Permission.BILLING_MANAGERS_LIST_NAMES), ManagersOut)
def list_managers(request: ApiRequest) -> ManagersOut:
    """List the billing managers, the first to join first."""
    found = Membership.objects.for_org(request.organization).billing_managers().select_related("user")
    mailed = may(request.principal, Permission.BILLING_MANAGERS_LIST_MAILS)
    return ManagersOut(data=[_manager(one, mailed=mailed) for one in found.order_by("joined_at", "id")])


@managers.delete("/billing-managers/{uuid:manager_id}", Needs(Permission.BILLING_MANAGERS_REMOVE))
def remove_manager(request: ApiRequest, manager_id: uuid.UUID) -> None:
    """Remove a billing manager. They lose access at once, and get a mail."""
    # Of anybody else nothing is told, not even that they belong to the organization.
    manager = Membership.objects.for_org(request.organization).billing_managers().get(pk=manager_id)
    orgs.services.remove_member(actor=request.principal, membership_id=manager.pk, shown_role=manager.role)


def _person(request: ApiRequest) -> Membership:
    """The person who asks. A token of the organization has no right to invite: the gate refuses it before."""
    if not isinstance(request.principal, Membership):
        raise Denied(Permission.BILLING_MANAGERS_INVITE)
    return request.principal


def _ensure_no_admin(request: ApiRequest, invitation_id: uuid.UUID) -> None:
    invitation = Invitation.objects.visible_to(_person(request)).get(pk=invitation_id)
    if invitation.role == Role.ADMIN:
        raise Refused(
            _("An invitation of an admin is sent again on the members page, which asks for your password.")
        )


def _told(request: ApiRequest, invitation: Invitation) -> InvitationOut:
    return InvitationOut(
        id=invitation.pk,
        kind=Kind(invitation.kind),
        role=Role(invitation.role),
        state=State(invitation.state),
        email=invitation.email or None,
        invited_by=invitation.invited_by_name,
        sent_at=invitation.sent_at,
        expires_at=request.organization.invitation_expiry(invitation.sent_at),
    )


def _manager(found: Membership, *, mailed: bool) -> ManagerOut:
    told = ManagerOut(id=found.pk, name=found.user.name)
    if mailed:
        told.email, told.joined_at = found.user.email, found.joined_at
    return told
