"""The billing managers' part of *Billing & usage*."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from invitations.selectors.pending import NONE_PENDING, PendingInvitations, pending_invitations
from invitations.services.sending import may_invite
from orgs.capacity import limit_for
from orgs.models import Membership
from orgs.policy import Permission, Role, can_manage, may
from orgs.rows import fetch_rows

MANAGERS = """
    SELECT m.id::text AS membership_id, m.joined_at, u.name, u.email
    FROM orgs_membership m JOIN orgs_user u ON u.id = m.user_id
    WHERE m.organization_id = %(organization)s AND m.role = 'billing_manager'
    ORDER BY m.joined_at, m.id
"""


class ManagerRow(NamedTuple):
    membership_id: str
    joined_at: datetime
    name: str
    email: str


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
    """``limit``: how many the edition allows, None for any number; ``taken``: how many there are."""

    managers: list[Manager]
    pending: PendingInvitations
    limit: int | None
    taken: int
    sees_mails: bool
    may_invite: bool
    may_link: bool
    may_remove: bool


def billing_managers_panel(membership: Membership) -> BillingManagersPanel:
    """The billing managers and their pending invitations, as far as seed 001 shows them; two statements."""
    sees_mails = may(membership, Permission.BILLING_MANAGERS_LIST_MAILS)
    removes = may(membership, Permission.BILLING_MANAGERS_REMOVE) and can_manage(
        membership, Role.BILLING_MANAGER
    )
    invites = may_invite(membership, Role.BILLING_MANAGER)
    people = fetch_rows(ManagerRow, MANAGERS, organization=membership.organization_id)
    managers = [
        Manager(
            membership_id=person.membership_id,
            name=person.name,
            email=person.email if sees_mails else "",
            joined_at=person.joined_at if sees_mails else None,
            removable=removes and person.membership_id != str(membership.pk),
            menu_label=_("Actions for %(name)s") % {"name": person.name},
        )
        for person in people
    ]
    return BillingManagersPanel(
        managers=managers,
        pending=pending_invitations(membership, Role.BILLING_MANAGER) if invites else NONE_PENDING,
        limit=limit_for(membership.organization, Role.BILLING_MANAGER),
        taken=len(managers),
        sees_mails=sees_mails,
        may_invite=invites,
        may_link=invites and may(membership, Permission.BILLING_MANAGERS_LINK),
        may_remove=removes,
    )
