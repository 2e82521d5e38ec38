"""The billing managers' part of *Billing & usage*."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import IntegerField, QuerySet, Value
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from invitations.models import Invitation, oldest_live
from invitations.selectors.pending import NONE_PENDING, PendingInvitations, pending_invitations
from invitations.selectors.role_changes import RoleChange, role_changes
from orgs.capacity import full_sentence, limit_for, over_limit_sentence
from orgs.compiled import compiled
from orgs.dates import day
from orgs.models import Membership, Organization
from orgs.policy import BILLING_MANAGERS, Permission, Role, may, may_invite
from orgs.rows import Key, beyond, count_of, key_in_text, key_text

# One panel among others: as many as stand on it beside the rest of the page.
MANAGERS_PER_PAGE = 10
BY_JOINING = ("joined_at", "id")
EARLIER_THAN_ALL: Key = (datetime.min.replace(tzinfo=UTC), uuid.UUID(int=0))


class ManagersRow(NamedTuple):
    """``managers``: one more than are shown, as JSON has them."""

    total: int
    reserved: int
    members: int
    seats_reserved: int
    managers: list[dict[str, Any]]


class ManagerRow(NamedTuple):
    id: str
    role: Role
    joined_at: datetime
    last_day: date | None
    name: str
    email: str


@compiled(ManagersRow)
def _managers_with_counts(
    organization: uuid.UUID, oldest: datetime, at: datetime, pk: uuid.UUID, per_seat: bool
) -> QuerySet[Organization, Any]:
    """Those after a key, the counts of all and of the places that invitations reserve.

    ``per_seat``: count the seats as well, which members take and their invitations reserve.
    """
    memberships = Membership.objects.for_org(organization)
    pending = Invitation.objects.for_org(organization).pending_since(oldest)
    uncounted = Value(0, output_field=IntegerField())
    managers = memberships.billing_managers()
    after = managers.filter(beyond((at, pk), BY_JOINING)).order_by(*BY_JOINING)
    told = JSONObject(
        id="id",
        role="role",
        joined_at="joined_at",
        last_day="last_day",
        name="user__name",
        email="user__email",
    )
    return (
        Organization.objects.filter(pk=organization)
        .annotate(
            total=count_of(managers),
            reserved=count_of(pending.for_role(Role.BILLING_MANAGER)),
            members=count_of(memberships.members()) if per_seat else uncounted,
            seats_reserved=count_of(pending.for_role(Role.MEMBER)) if per_seat else uncounted,
            managers=ArraySubquery(after.values(one=told)[: MANAGERS_PER_PAGE + 1]),
        )
        .values_list(*ManagersRow._fields)
    )


def _manager(told: dict[str, Any]) -> ManagerRow:
    return ManagerRow(
        **told
        | {
            "role": Role(told["role"]),
            "joined_at": datetime.fromisoformat(told["joined_at"]),
            "last_day": told["last_day"] and date.fromisoformat(told["last_day"]),
        }
    )


@dataclass(frozen=True)
class Manager:
    """A billing manager's row. ``email``, ``joined_at``: "" and None for those who may not see them.

    ``view_only``: told to the same readers. ``last_day``: told to the person too, in UTC, "" for good.
    ``changes``: what the reader may make of them.
    """

    membership_id: str
    name: str
    email: str
    joined_at: datetime | None
    view_only: bool
    last_day: str
    changes: tuple[RoleChange, ...]
    removable: bool
    menu_label: str


@dataclass(frozen=True)
class BillingManagersPanel:
    """``managers``: a part of all ``total``, first those who joined first; ``later``: the key after which the
    next part begins, "" at the end; ``is_first``: none before them are left out.

    ``limit``: how many the edition allows, None for any number; ``taken``: the places that are.
    Pending invitations hold places for those who may invite. ``over_limit``: what to do about managers beyond
    the limit, or "" while they fit. ``full``: why nobody can be invited though they fit, or "".
    ``waiting_link``: the reader has an invite link that nobody used yet, which can be copied again.
    ``seats_taken``, ``seats_reserved``: by members and their invitations, where seats are sold, else 0.
    """

    managers: list[Manager]
    total: int
    later: str
    is_first: bool
    pending: PendingInvitations
    limit: int | None
    taken: int
    over_limit: str
    full: str
    waiting_link: bool
    sees_mails: bool
    may_invite: bool
    may_link: bool
    may_remove: bool
    seats_taken: int
    seats_reserved: int


def billing_managers_panel(membership: Membership, *, after: str = "") -> BillingManagersPanel:
    """The billing managers and their pending invitations, as far as the reader sees them; two statements.

    ``after``: the key of a part; what isn't one, or has nobody after it, shows the first.
    """
    sees_mails = may(membership, Permission.BILLING_MANAGERS_LIST_MAILS)
    removes = may(membership, Permission.BILLING_MANAGERS_REMOVE)
    invites = may_invite(membership, Role.BILLING_MANAGER)
    organization = membership.organization
    key = key_in_text(after) or EARLIER_THAN_ALL
    (row,) = _managers_with_counts(
        organization.pk, oldest_live(organization), *key, organization.edition.per_seat
    )
    found = [_manager(told) for told in row.managers]
    if not found and key != EARLIER_THAN_ALL:
        return billing_managers_panel(membership)
    total = row.total
    changes = {role: role_changes(membership, role) for role in BILLING_MANAGERS}
    managers = [
        Manager(
            membership_id=person.id,
            name=person.name,
            email=person.email if sees_mails else "",
            joined_at=person.joined_at if sees_mails else None,
            view_only=sees_mails and person.role is Role.BILLING_VIEWER,
            last_day=day(person.last_day) if sees_mails or person.id == str(membership.pk) else "",
            changes=changes[person.role],
            removable=removes and person.id != str(membership.pk),
            menu_label=_("Actions for %(name)s") % {"name": person.name},
        )
        for person in found[:MANAGERS_PER_PAGE]
    ]
    limit = limit_for(organization, Role.BILLING_MANAGER)
    joinable = limit is None or total < limit
    pending = (
        pending_invitations(membership, Role.BILLING_MANAGER, joinable=joinable) if invites else NONE_PENDING
    )
    taken = total + (row.reserved if invites else 0)
    over = over_limit_sentence(membership, Role.BILLING_MANAGER, taken=total)
    full = invites and not over and limit is not None and taken >= limit
    return BillingManagersPanel(
        managers=managers,
        total=total,
        later=key_text(_key(found[MANAGERS_PER_PAGE - 1])) if len(found) > MANAGERS_PER_PAGE else "",
        is_first=key == EARLIER_THAN_ALL,
        pending=pending,
        limit=limit,
        taken=taken,
        over_limit=over,
        full=full_sentence(organization, Role.BILLING_MANAGER, limit) if full and limit is not None else "",
        waiting_link=any(
            invitation.role is Role.BILLING_MANAGER
            and not invitation.last_day
            and not invitation.menu.by_mail
            and invitation.menu.may_copy
            for invitation in pending.shown
        ),
        sees_mails=sees_mails,
        may_invite=invites,
        may_link=invites and may(membership, Permission.BILLING_MANAGERS_LINK),
        may_remove=removes,
        seats_taken=row.members,
        seats_reserved=row.seats_reserved,
    )


def _key(manager: ManagerRow) -> Key:
    return manager.joined_at, uuid.UUID(manager.id)
