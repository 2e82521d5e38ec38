"""Every endpoint x every kind of asker: the answer equals the table below, which is written by hand."""

import re
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.http import HttpResponse

from api.endpoints import Endpoints
from api.gate import Needs
from api.schema import PortalAPI, needs_of, undeclared
from billing_portal.api import portal_api
from orgs.models import Membership
from orgs.policy import Permission, Role
from tests.api.program import Program, is_problem, program_of, program_of_organization
from tests.sampling import sampled
from tests.world import CANARY, World, signed_in
from tokens.scopes import INCLUDED, SCOPES

pytestmark = pytest.mark.django_db
ADMIN, MEMBER, MANAGER, VIEWER = Role.ADMIN, Role.MEMBER, Role.BILLING_MANAGER, Role.BILLING_VIEWER
P = Permission


@dataclass(frozen=True)
class Row:
    """``roles``: who may in a session. ``token``: whether a token of the organization may; ``personal``:
    whether one of an admin's own.

    ``data``: a body that is accepted. ``answers``: to those who may; Stripe isn't there in these tests.
    """

    needs: Permission
    roles: set[Role]
    token: bool = True
    personal: bool = True
    data: object = None
    answers: tuple[int, ...] = (200, 201, 204)


QUESTION = {"user": "5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11", "permission": "stacks.read"}
INVITED = {"email": "new@example.test", "role": "billing_manager"}
ASKED = "?user=5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11&permission=stacks.read"
LOOKED_BACK = "?granularity=daily&lookbackDays=30"
QUERIES = {"authorize": ASKED, "resources/summary": LOOKED_BACK}
TEAM = {"name": "Platform"}
TABLE = {
    "GET ": Row(P.ORGANIZATION_VIEW, set(Role)),
    "GET members": Row(P.MEMBERS_API_LIST, set(Role)),
    "GET authorize": Row(P.MEMBERS_LIST, {ADMIN, MEMBER}),
    "POST authorize/batch": Row(P.MEMBERS_LIST, {ADMIN, MEMBER}, data={"questions": [QUESTION]}),
    "GET invitations": Row(P.BILLING_MANAGERS_INVITE, {ADMIN}, token=False),
    "POST invitations": Row(P.BILLING_MANAGERS_INVITE, {ADMIN}, token=False, data=INVITED),
    "POST invitations/{invitation_id}/resend": Row(P.BILLING_MANAGERS_INVITE, {ADMIN}, token=False),
    "POST invitations/{invitation_id}/revoke": Row(P.BILLING_MANAGERS_INVITE, {ADMIN}, token=False),
    "GET teams": Row(P.TEAMS_API_LIST, set(Role)),
    "POST teams": Row(P.TEAMS_MANAGE, {ADMIN}, data=TEAM),
    "GET teams/{team_id}": Row(P.TEAMS_API_LIST, set(Role)),
    "PATCH teams/{team_id}": Row(P.TEAMS_MANAGE, {ADMIN}, data=TEAM),
    "DELETE teams/{team_id}": Row(P.TEAMS_MANAGE, {ADMIN}),
    "GET teams/{team_id}/members": Row(P.TEAMS_API_LIST, set(Role)),
    "PUT teams/{team_id}/members/{membership_id}": Row(P.TEAMS_MANAGE, {ADMIN}),
    "DELETE teams/{team_id}/members/{membership_id}": Row(P.TEAMS_MANAGE, {ADMIN}),
    "GET stacks": Row(P.RUM_PER_STACK, {ADMIN, MEMBER}),
    "PUT stacks/labels": Row(P.STACKS_LABEL, {ADMIN}, data={"stacks": ["Own stack"], "label": "Own label"}),
    "POST usage": Row(P.USAGE_RECORD, set(), personal=False, data={"counts": []}),
    "GET billing-managers": Row(P.BILLING_MANAGERS_LIST_NAMES, {ADMIN, MANAGER, VIEWER}),
    "DELETE billing-managers/{manager_id}": Row(P.BILLING_MANAGERS_REMOVE, {ADMIN}),
    "GET resources/summary": Row(P.RUM_SUMMARY, set(Role)),
    "GET audit-events": Row(P.AUDIT_READ, {ADMIN}),
    "GET billing": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/subscriptions": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/payment-methods": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/details": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/limits": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/invoices": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/invoices/{invoice_id}": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/exports": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}),
    "GET billing/invoices/{invoice_id}/pdf": Row(P.BILLING_VIEW, {ADMIN, MANAGER, VIEWER}, answers=(503,)),
}
of_each = pytest.mark.parametrize("name", sampled(list(TABLE), every=2))
of_some = pytest.mark.parametrize("name", sampled(list(TABLE), every=5))


def address(name: str, world: World, *, foreign: bool = False) -> str:
    path = name.partition(" ")[2].format(**(world.foreign_ids if foreign else world.own_ids))
    return path + QUERIES.get(path, "")


def send(program: Program, name: str, world: World, *, foreign: bool = False) -> HttpResponse:
    """Its effects are undone."""
    savepoint = transaction.savepoint()
    answer = program.ask(name.partition(" ")[0], address(name, world, foreign=foreign), TABLE[name].data)
    transaction.savepoint_rollback(savepoint)
    return answer


def browser(membership: Membership, slug: str) -> Program:
    program = Program(slug, None)
    program.client.cookies = signed_in(membership.user).cookies
    return program


def test_every_endpoint_has_a_row_which_is_what_it_declares() -> None:
    declared = {}
    for operation in portal_api.operations():
        _outside, slug, path = operation.path.partition("/orgs/{slug:slug}")
        if slug:
            plain = re.sub(r"\{\w+:", "{", path.removeprefix("/"))
            declared[f"{operation.methods[0]} {plain}"] = needs_of(operation)
    assert {name: needs and needs.permission for name, needs in declared.items()} == {
        name: row.needs for name, row in TABLE.items()
    }
    # All that a token can be made for is of use: the others show more of a list, and invite members.
    used = {row.needs for row in TABLE.values()}
    assert set(SCOPES) - used == {P.TEAMS_LIST, P.BILLING_MANAGERS_LIST_MAILS, P.MEMBERS_INVITE}
    assert used <= set(SCOPES)


@of_each
def test_an_endpoint_answers_as_the_table_says(name: str, world: World) -> None:
    row = TABLE[name]
    slug = world.organization.slug
    is_problem(send(Program(slug, None), name, world), 401)
    is_problem(send(Program(slug, "bpo_wrong"), name, world), 401)
    for role, membership in world.memberships.items():
        answer = send(browser(membership, slug), name, world)
        if role in row.roles:
            assert answer.status_code in row.answers, f"{role} {answer.content!r}"
        else:
            assert is_problem(answer, 403)["permission"] == row.needs.value, role


@of_some
def test_by_a_token_too(name: str, world: World) -> None:
    row = TABLE[name]
    admin, organization = world.memberships[ADMIN], world.organization
    by_person = send(program_of(admin, row.needs), name, world)
    assert by_person.status_code in (row.answers if row.personal else (403,))
    others = [scope for scope in SCOPES if row.needs not in {scope, INCLUDED.get(scope)}]
    assert is_problem(send(program_of(admin, *others), name, world), 403)["permission"] == row.needs.value
    by_organization = send(program_of_organization(organization, *SCOPES), name, world)
    if row.token:
        assert by_organization.status_code in row.answers
    else:
        is_problem(by_organization, 403)


@of_some
def test_another_organization_is_not_found(name: str, world: World) -> None:
    admin = world.memberships[ADMIN]
    for program in (program_of(admin), program_of_organization(world.organization), browser(admin, "")):
        answers = []
        for slug in (world.foreign.slug, "no-such-organization"):
            program.slug = slug
            answers.append(send(program, name, world, foreign=True))
            is_problem(answers[-1], 404)
        assert answers[0].content == answers[1].content


@of_some
def test_another_organizations_rows_are_not_found_in_ones_own(name: str, world: World) -> None:
    admin = program_of(world.memberships[ADMIN])
    program = admin if TABLE[name].personal else program_of_organization(world.organization)
    if address(name, world) != address(name, world, foreign=True):
        is_problem(send(program, name, world, foreign=True), 404)
    else:
        assert CANARY.encode() not in b"".join(send(program, name, world))


def test_the_list_of_organizations_is_ones_own(world: World) -> None:
    for asker in (
        program_of(world.memberships[MEMBER]),
        program_of_organization(world.organization),
        browser(world.memberships[MEMBER], ""),
    ):
        assert [one["slug"] for one in asker.get("/orgs").json()["data"]] == ["own"]
    is_problem(Program("", None).get("/orgs"), 401)


def test_an_endpoint_without_a_permission_fails_a_check() -> None:
    endpoints = Endpoints("Wrong")
    endpoints.get("/open", Needs(None), None)(lambda request: None)
    endpoints.post("/write", Needs(P.BILLING_VIEW), None)(lambda request: None)
    endpoints.ask("/question", Needs(P.BILLING_VIEW, asks=True), None)(lambda request: None)
    endpoints.router.get("/forgotten")(lambda request: None)
    errors = undeclared(PortalAPI("Wrong", [endpoints]))
    assert [error.id for error in errors] == ["api.E001", "api.E002", "api.E001"]
    assert undeclared(portal_api) == []
