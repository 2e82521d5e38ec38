"""May this person do this here? For the product beside the portal, which has resources of its own."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from django.db.models import QuerySet
from ninja import Query, Schema
from pydantic import Field

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, permissions_of
from orgs.usage_limits import Limit

MOST = 1000
endpoints = Endpoints("Authorization")


class Question(Schema):
    """``user``: the id of a person, as the list of members has it."""

    user: uuid.UUID
    permission: Permission


class StoppedOut(Schema):
    """``by``: which limit the organization has reached: its credits of the period, or its budget."""

    since: datetime
    by: Limit


class Answer(Schema):
    """``usage_stopped``: since when and why the product should hold no more resources; null: it may."""

    allowed: bool
    usage_stopped: StoppedOut | None


class Questions(Schema):
    questions: Annotated[list[Question], Field(min_length=1, max_length=MOST)]


class Answers(Schema):
    """``allowed``: in the order of the questions. ``usage_stopped``: as of one question."""

    allowed: list[bool]
    usage_stopped: StoppedOut | None


class RoleRow(NamedTuple):
    user: uuid.UUID
    role: str


@compiled(RoleRow)
def _role_of(organization: uuid.UUID, person: uuid.UUID) -> QuerySet[Membership, Any]:
    return _roles(organization).filter(user=person)


@endpoints.get("/authorize", Needs(Permission.MEMBERS_LIST), Answer)
def authorize(request: ApiRequest, question: Query[Question]) -> Answer:
    """Ask whether a person may do something in the organization. Of people who don't belong to it: no."""
    roles = _role_of(request.organization.pk, question.user)
    allowed = _may(roles, request.organization, question)
    return Answer(allowed=allowed, usage_stopped=stopped(request.organization))


@endpoints.ask("/authorize/batch", Needs(Permission.MEMBERS_LIST, asks=True), Answers)
def authorize_batch(request: ApiRequest, body: Questions) -> Answers:
    """Ask up to 1,000 such questions at once."""
    asked = {question.user for question in body.questions}
    rows = [RoleRow(*row) for row in _roles(request.organization.pk).filter(user__in=asked)]
    roles = {row.user: [row] for row in rows}
    return Answers(
        allowed=[
            _may(roles.get(question.user, []), request.organization, question) for question in body.questions
        ],
        usage_stopped=stopped(request.organization),
    )


def stopped(organization: Organization) -> StoppedOut | None:
    """Whether use is to stop. It needs no statement: the organization is read already."""
    since = organization.usage_stopped_at
    return StoppedOut(since=since, by=organization.stopping_limit) if since else None


def _roles(organization: uuid.UUID) -> QuerySet[Membership, Any]:
    people = Membership.objects.for_org(organization).current().filter(user__is_active=True)
    return people.values_list("user", "role")


def _may(roles: Iterable[RoleRow], organization: Organization, question: Question) -> bool:
    terms = {"delegated": organization.managers_manage_managers, "closing": organization.is_closing}
    return any(question.permission in permissions_of(Role(row.role), **terms) for row in roles)
