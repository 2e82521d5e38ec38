"""The organizations of who asks."""

import uuid
from datetime import datetime

from django.db.models import QuerySet
from ninja import Schema

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from orgs.models import Membership, Organization
from orgs.policy import Permission, Principal, Role

yours = Endpoints("Organizations", outside=True)
one = Endpoints("Organizations")


class OrganizationOut(Schema):
    """``seats``: how many are bought, where seats are sold. ``role``: yours; a token of its own has none."""

    id: uuid.UUID
    slug: str
    name: str
    edition: str
    seats: int | None
    created_at: datetime
    role: Role | None
    permissions: list[Permission]


class OrganizationsOut(Schema):
    data: list[OrganizationOut]


@yours.get("/orgs", Needs(None), OrganizationsOut)
def organizations(request: ApiRequest) -> OrganizationsOut:
    """List your organizations: with a token the one that it is for."""
    if request.token is not None:
        principal = request.token.principal
        return OrganizationsOut(data=[_told(request.token.organization, principal)])
    return OrganizationsOut(
        data=[_told(found.organization, found) for found in _memberships(request.user.pk)]
    )


@one.get("", Needs(Permission.ORGANIZATION_VIEW), OrganizationOut)
def organization(request: ApiRequest) -> OrganizationOut:
    """Read an organization, and what you may do in it."""
    return _told(request.organization, request.principal)


def _memberships(person: uuid.UUID) -> QuerySet[Membership]:
    return Membership.objects.of_person(person).order_by("organization__name", "id")


def _told(organization: Organization, principal: Principal) -> OrganizationOut:
    return OrganizationOut(
        id=organization.pk,
        slug=organization.slug,
        name=organization.name,
        edition=organization.edition_code,
        seats=organization.seats,
        created_at=organization.created_at,
        role=Role(principal.role) if isinstance(principal, Membership) else None,
        permissions=sorted(principal.permissions),
    )
