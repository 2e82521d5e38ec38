"""What the pages of teams read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from accounts.models import display_name
from orgs.acting import OrganizationPrincipal
from orgs.endings import counted_among_endings
from orgs.models import Membership, Organization
from orgs.rows import Key, backward, beyond, fetch_page, key_in_text, key_text, newer_than, older_than
from teams.models import Team, TeamMembership, TeamQuerySet, name_key

TEAMS_PER_PAGE = 25
PEOPLE_PER_PAGE = 25
CANDIDATES_SHOWN = 25
BY_NAME = ("name_key",)


@dataclass(frozen=True)
class TeamsPage:
    """``newer``, ``older``: the keys beside which the pages before and after start, "" at the ends.

    ``is_long``: there are more teams than fit on a page, so that a search helps.
    """

    teams: list[Team]
    newer: str
    older: str
    search: str
    is_long: bool


class PersonRow(NamedTuple):
    membership_id: uuid.UUID
    name: str
    email: str
    added_at: datetime


@dataclass(frozen=True)
class TeamPage:
    """``newer``, ``older``: as above."""

    team: Team
    people: list[PersonRow]
    newer: str
    older: str


@dataclass(frozen=True)
class Candidates:
    """Who can be added to a team: of those who match, the first by name. ``more``: there are others."""

    shown: list[Membership]
    search: str
    more: bool


def teams_page(organization: Organization, *, search: str, before: str = "", after: str = "") -> TeamsPage:
    """The teams by name. ``after``, ``before``: keys of a page."""
    teams = Team.objects.for_org(organization)
    is_long = teams.count() > TEAMS_PER_PAGE
    found = teams.filter(name_key__contains=name_key(search)).counted()
    page = fetch_page(
        older=lambda key: _nearest(found, key, BY_NAME),
        newer=lambda key: _nearest(found, key, backward(BY_NAME)),
        after=(after,) if after else None,
        before=(before,) if before else None,
        size=TEAMS_PER_PAGE,
        start=("",),
    )
    return TeamsPage(
        teams=page.rows,
        newer=page.rows[0].name_key if page.has_newer else "",
        older=page.rows[-1].name_key if page.has_older else "",
        search=search,
        is_long=is_long,
    )


def _nearest(teams: TeamQuerySet, key: str, order: tuple[str, ...] | list[str]) -> list[Team]:
    return list(teams.filter(beyond((key,), order)).order_by(*order)[: TEAMS_PER_PAGE + 1])


def team_page(team: Team, *, before: str = "", after: str = "") -> TeamPage:
    """A team with its people, the latest first. ``after``, ``before``: keys; what isn't one is ignored."""
    people = TeamMembership.objects.filter(team=team).select_related("membership__user")
    page = fetch_page(
        older=lambda at, pk: list(older_than((at, pk), people, time="added_at")[: PEOPLE_PER_PAGE + 1]),
        newer=lambda at, pk: list(newer_than((at, pk), people, time="added_at")[: PEOPLE_PER_PAGE + 1]),
        after=key_in_text(after),
        before=key_in_text(before),
        size=PEOPLE_PER_PAGE,
    )
    return TeamPage(
        team=team,
        people=[_person(row) for row in page.rows],
        newer=key_text(_key(page.rows[0])) if page.has_newer else "",
        older=key_text(_key(page.rows[-1])) if page.has_older else "",
    )


def candidates(team: Team, *, search: str) -> Candidates:
    """Members who are not in the team yet."""
    found = members_of(team).exclude(team_memberships__team=team)
    if search:
        found = found.filter(Q(user__name__icontains=search) | Q(user__email__icontains=search))
    nearest = list(found.order_by("user__name", "id")[: CANDIDATES_SHOWN + 1])
    return Candidates(shown=nearest[:CANDIDATES_SHOWN], search=search, more=len(nearest) > CANDIDATES_SHOWN)


def members_of(team: Team) -> QuerySet[Membership]:
    """Those of its organization: all who can be in a team."""
    return Membership.objects.for_org(team.organization_id).members().select_related("user")


@counted_among_endings(
    lambda count: ngettext("%(count)s place in a team", "%(count)s places in teams", count)
)
def ended_places(leaving: Sequence[Membership], _actor: OrganizationPrincipal) -> QuerySet[TeamMembership]:
    """See ``orgs.endings``."""
    return TeamMembership.objects.filter(membership__in=leaving)


def _person(row: TeamMembership) -> PersonRow:
    user = row.membership.user
    return PersonRow(row.membership_id, display_name(user), user.email, row.added_at)


def _key(row: TeamMembership) -> Key:
    return row.added_at, row.pk
