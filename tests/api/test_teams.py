"""Teams by the API: for the product that gives access to them."""

import pytest

from audit.models import AuditEvent
from orgs.models import Membership
from orgs.policy import Permission, Role
from teams.models import Team
from tests.api.program import Program, is_problem, program_of, program_of_organization, told
from tests.api.test_access import browser
from tests.api.test_reads import all_pages
from tests.factories import MembershipFactory
from tests.hooks.factories import EndpointFactory
from tests.teams.factories import TeamFactory, TeamMembershipFactory

pytestmark = pytest.mark.django_db
P = Permission
PLATFORM = {"name": " Platform ", "description": "Runs the clusters"}


def test_a_team_from_its_making_to_its_end(admin: Membership, member: Membership) -> None:
    program = program_of_organization(admin.organization)
    team = told(program.post("teams", PLATFORM), 201)
    assert (team["name"], team["description"], team["people"]) == ("Platform", "Runs the clusters", 0)
    path = f"teams/{team['id']}"
    for _time in range(2):
        person = told(program.ask("PUT", f"{path}/members/{member.pk}"))
        assert (person["id"], person["user_id"]) == (str(member.pk), str(member.user_id))
    assert told(program.get(f"{path}/members")) == {"data": [person], "next": None}
    assert told(program.get(path))["people"] == 1
    changed = told(program.ask("PATCH", path, {"name": "Core"}))
    assert (changed["name"], changed["description"], changed["people"]) == ("Core", "Runs the clusters", 1)
    assert told(program.ask("PATCH", path, {"description": ""}))["description"] == ""
    told(program.ask("DELETE", f"{path}/members/{member.pk}"), 204)
    is_problem(program.ask("DELETE", f"{path}/members/{member.pk}"), 404)
    told(program.ask("DELETE", path), 204)
    is_problem(program.ask("DELETE", path), 404)
    is_problem(program.ask("PUT", f"{path}/members/{member.pk}"), 404)
    assert AuditEvent.objects.filter(action__startswith="team.").count() == 6


def test_a_billing_manager_gets_ids_and_counts(admin: Membership, billing_manager: Membership) -> None:
    one = TeamMembershipFactory(team__organization=admin.organization, team__name="Platform")
    program = browser(billing_manager, admin.organization.slug)
    listed = told(program.get("teams"))["data"]
    read = told(program.get(f"teams/{one.team_id}"))
    assert [read] == listed
    assert (read["id"], read["people"], read["name"], read["description"]) == (
        str(one.team_id),
        1,
        None,
        None,
    )
    (person,) = told(program.get(f"teams/{one.team_id}/members"))["data"]
    assert person["id"] == str(one.membership_id)
    assert {person[name] for name in ("user_id", "name", "email")} == {None}


@pytest.mark.parametrize(
    ("scopes", "named", "mailed"),
    [
        ([P.TEAMS_API_LIST], False, False),
        ([P.TEAMS_LIST], True, False),
        ([P.TEAMS_API_LIST, P.MEMBERS_LIST], False, True),
        ([P.TEAMS_MANAGE, P.TEAMS_LIST], True, False),
    ],
)
def test_names_need_scopes_of_their_own(
    admin: Membership, scopes: list[Permission], named: bool, mailed: bool
) -> None:
    one = TeamMembershipFactory(team__organization=admin.organization)
    program = program_of(admin, *scopes)
    assert (told(program.get("teams"))["data"][0]["name"] is not None) is named
    (person,) = told(program.get(f"teams/{one.team_id}/members"))["data"]
    assert (person["email"] is not None) is mailed


def test_lists_come_a_page_at_a_time(admin: Membership) -> None:
    team = TeamFactory(organization=admin.organization)
    people = [TeamMembershipFactory(team=team).membership_id for _number in range(3)]
    teams = [TeamFactory(organization=admin.organization).pk for _number in range(2)]
    TeamMembershipFactory()
    program = program_of(admin)
    listed = all_pages(program, "teams")
    assert [row["id"] for row in listed] == [str(pk) for pk in (*teams[::-1], team.pk)]
    assert [row["people"] for row in listed] == [0, 0, 3]
    members = all_pages(program, f"teams/{team.pk}/members")
    assert [row["id"] for row in members] == [str(pk) for pk in people[::-1]]


WRONG: list[tuple[str, dict[str, str]]] = [
    ("body.name", {}),
    ("body.name", {"name": " "}),
    ("body.name", {"name": "x" * 81}),
    ("body.name", {"name": "\u3164"}),
    ("body.name", {"name": "\ud800"}),
    ("body.name", {"name": "a\0b"}),
    ("body.description", {"name": "Core", "description": "two\nlines"}),
    ("body.description", {"name": "Core", "description": "x" * 201}),
]


def test_a_wrong_name_is_told_with_its_place(admin: Membership) -> None:
    program = program_of(admin)
    for place, body in WRONG:
        problem = is_problem(program.post("teams", body), 422)
        assert [error["at"] for error in problem["errors"]] == [place], body
    assert not Team.objects.exists()


def test_a_name_that_is_taken_is_told(admin: Membership) -> None:
    program = program_of(admin)
    told(program.post("teams", PLATFORM), 201)
    other = told(program.post("teams", {"name": "Website"}), 201)
    for answer in (
        program.post("teams", {"name": "PLATFORM"}),
        program.ask("PATCH", f"teams/{other['id']}", {"name": "platform"}),
    ):
        assert "There is a team called Platform already" in is_problem(answer, 409)["detail"]


def test_with_a_key_a_team_is_made_once(admin: Membership) -> None:
    program = program_of(admin)
    first, second = (program.post("teams", PLATFORM, **{"idempotency-key": "k"}) for _time in range(2))
    assert told(first, 201) == told(second, 201)
    assert Team.objects.count() == 1


def test_only_members_of_the_organization_are_added(admin: Membership, billing_manager: Membership) -> None:
    team = TeamFactory(organization=admin.organization)
    program = program_of(admin)

    def add(person: Membership, by: Program = program) -> object:
        return by.ask("PUT", f"teams/{team.pk}/members/{person.pk}")

    assert "Only members" in is_problem(add(billing_manager), 409)["detail"]
    is_problem(add(MembershipFactory()), 404)


def test_webhooks_tell_ids_and_no_names(admin: Membership, member: Membership) -> None:
    endpoint = EndpointFactory(
        organization=admin.organization, events=["team.created", "team.person_added", "team.person_removed"]
    )
    program = program_of(admin)
    team = told(program.post("teams", PLATFORM), 201)
    told(program.ask("PUT", f"teams/{team['id']}/members/{member.pk}"))
    program.ask("DELETE", f"billing-managers/{member.pk}")
    Membership.objects.filter(pk=admin.pk).update(role=Role.ADMIN)
    told(program.ask("DELETE", f"teams/{team['id']}/members/{member.pk}"), 204)
    bodies = list(endpoint.deliveries.order_by("created_at").values_list("body", flat=True))
    assert len(bodies) == 3
    assert all(team["id"] in body for body in bodies)
    assert not any("Platform" in body or member.user.name in body for body in bodies)
