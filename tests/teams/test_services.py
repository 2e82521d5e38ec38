"""Teams and who is in them, whatever becomes of a person's role or membership."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from orgs import services as orgs
from orgs.errors import PageOutdated, Refused, broken_constraint
from orgs.models import Membership
from orgs.policy import Denied, Permission, Role
from teams import services
from teams.models import Details, Team, TeamMembership, name_key
from teams.services import Shown
from tests.factories import MembershipFactory
from tests.races import ROUNDS, at_once
from tests.teams.factories import TeamFactory, TeamMembershipFactory
from tests.tokens.factories import AccessTokenFactory

pytestmark = pytest.mark.django_db


def create(actor: Membership, name: str = "Platform", *, key: uuid.UUID | None = None) -> Team:
    return services.create_team(actor=actor, details=Details(name, ""), key=key)


def told() -> list[tuple[str, str, str]]:
    """What the audit log tells of teams: who, what, of whom."""
    events = AuditEvent.objects.filter(action__startswith="team.").order_by("pk")
    return [(event.actor_kind, event.action, event.target_name) for event in events]


def people_of(team: Team) -> set[uuid.UUID]:
    return set(TeamMembership.objects.filter(team=team).values_list("membership", flat=True))


def test_names_that_look_alike_are_the_same(admin: Membership) -> None:
    create(admin)
    for other in ("PLATFORM", " Platform", "\uff30latform", "Plat\u200dform", "Platform\ufe0f"):
        with pytest.raises(Refused, match="There is a team called Platform already"):
            create(admin, other)
    assert Team.objects.count() == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Stra\u00dfe", "STRASSE"), ("Zo\u00eb", "ZOE\u0308"), ("Data  lake", "data lake"), ("\u2460", "1")],
)
def test_the_key_of_a_name_knows_unicode(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_other_names_and_other_organizations_are_free(admin: Membership) -> None:
    create(admin)
    create(admin, "Platforms")
    create(MembershipFactory(role=Role.ADMIN))
    assert Team.objects.count() == 3


def test_the_longest_name_there_is_fits_its_index(admin: Membership) -> None:
    """This letter becomes eighteen in the key of the name."""
    assert len(create(admin, "x" + "\ufdfa" * 79).name_key) > 1000


def test_the_same_form_makes_one_team(admin: Membership) -> None:
    key = uuid.uuid4()
    assert create(admin, key=key).pk == create(admin, key=key).pk
    assert told() == [("person", "team.created", "Platform")]


def test_only_who_may_manages(member: Membership, billing_manager: Membership) -> None:
    team = TeamFactory(organization=member.organization)
    for actor in (member, billing_manager):
        for act in (
            lambda actor=actor: create(actor),
            lambda actor=actor: services.change_team(actor=actor, team_id=team.pk, name="Core"),
            lambda actor=actor: services.delete_team(actor=actor, team_id=team.pk),
            lambda actor=actor: services.add_people(actor=actor, team_id=team.pk, membership_ids=[member.pk]),
            lambda actor=actor: services.remove_person(actor=actor, team_id=team.pk, membership_id=member.pk),
        ):
            with pytest.raises(Denied):
                act()
    assert told() == []


def test_a_token_of_the_organization_manages_teams(admin: Membership, member: Membership) -> None:
    token = AccessTokenFactory(organization=admin.organization, scopes=[Permission.TEAMS_MANAGE.value])
    team = services.create_team(actor=token, details=Details("Platform", ""))
    services.add_people(actor=token, team_id=team.pk, membership_ids=[member.pk])
    assert {kind for kind, _action, _target in told()} == {"token"}


def test_a_change_is_told_once_for_what_it_changes(admin: Membership) -> None:
    team = create(admin)
    services.change_team(actor=admin, team_id=team.pk, name="Core", description="Runs the clusters")
    services.change_team(actor=admin, team_id=team.pk, name="Core")
    services.change_team(actor=admin, team_id=team.pk, name="CORE")
    assert [action for _kind, action, _target in told()] == [
        "team.created",
        "team.renamed",
        "team.described",
        "team.renamed",
    ]
    team.refresh_from_db()
    assert team.details == Details("CORE", "Runs the clusters")


def test_a_change_of_what_was_changed_meanwhile_is_not_made(admin: Membership) -> None:
    team = create(admin)
    shown = team.details
    services.change_team(actor=admin, team_id=team.pk, name="Core")
    with pytest.raises(PageOutdated):
        services.change_team(actor=admin, team_id=team.pk, name="Base", shown=shown)
    # What the other one wanted as well is done already.
    services.change_team(actor=admin, team_id=team.pk, name="Core", shown=shown)
    assert Team.objects.get().name == "Core"


def test_a_team_is_deleted_as_the_question_had_it(admin: Membership, member: Membership) -> None:
    team = TeamMembershipFactory(team=create(admin), membership=member).team
    for shown in (Shown("Platform", 0), Shown("Core", 1), Shown("", -1)):
        with pytest.raises(PageOutdated):
            services.delete_team(actor=admin, team_id=team.pk, shown=shown)
    services.delete_team(actor=admin, team_id=team.pk, shown=Shown("Platform", 1))
    assert not TeamMembership.objects.exists()
    assert Membership.objects.filter(pk=member.pk).exists()
    with pytest.raises(Team.DoesNotExist):
        services.delete_team(actor=admin, team_id=team.pk)
    assert [action for _kind, action, _target in told()] == ["team.created", "team.deleted"]


def test_people_are_added_once(admin: Membership, member: Membership) -> None:
    team = create(admin)
    both = [admin.pk, member.pk]
    services.add_people(actor=admin, team_id=team.pk, membership_ids=[member.pk])
    assert services.add_people(actor=admin, team_id=team.pk, membership_ids=[*both, *both]) == [admin]
    assert services.add_people(actor=admin, team_id=team.pk, membership_ids=both) == []
    assert people_of(team) == set(both)
    assert [target for _kind, action, target in told() if action == "team.person_added"] == [
        member.user.name,
        admin.user.name,
    ]


def test_only_members_are_added_all_or_none(
    admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    team = create(admin)
    for wrong in (billing_manager.pk, MembershipFactory().pk, uuid.uuid4()):
        with pytest.raises(Refused, match="Only members can be in a team"):
            services.add_people(actor=admin, team_id=team.pk, membership_ids=[member.pk, wrong])
    assert people_of(team) == set()


def test_a_person_is_removed_once(admin: Membership, member: Membership) -> None:
    team = TeamMembershipFactory(team=create(admin), membership=member).team
    services.remove_person(actor=admin, team_id=team.pk, membership_id=member.pk)
    with pytest.raises(TeamMembership.DoesNotExist):
        services.remove_person(actor=admin, team_id=team.pk, membership_id=member.pk)
    assert told()[1:] == [("person", "team.person_removed", member.user.name)]


def test_another_organizations_team_is_not_found(admin: Membership) -> None:
    foreign = TeamFactory()
    for act in (
        lambda: services.change_team(actor=admin, team_id=foreign.pk, name="Core"),
        lambda: services.delete_team(actor=admin, team_id=foreign.pk),
        lambda: services.add_people(actor=admin, team_id=foreign.pk, membership_ids=[admin.pk]),
    ):
        with pytest.raises(Team.DoesNotExist):
            act()


def test_the_database_keeps_a_team_to_its_organization(admin: Membership) -> None:
    """Whatever the code does."""
    team, own = TeamFactory(), TeamMembershipFactory()
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        TeamMembership.objects.create(team=team, membership=admin)
    assert broken_constraint(error.value) == "teammembership_one_organization"
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamMembership.objects.filter(pk=own.pk).update(team=team)


def test_the_database_keeps_a_name_to_one_team(admin: Membership) -> None:
    team = create(admin)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        TeamFactory(organization=team.organization, name="platform")
    assert broken_constraint(error.value) == "team_name_once"


@pytest.mark.parametrize("role", [Role.BILLING_MANAGER, Role.BILLING_VIEWER])
def test_who_becomes_a_billing_manager_leaves_all_teams(
    admin: Membership, member: Membership, role: Role
) -> None:
    one, other = (
        TeamMembershipFactory(team__organization=admin.organization, membership=member) for _team in "ab"
    )
    stays = TeamMembershipFactory(team=one.team, membership=admin)
    orgs.change_role(actor=admin, membership_id=member.pk, role=role)
    assert list(TeamMembership.objects.all()) == [stays]
    assert told() == [(ActorKind.SYSTEM, "team.person_removed", member.user.name)] * 2
    teams = AuditEvent.objects.filter(action="team.person_removed").values_list("data__team_id", flat=True)
    assert set(teams) == {str(one.team_id), str(other.team_id)}


def test_an_admin_who_becomes_a_member_stays_in_their_teams(admin: Membership) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    TeamMembershipFactory(team__organization=admin.organization, membership=other)
    orgs.change_role(actor=admin, membership_id=other.pk, role=Role.MEMBER)
    assert TeamMembership.objects.count() == 1


def test_a_membership_takes_its_places_in_teams_along(admin: Membership) -> None:
    """However it ends: a removal, leaving, a last day that a team should never have seen; each is told."""

    def in_a_team(role: Role = Role.MEMBER) -> Membership:
        person = MembershipFactory(organization=admin.organization, role=role)
        TeamMembershipFactory(team__organization=admin.organization, membership=person)
        return person

    orgs.remove_member(actor=admin, membership_id=in_a_team().pk)
    orgs.leave(membership=in_a_team(Role.ADMIN))
    late = in_a_team(Role.BILLING_MANAGER)
    yesterday = timezone.now().date() - timedelta(days=1)
    Membership.objects.filter(pk=late.pk).update(last_day=yesterday)
    orgs.end_past_last_days()
    assert AuditEvent.objects.filter(action="team.person_removed").count() == 3
    assert not TeamMembership.objects.exists()
    assert Team.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_one_name_taken_twice_at_once_is_one_team(admin: Membership, rounds: int) -> None:
    for number in range(rounds):
        names = (f"Team {number}", f"TEAM {number}")
        outcomes = at_once(*(lambda name=name: create(admin, name) for name in names))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "Team"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_who_is_added_while_they_become_a_billing_manager_is_in_no_team(
    admin: Membership, rounds: int
) -> None:
    team = create(admin)
    for _round in range(rounds):
        person = MembershipFactory(organization=admin.organization)
        outcomes = at_once(
            lambda pk=person.pk: services.add_people(actor=admin, team_id=team.pk, membership_ids=[pk]),
            lambda pk=person.pk: orgs.change_role(actor=admin, membership_id=pk, role=Role.BILLING_MANAGER),
        )
        assert all(isinstance(outcome, list | Refused | Membership) for outcome in outcomes), outcomes
        assert people_of(team) == set()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_team_deleted_while_somebody_is_added_is_gone(admin: Membership, member: Membership) -> None:
    for _round in range(3):
        team = create(admin)
        outcomes = at_once(
            lambda pk=team.pk: services.add_people(actor=admin, team_id=pk, membership_ids=[member.pk]),
            lambda pk=team.pk: services.delete_team(actor=admin, team_id=pk),
        )
        assert isinstance(outcomes[0], list | Team.DoesNotExist)
        assert outcomes[1] is None
        assert not Team.objects.exists()
