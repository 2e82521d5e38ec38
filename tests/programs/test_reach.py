"""What a connected program reaches: each endpoint x whose it is, and nothing but reading billing."""

import pytest

from orgs.policy import BILLING_READ, GRANTS, Role
from programs.models import Connection
from tests.api.program import is_problem, told
from tests.api.test_access import TABLE, send
from tests.programs.factories import ProgramFactory
from tests.programs.tool import connected
from tests.sampling import sampled
from tests.world import CANARY, World
from tokens.limits import Allowances

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", sampled(list(TABLE), every=3))
def test_an_endpoint_is_open_only_to_read_billing(name: str, world: World) -> None:
    row, client = TABLE[name], ProgramFactory()
    for role, membership in world.memberships.items():
        answer = send(connected(membership, client), name, world)
        if role is Role.MEMBER:
            # Whoever sees no billing could not have allowed it.
            is_problem(answer, 401)
        elif row.needs in BILLING_READ:
            assert answer.status_code in row.answers, f"{role} {answer.content!r}"
        else:
            assert is_problem(answer, 403)["permission"] == row.needs.value, role


@pytest.mark.parametrize("name", sampled(list(TABLE), every=6))
def test_another_organization_is_not_found(name: str, world: World) -> None:
    program = connected(world.memberships[Role.BILLING_MANAGER], ProgramFactory())
    answers = []
    for slug in (world.foreign.slug, "no-such-organization"):
        program.slug = slug
        answers.append(send(program, name, world, foreign=True))
        is_problem(answers[-1], 404)
    assert answers[0].content == answers[1].content


def test_what_it_learns_of_itself(world: World) -> None:
    client = ProgramFactory()
    program = connected(world.memberships[Role.ADMIN], client)
    (one,) = told(program.get("/orgs"))["data"]
    assert one["permissions"] == sorted(BILLING_READ)
    assert CANARY not in str(one)
    membership = world.memberships[Role.ADMIN]
    connection = Connection.objects.get(client=client)
    assert connection.principal.permissions == BILLING_READ <= GRANTS[Role(membership.role)]


def test_requests_are_counted_for_the_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.limits._allowances", Allowances())
    monkeypatch.setattr("tokens.limits.A_MINUTE", 2)
    monkeypatch.setattr("tokens.limits.AT_ONCE", 2)
    client = ProgramFactory()
    program = connected(world.memberships[Role.ADMIN], client)
    assert [program.get("").status_code for _request in range(3)] == [200, 200, 429]
    assert Connection.objects.get(client=client).last_used_at is not None
