"""Teams and their people, by the verbs of the pages. Who may not see names gets ids and counts."""

import uuid
from datetime import datetime
from typing import Annotated

from django.core.exceptions import ValidationError
from ninja import Schema
from pydantic import AfterValidator, StringConstraints

from accounts.validators import validate_display_name
from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Cursor, Limit, cursor_of, key_in, page_of
from orgs.models import Membership
from orgs.policy import Permission, may
from orgs.rows import older_than
from teams import services
from teams.models import LONGEST_DESCRIPTION, LONGEST_NAME, Details, Team, TeamMembership

endpoints = Endpoints("Teams")


def _fit_to_show(text: str) -> str:
    """As the page's form takes it. Raises ValueError."""
    try:
        if text:
            validate_display_name(text)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    AfterValidator(_fit_to_show),
]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=LONGEST_DESCRIPTION),
    AfterValidator(_fit_to_show),
]


class TeamOut(Schema):
    """``people``: how many. ``name``, ``description``: only with the permission ``teams.list``."""

    id: uuid.UUID
    created_at: datetime
    people: int
    name: str | None = None
    description: str | None = None


class TeamsOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[TeamOut]
    next: str | None


class TeamIn(Schema):
    """``name``: no other team of the organization has it, in whatever case."""

    name: Name
    description: Description = ""


class TeamChangeIn(Schema):
    """What is left out stays."""

    name: Name | None = None
    description: Description | None = None


class TeamMemberOut(Schema):
    """``id``: as in the list of members. The person's own data: only with the permission ``members.list``."""

    id: uuid.UUID
    added_at: datetime
    user_id: uuid.UUID | None = None
    name: str | None = None
    email: str | None = None


class TeamMembersOut(Schema):
    """``next``: the cursor of the next page; null on the last one."""

    data: list[TeamMemberOut]
    next: str | None


@endpoints.get("/teams", Needs(Permission.TEAMS_API_LIST), TeamsOut)
def list_teams(request: ApiRequest, cursor: Cursor = None, limit: Limit = ROWS) -> TeamsOut:
    """List the teams, latest first."""
    teams = Team.objects.for_org(request.organization).counted()
    rows = list(older_than(key_in(cursor), teams, time="created_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.created_at, row.pk))
    return TeamsOut(data=[_told(request, team, people=team.people_count) for team in shown], next=following)


@endpoints.post("/teams", Needs(Permission.TEAMS_MANAGE), TeamOut, status=201)
def create_team(request: ApiRequest, body: TeamIn) -> TeamOut:
    """Create a team, without people at first."""
    made = services.create_team(actor=request.principal, details=Details(body.name, body.description))
    return _told(request, made, people=0)


@endpoints.get("/teams/{uuid:team_id}", Needs(Permission.TEAMS_API_LIST), TeamOut)
def read_team(request: ApiRequest, team_id: uuid.UUID) -> TeamOut:
    """Read a team."""
    team = _team(request, team_id)
    return _told(request, team, people=team.people_count)


@endpoints.patch("/teams/{uuid:team_id}", Needs(Permission.TEAMS_MANAGE), TeamOut)
def change_team(request: ApiRequest, team_id: uuid.UUID, body: TeamChangeIn) -> TeamOut:
    """Give a team another name, or another description."""
    team = services.change_team(
        actor=request.principal, team_id=team_id, name=body.name, description=body.description
    )
    return _told(request, team, people=team.people_count)


@endpoints.delete("/teams/{uuid:team_id}", Needs(Permission.TEAMS_MANAGE))
def delete_team(request: ApiRequest, team_id: uuid.UUID) -> None:
    """Delete a team. Its people stay in the organization."""
    services.delete_team(actor=request.principal, team_id=team_id)


@endpoints.get("/teams/{uuid:team_id}/members", Needs(Permission.TEAMS_API_LIST), TeamMembersOut)
def list_team_members(
    request: ApiRequest, team_id: uuid.UUID, cursor: Cursor = None, limit: Limit = ROWS
) -> TeamMembersOut:
    """List the people of a team, latest first."""
    people = TeamMembership.objects.filter(team=_team(request, team_id)).select_related("membership__user")
    rows = list(older_than(key_in(cursor), people, time="added_at")[: limit + 1])
    shown, following = page_of(rows, limit, lambda row: cursor_of(row.added_at, row.pk))
    return TeamMembersOut(data=[_person(request, one) for one in shown], next=following)


@endpoints.put(
    "/teams/{uuid:team_id}/members/{uuid:membership_id}", Needs(Permission.TEAMS_MANAGE), TeamMemberOut
)
def add_team_member(request: ApiRequest, team_id: uuid.UUID, membership_id: uuid.UUID) -> TeamMemberOut:
    """Add a member to a team. Of one who is in it already nothing changes. Billing managers are in none."""
    person = Membership.objects.for_org(request.organization).get(pk=membership_id)
    services.add_people(actor=request.principal, team_id=team_id, membership_ids=[person.pk])
    people = TeamMembership.objects.for_org(request.organization).select_related("membership__user")
    return _person(request, people.get(team=team_id, membership=person))


@endpoints.delete("/teams/{uuid:team_id}/members/{uuid:membership_id}", Needs(Permission.TEAMS_MANAGE))
def remove_team_member(request: ApiRequest, team_id: uuid.UUID, membership_id: uuid.UUID) -> None:
    """Take a person out of a team. They stay in the organization."""
    services.remove_person(actor=request.principal, team_id=team_id, membership_id=membership_id)


def _team(request: ApiRequest, team_id: uuid.UUID) -> Team:
    return Team.objects.for_org(request.organization).counted().get(pk=team_id)


def _told(request: ApiRequest, team: Team, *, people: int) -> TeamOut:
    told = TeamOut(id=team.pk, created_at=team.created_at, people=people)
    if may(request.principal, Permission.TEAMS_LIST):
        told.name, told.description = team.name, team.description
    return told


def _person(request: ApiRequest, one: TeamMembership) -> TeamMemberOut:
    told = TeamMemberOut(id=one.membership_id, added_at=one.added_at)
    if may(request.principal, Permission.MEMBERS_LIST):
        user = one.membership.user
        told.user_id, told.name, told.email = user.pk, user.name, user.email
    return told
