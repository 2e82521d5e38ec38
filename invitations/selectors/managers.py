"""The billing managers' part of *Billing & usage*."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from invitations.selectors.pending import NONE_PENDING, PendingInvitations, pending_invitations
from orgs.capacity import full_sentence, limit_for
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may, may_invite
from orgs.rows import fetch_rows

# One row at least, with nobody in it: the count of reserved places comes with every row. Which invitations
# reserve one: as Invitation.objects.live.
MANAGERS = """
    SELECT manager.membership_id, manager.joined_at, manager.name, manager.email, pending.reserved
    FROM (
        SELECT count(*) AS reserved FROM invitations_invitation
        WHERE organization_id = %(organization)s AND state = 'pending' AND role = 'billing_manager'
          AND sent_at > %(oldest)s
    ) pending
    LEFT JOIN (
        SELECT m.id::text AS membership_id, m.joined_at, u.name, u.email
        FROM orgs_membership m JOIN accounts_user u ON u.id = m.user_id
        WHERE m.organization_id = %(organization)s AND m.role = 'billing_manager'
    ) manager ON true
    ORDER BY manager.joined_at, manager.membership_id
"""


class ManagerRow(NamedTuple):
    membership_id: str | None
    joined_at: datetime
    name: str
    email: str
    reserved: int


@dataclass(frozen=True)
class Manager:
    """A billing manager's row. ``email``, ``joined_at``: "" and None for those who may not see them."""

    membership_id: str
    name: str
    email: str
    joined_at: datetime | None
    removable: bool
    menu_label: str


@dataclass(frozen=True)
class BillingManagersPanel:
    """``limit``: how many the edition allows, None for any number; ``taken``: the places that are.

    Pending invitations hold places for those who may invite. ``full``: why nobody can be invited, or "".
    ``waiting_link``: the reader has an invite link that nobody used yet, which can be copied again.
    """

    managers: list[Manager]
    pending: PendingInvitations
    limit: int | None
    taken: int
    full: str
    waiting_link: bool
    sees_mails: bool
    may_invite: bool
    may_link: bool
    may_remove: bool


def billing_managers_panel(membership: Membership) -> BillingManagersPanel:
    """The billing managers and their pending invitations, as far as seed 001 shows them; two statements."""
    sees_mails = may(membership, Permission.BILLING_MANAGERS_LIST_MAILS)
    removes = may(membership, Permission.BILLING_MANAGERS_REMOVE)
    invites = may_invite(membership, Role.BILLING_MANAGER)
    organization = membership.organization
    rows = fetch_rows(
        ManagerRow,
        MANAGERS,
        organization=organization.pk,
        oldest=_oldest_that_holds_a_place(organization),
    )
    managers = [
        Manager(
            membership_id=person.membership_id,
            name=person.name,
            email=person.email if sees_mails else "",
            joined_at=person.joined_at if sees_mails else None,
            removable=removes and person.membership_id != str(membership.pk),
            menu_label=_("Actions for %(name)s") % {"name": person.name},
        )
        for person in rows
        if person.membership_id
    ]
    pending = pending_invitations(membership, Role.BILLING_MANAGER) if invites else NONE_PENDING
    taken = len(managers) + (rows[0].reserved if invites else 0)
    limit = limit_for(organization, Role.BILLING_MANAGER)
    full = invites and limit is not None and taken >= limit
    return BillingManagersPanel(
        managers=managers,
        pending=pending,
        limit=limit,
        taken=taken,
        full=full_sentence(organization, Role.BILLING_MANAGER, limit) if full and limit is not None else "",
        waiting_link=any(not invitation.by_mail and invitation.may_copy for invitation in pending.shown),
        sees_mails=sees_mails,
        may_invite=invites,
        may_link=invites and may(membership, Permission.BILLING_MANAGERS_LINK),
        may_remove=removes,
    )


def _oldest_that_holds_a_place(organization: Organization) -> datetime:
    days = organization.invitation_max_age_days
    return datetime.min.replace(tzinfo=UTC) if days is None else timezone.now() - timedelta(days=days)
