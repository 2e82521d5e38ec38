"""What people ask to be allowed to do, as admins see it on the members page."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orgs.compiled import compiled
from orgs.models import AccessRequest, Membership
from orgs.policy import GRANTS, Permission, Role, granting_roles, may, permissions_of

REQUESTS_SHOWN = 50


class RequestRow(NamedTuple):
    permission: str
    asked_at: datetime
    membership: uuid.UUID
    role: str
    name: str


@compiled(RequestRow)
def _requests(organization: uuid.UUID) -> QuerySet[AccessRequest, Any]:
    rows = AccessRequest.objects.for_org(organization).order_by("asked_at", "id")
    return rows.values_list(
        "permission", "asked_at", "membership", "membership__role", "membership__user__name"
    )[:REQUESTS_SHOWN]


@dataclass(frozen=True)
class OpenRequest:
    """``role``: the one that they have; ``gives``: the one that grants what they ask, by its button."""

    membership_id: str
    permission: Permission
    name: str
    asks: str
    asked_at: datetime
    role: Role
    gives: Role
    grant: str


def open_requests(reader: Membership) -> list[OpenRequest]:
    """The requests that the reader may answer, oldest first, in one statement."""
    if not may(reader, Permission.MEMBERS_CHANGE_ROLE):
        return []
    delegated = reader.organization.managers_manage_managers
    return [
        _open(row, Permission(row.permission), Role(row.role))
        for row in _requests(reader.organization_id)
        if row.permission in Permission
        and row.permission not in permissions_of(Role(row.role), delegated=delegated)
    ]


def _open(row: RequestRow, permission: Permission, role: Role) -> OpenRequest:
    # What they ask for, and as little else as any role has.
    gives = min(granting_roles(permission), key=lambda granting: len(GRANTS[granting]))
    return OpenRequest(
        membership_id=str(row.membership),
        permission=permission,
        name=row.name,
        asks=str(permission.label),
        asked_at=row.asked_at,
        role=role,
        gives=gives,
        grant=_("Make %(name)s %(role)s") % {"name": row.name, "role": gives.in_sentence},
    )
