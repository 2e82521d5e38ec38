"""Provisioning: the product beside the portal creates its customers' organizations and brings people in.

It says who may come, and in which edition an organization begins. What is paid is changed by nothing here.
"""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from ninja import Field, Schema
from ninja.params.functions import Path
from pydantic import AfterValidator, StringConstraints

from accounts.validators import validate_display_name
from api.endpoints import Endpoints
from api.gate import ApiRequest, HostNeeds
from api.paging import ROWS, Cursor, Limit, cursor_of, key_in, page_of
from invitations import services
from orgs.editions import EDITIONS, STARTING_EDITION, UnknownEditionError, edition_of
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import INVITE_PERMISSIONS, Permission, Role, ensure
from orgs.rows import older_than
from orgs.services import change_role, link_organization, rename_organization
from tokens.models import Host

endpoints = Endpoints("Provisioning", outside=True)

AT_ONCE = 100
EXTERNAL_ID = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"


def _display_name(name: str) -> str:
    try:
        validate_display_name(name)
    except ValidationError as error:
        raise ValueError(str(error.message)) from None
    return name


def _edition_in_effect(code: str) -> str:
    try:
        return edition_of(code, on=timezone.now().date()).code
    except UnknownEditionError:
        known = ", ".join(dict.fromkeys(edition.code for edition in EDITIONS))
        raise ValueError(f"The editions are {known}.") from None


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80),
    AfterValidator(_display_name),
]
# What is answered as it was sent, so what Postgres can keep: see ``api.idempotency``.
Storable = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
ExternalId = Annotated[str, Path(pattern=EXTERNAL_ID, description="What the product calls the organization.")]


class AdminIn(Schema):
    email: str


class NewOrganizationIn(Schema):
    """``admin``: who is invited by mail to run it. ``edition``: in which it begins."""

    external_id: Annotated[str, Field(pattern=EXTERNAL_ID)]
    name: Name
    edition: Annotated[str, AfterValidator(_edition_in_effect)] = STARTING_EDITION
    admin: AdminIn


class NameIn(Schema):
    name: Name


class PersonIn(Schema):
    email: Storable
    role: Role


class LinkIn(Schema):
    """``id``: of an organization that a person created."""

    id: uuid.UUID


class AddressIn(Schema):
    email: Storable


class ResentOut(Schema):
    """``sent_at``: when the mail was sent last."""

    email: str
    role: Role
    sent_at: datetime


class RoleOut(Schema):
    """``role``: the person's from now on."""

    email: str
    role: Role


class PeopleIn(Schema):
    people: Annotated[list[PersonIn], Field(min_length=1, max_length=AT_ONCE)]


class ProvisionedOut(Schema):
    """``external_id``: null where a person created it. ``has_admin``: false while it waits for its first.

    ``closes_after``: the last day, in UTC, on which its closing can be undone; null: it stays. ``closed_at``:
    since when it belongs to nobody.
    """

    id: uuid.UUID
    external_id: str | None
    slug: str
    name: str
    edition: str
    created_at: datetime
    has_admin: bool
    closes_after: date | None
    closed_at: datetime | None


class NewOrganizationOut(ProvisionedOut):
    """``created``: false where the same request came before; then it is told as it is now."""

    created: bool


class AllOrganizationsOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[ProvisionedOut]
    next: str | None


class PersonOutcome(StrEnum):
    INVITED = services.Brought.INVITED.value
    WAITING = services.Brought.WAITING.value
    BELONGS = services.Brought.BELONGS.value
    REFUSED = "refused"


class PersonOut(Schema):
    """``outcome``: invited just now; waiting, invited before; belongs to it already, in that role; refused,
    for the reason in ``detail``.
    """

    email: str
    role: Role
    outcome: PersonOutcome
    detail: str | None = None


class PeopleOut(Schema):
    data: list[PersonOut]


@endpoints.get("/provisioning/organizations", HostNeeds(Permission.ORGANIZATIONS_LIST), AllOrganizationsOut)
def provisioning_list(
    request: ApiRequest,  # noqa: ARG001 - the gate's
    cursor: Cursor = None,
    limit: Limit = ROWS,
) -> AllOrganizationsOut:
    """List all organizations, latest first: those that people created, too."""
    found = Organization.objects.with_admin_known()
    rows = list(older_than(key_in(cursor), found, time="created_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.created_at, row.pk))
    return AllOrganizationsOut(data=[ProvisionedOut(**_told(row)) for row in shown], next=following)


@endpoints.get(
    "/provisioning/organizations/{external_id}", HostNeeds(Permission.ORGANIZATIONS_LIST), ProvisionedOut
)
def provisioning_read(request: ApiRequest, external_id: ExternalId) -> ProvisionedOut:  # noqa: ARG001 - as above
    """Look up an organization by the product's own id."""
    return ProvisionedOut(**_told(_organization(external_id)))


@endpoints.post(
    "/provisioning/organizations",
    HostNeeds(Permission.ORGANIZATIONS_CREATE),
    NewOrganizationOut,
    status=201,
)
def provisioning_create(request: ApiRequest, body: NewOrganizationIn) -> NewOrganizationOut:
    """Create an organization, and invite its first admin by mail. It waits until they accept.

    Sent again for the same external id and admin, it creates nothing.
    """
    _made, created = services.provision(
        token=request.host,
        external_id=body.external_id,
        name=body.name,
        edition_code=body.edition,
        admin=body.admin.email,
    )
    return NewOrganizationOut(**_told(_organization(body.external_id)), created=created)


@endpoints.post(
    "/provisioning/organizations/{external_id}/rename",
    HostNeeds(Permission.ORGANIZATIONS_RENAME),
    ProvisionedOut,
)
def provisioning_rename(request: ApiRequest, external_id: ExternalId, body: NameIn) -> ProvisionedOut:
    """Rename an organization. Its address stays."""
    rename_organization(actor=_host_in(request, external_id), name=body.name)
    return ProvisionedOut(**_told(_organization(external_id)))


@endpoints.post(
    "/provisioning/organizations/{external_id}/people", HostNeeds(Permission.MEMBERS_INVITE), PeopleOut
)
def provisioning_people(request: ApiRequest, external_id: ExternalId, body: PeopleIn) -> PeopleOut:
    """Invite people by mail, each unless they are there or invited already; one refused keeps back no other.

    Nobody gets an account or a role without accepting, and nobody's role is changed.
    """
    host = _host_in(request, external_id)
    for role in {person.role for person in body.people}:
        ensure(host, INVITE_PERMISSIONS[role])
    return PeopleOut(data=[_brought(host, person) for person in body.people])


@endpoints.put(
    "/provisioning/organizations/{external_id}", HostNeeds(Permission.ORGANIZATIONS_LINK), ProvisionedOut
)
def provisioning_link(request: ApiRequest, external_id: ExternalId, body: LinkIn) -> ProvisionedOut:
    """Give an organization that a person created your own id of it, which stays. Find it in the list."""
    request.organization = Organization.objects.get(pk=body.id)
    link_organization(actor=request.host.within(request.organization), external_id=external_id)
    return ProvisionedOut(**_told(_organization(external_id)))


@endpoints.post(
    "/provisioning/organizations/{external_id}/people/resend",
    HostNeeds(Permission.MEMBERS_INVITE),
    ResentOut,
)
def provisioning_resend(request: ApiRequest, external_id: ExternalId, body: AddressIn) -> ResentOut:
    """Send an invitation again, with a new link; the earlier one no longer works. At most once a minute."""
    sent = services.resend_for_host(actor=_host_in(request, external_id), email=body.email)
    return ResentOut(email=sent.email, role=Role(sent.role), sent_at=sent.sent_at)


@endpoints.post(
    "/provisioning/organizations/{external_id}/people/role",
    HostNeeds(Permission.MEMBERS_CHANGE_ROLE),
    RoleOut,
)
def provisioning_role(request: ApiRequest, external_id: ExternalId, body: PersonIn) -> RoleOut:
    """Give somebody who belongs to it another role. They get a mail. The last admin keeps theirs."""
    host = _host_in(request, external_id)
    people = Membership.objects.for_org(request.organization).current()
    person = people.get(user__email=services.address_to_invite(body.email))
    changed = change_role(actor=host, membership_id=person.pk, role=body.role)
    return RoleOut(email=body.email, role=Role(changed.role))


def _brought(host: Host, person: PersonIn) -> PersonOut:
    told = PersonOut(email=person.email, role=person.role, outcome=PersonOutcome.REFUSED)
    try:
        told.outcome = PersonOutcome(services.bring_in(actor=host, email=person.email, role=person.role))
    except Refused as refused:
        told.detail = refused.told_to_programs
    return told


def _host_in(request: ApiRequest, external_id: str) -> Host:
    """The product in that organization, which a refusal tells of. Raises Organization.DoesNotExist."""
    request.organization = _organization(external_id)
    return request.host.within(request.organization)


def _organization(external_id: str) -> Organization:
    """Raises Organization.DoesNotExist."""
    return Organization.objects.with_admin_known().get(external_id=external_id)


def _told(organization: Organization) -> dict[str, Any]:
    return {
        "id": organization.pk,
        "external_id": organization.external_id,
        "slug": organization.slug,
        "name": organization.name,
        "edition": organization.edition_code,
        "created_at": organization.created_at,
        "has_admin": organization.has_admin,  # type: ignore[attr-defined]
        "closes_after": organization.closes_after,
        "closed_at": organization.closed_at,
    }
