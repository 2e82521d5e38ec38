"""The pages of teams, and the ways through them."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from orgs.models import Membership
from orgs.policy import Role
from teams import selectors, views
from teams.models import Team, TeamMembership
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.security.test_shown import question
from tests.teams.factories import TeamFactory, TeamMembershipFactory

pytestmark = pytest.mark.django_db

KEY = "5e2c0d0e-4f0b-4c53-9d0a-0f6a3a1c7b11"


def url(membership: Membership, name: str = "teams", *args: object) -> str:
    return reverse(name, args=[membership.organization.slug, *args])


def text(response: HttpResponse) -> str:
    page = re.sub(r"<[^>]*>", " ", response.content.decode())
    return re.sub(r"\s+", " ", page)


def names_on(client: Client, address: str) -> list[str]:
    return [team.name for team in client.get(address).context["page"].teams]


@pytest.fixture
def team(admin: Membership) -> Team:
    return TeamFactory(organization=admin.organization, name="Platform", description="Runs the clusters")


def test_a_team_from_its_making_to_its_end(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert "There is no team yet" in text(client.get(url(admin)))
    made = client.post(url(admin, "team_new"), {"name": " Platform ", "key": KEY}, follow=True)
    assert "The team Platform was created. Add its people." in text(made)
    assert "Nobody is in this team yet" in text(made)
    team = Team.objects.get()
    added = client.post(url(admin, "team_add", team.pk), {"people": [admin.pk, member.pk]}, follow=True)
    assert "2 people are in the team Platform now" in text(added)
    assert member.user.email in text(added)
    client.post(
        url(admin, "team_change", team.pk),
        {"name": "Core", "description": "Runs the clusters", "shown_name": "Platform"},
    )
    removed = client.post(url(admin, "team_remove", team.pk, member.pk), follow=True)
    assert f"{member.user.name} is no longer in the team Core." in text(removed)
    assert "Runs the clusters" in text(removed)
    action, data = question(client, url(admin, "team_delete", team.pk))
    assert data == {"shown_name": "Core", "shown_people": "1"}
    assert "The team Core was deleted." in text(client.post(action, data, follow=True))
    assert not Team.objects.exists()
    assert AuditEvent.objects.filter(actor_id=admin.user_id).count() == 7


def test_a_member_sees_and_changes_nothing(member: Membership, team: Team, sign_in: SignIn) -> None:
    TeamMembershipFactory(team=team, membership=member)
    client = sign_in(member)
    pages = [client.get(url(member)), client.get(url(member, "team", team.pk))]
    for page in pages:
        assert "Platform" in text(page)
        acts = re.findall(r'href="([^"]*teams/(?:new|[0-9a-f-]{36}/\w+)[^"]*)"', page.content.decode())
        assert acts == []
    assert member.user.email in text(pages[1])


def test_a_billing_manager_is_not_led_there(billing_manager: Membership, team: Team, sign_in: SignIn) -> None:
    client = sign_in(billing_manager)
    assert url(billing_manager) not in client.get(url(billing_manager, "dashboard")).content.decode()
    for address in (url(billing_manager), url(billing_manager, "team", team.pk)):
        refused = client.get(address)
        assert refused.status_code == 403
        assert "teams.list" in refused.content.decode()
        assert "Platform" not in refused.content.decode()


WRONG = [
    ({"name": ""}, "This field is required"),
    ({"name": "PLATFORM"}, "There is a team called Platform already. Choose another name."),
    ({"name": "x" * 81}, "at most 80 characters"),
    ({"name": "\u3164"}, "Use letters, digits and punctuation on one line."),
    ({"name": "Core", "description": "x" * 201}, "at most 200 characters"),
    ({"name": "Core", "description": "two\nlines"}, "on one line"),
    ({"name": "Core", "key": "x"}, "This form is damaged"),
]


def test_a_wrong_form_makes_nothing(admin: Membership, team: Team, sign_in: SignIn) -> None:
    client = sign_in(admin)
    for data, said in WRONG:
        answer = client.post(url(admin, "team_new"), {"key": KEY, **data})
        assert answer.status_code == 422
        assert said in text(answer)
    assert Team.objects.get() == team


def test_a_name_is_changed_to_what_another_team_has_not(
    admin: Membership, team: Team, sign_in: SignIn
) -> None:
    TeamFactory(organization=admin.organization, name="Website")
    client, address = sign_in(admin), url(admin, "team_change", team.pk)
    shown = {"shown_name": "Platform", "shown_description": "Runs the clusters"}
    taken = client.post(address, {"name": "website", **shown})
    assert taken.status_code == 422
    assert "There is a team called Website already" in text(taken)
    assert "Team saved." in text(client.post(address, {"name": "platform", **shown}, follow=True))


def test_a_form_drawn_before_another_change_is_shown_anew(
    admin: Membership, team: Team, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    change, remove = url(admin, "team_change", team.pk), url(admin, "team_delete", team.pk)
    _action, shown = question(client, remove)
    page = client.get(change).content.decode()
    assert 'value="Platform"' in page
    TeamMembershipFactory(team=team)
    Team.objects.filter(pk=team.pk).update(description="Another")
    anew = client.post(
        change, {"name": "Core", "shown_name": "Platform", "shown_description": "Runs the clusters"}
    )
    assert anew.status_code == 409
    assert "your changes were not saved" in text(anew)
    assert anew.context["form"].initial["shown_description"] == "Another"
    for data in (shown, {}, {"shown_name": "Platform", "shown_people": "x"}):
        asked = client.post(remove, data)
        assert asked.status_code == 409
        assert "Nothing was done. Check it, then try again." in text(asked)
        assert "1 person is in it" in text(asked)
    assert Team.objects.get().name == "Platform"


def test_removing_twice_says_the_same(
    admin: Membership, member: Membership, team: Team, sign_in: SignIn
) -> None:
    TeamMembershipFactory(team=team, membership=member)
    client, address = sign_in(admin), url(admin, "team_remove", team.pk, member.pk)
    assert f"Remove {member.user.name} from the team Platform?" in text(client.get(address))
    for _time in range(2):
        answer = client.post(address, follow=True)
        assert f"{member.user.name} is no longer in the team Platform." in text(answer)
    assert AuditEvent.objects.count() == 1


def test_a_team_deleted_under_an_act_is_told(
    admin: Membership, member: Membership, team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the view's look and the verb's lock."""
    client = sign_in(admin)
    gone = team.pk
    monkeypatch.setattr(views, "_team_or_404", lambda request, team_id: team)
    Team.objects.all().delete()
    team.pk, team.people_count = gone, 0
    shown = {"shown_name": "Platform", "shown_description": "Runs the clusters"}
    for name, args, data in (
        ("team_add", (), {"people": [member.pk]}),
        ("team_change", (), {"name": "Core", **shown}),
        ("team_remove", (member.pk,), {}),
    ):
        answer = client.post(url(admin, name, gone, *args), data, follow=True)
        assert "Somebody deleted the team Platform meanwhile. Nothing was changed." in text(answer)
    deleted = client.post(url(admin, "team_delete", gone), shown, follow=True)
    assert "The team Platform was deleted." in text(deleted)
    assert not AuditEvent.objects.exists()


def test_adding_offers_members_who_are_not_in_the_team(
    admin: Membership, member: Membership, billing_manager: Membership, team: Team, sign_in: SignIn
) -> None:
    MembershipFactory()
    client, address = sign_in(admin), url(admin, "team_add", team.pk)
    TeamMembershipFactory(team=team, membership=member)
    assert client.get(address).context["choice"].shown == [admin]
    again = client.post(address, {"people": [member.pk]}, follow=True)
    assert "Those whom you chose are in the team Platform already." in text(again)
    for wrong in (billing_manager.pk, MembershipFactory().pk):
        refused = client.post(address, {"people": [admin.pk, wrong]})
        assert refused.status_code == 422
        assert "Nobody was added. Choose again." in text(refused)
    for damaged in ("x", "\0"):
        assert client.post(address, {"people": [admin.pk, damaged]}).status_code == 422
    assert "Choose at least one person." in text(client.post(address))
    client.post(address, {"people": [admin.pk]})
    assert "All members are in the team" in text(client.get(address))
    assert TeamMembership.objects.filter(team=team).count() == 2


def test_somebody_is_found_among_many(
    admin: Membership, team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "CANDIDATES_SHOWN", 2)
    for name in ("Zoe", "Yan", "Bo"):
        MembershipFactory(
            organization=admin.organization, user=UserFactory(name=name, email=f"{name}@t.test".lower())
        )
    client, address = sign_in(admin), url(admin, "team_add", team.pk)
    page = client.get(address)
    assert [one.user.name for one in page.context["choice"].shown] == ["Bo", admin.user.name]
    assert "There are more members than are shown." in text(page)
    found = client.get(address, {"search": "zoe@T"})
    assert [one.user.name for one in found.context["choice"].shown] == ["Zoe"]
    assert "No member matches" in text(client.get(address, {"search": "%"}))


def test_teams_come_by_name_a_page_at_a_time(
    admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "TEAMS_PER_PAGE", 2)
    for name in ("delta", "Alpha", "charlie", "Bravo", "Echo"):
        TeamFactory(organization=admin.organization, name=name)
    TeamFactory(name="Another")
    client = sign_in(admin)
    first = client.get(url(admin)).context["page"]
    assert ([team.name for team in first.teams], first.newer) == (["Alpha", "Bravo"], "")
    assert names_on(client, f"{url(admin)}?after={first.older}") == ["charlie", "delta"]
    assert names_on(client, f"{url(admin)}?before=charlie") == ["Alpha", "Bravo"]
    last = client.get(f"{url(admin)}?after=delta").context["page"]
    assert ([team.name for team in last.teams], last.older) == (["Echo"], "")
    assert names_on(client, f"{url(admin)}?search=CHAR") == ["charlie"]
    assert "No team matches" in text(client.get(url(admin), {"search": "%"}))
    assert 'type="search"' in client.get(url(admin)).content.decode()


def test_people_come_latest_first_a_page_at_a_time(
    admin: Membership, team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PEOPLE_PER_PAGE", 2)
    now = timezone.now()
    people = [TeamMembershipFactory(team=team, added_at=now - timedelta(days=days)) for days in range(3)]
    client, address = sign_in(admin), url(admin, "team", team.pk)

    def shown(**query: str) -> list[object]:
        return [person.membership_id for person in client.get(address, query).context["page"].people]

    page = client.get(address).context["page"]
    assert shown() == [one.membership_id for one in people[:2]]
    assert shown(after=page.older) == [people[2].membership_id]
    second = client.get(address, {"after": page.older}).context["page"]
    assert shown(before=second.newer) == shown() == shown(after="x") == shown(before="2026-01-01~x")


@pytest.mark.parametrize("role", [Role.BILLING_MANAGER, Role.BILLING_VIEWER])
def test_the_question_about_a_role_says_that_teams_are_left(
    admin: Membership, member: Membership, sign_in: SignIn, role: Role
) -> None:
    client = sign_in(admin)
    address = f"{url(admin, 'member_role', member.pk)}?role={role.value}"
    assert "They leave their teams" in text(client.get(address))
    assert "teams" not in text(client.get(f"{url(admin, 'member_role', member.pk)}?role=member"))


def test_the_question_about_a_removal_counts_the_places_that_end(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    asked = url(admin, "member_remove", member.pk)
    assert "team" not in text(sign_in(admin).get(asked))
    TeamMembershipFactory(team__organization=admin.organization, membership=member)
    assert "1 place in a team" in text(sign_in(admin).get(asked))
