"""The members of an organization. Without the permission to see them they have no name and no mail."""

import uuid
from datetime import datetime

from ninja import Schema

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Cursor, Limit, cursor_of, key_in, page_of
from orgs.models import Membership
from orgs.policy import Permission, Role, may
from orgs.rows import older_than

endpoints = Endpoints("Members")


class MemberOut(Schema):
    """``user_id``, ``name``, ``email``: only with the permission ``members.list``."""

    id: uuid.UUID
    role: Role
    joined_at: datetime
    user_id: uuid.UUID | None = None
    name: str | None = None
    email: str | None = None


class MembersOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[MemberOut]
    next: str | None


@endpoints.get("/members", Needs(Permission.MEMBERS_API_LIST), MembersOut)
def members(request: ApiRequest, cursor: Cursor = None, limit: Limit = ROWS) -> MembersOut:
    """List admins and members, latest first. Billing managers have a list of their own."""
    people = Membership.objects.for_org(request.organization).members().select_related("user")
    rows = list(older_than(key_in(cursor), people, time="joined_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.joined_at, row.pk))
    named = may(request.principal, Permission.MEMBERS_LIST)
    return MembersOut(data=[_told(person, named=named) for person in shown], next=following)


def _told(person: Membership, *, named: bool) -> MemberOut:
    told = MemberOut(id=person.pk, role=Role(person.role), joined_at=person.joined_at)
    if named:
        told.user_id, told.name, told.email = person.user_id, person.user.name, person.user.email
    return told
