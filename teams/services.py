"""The verbs of teams, one transaction each. A verb comes in by ``acting``, so that of two at once one waits.

Raises Denied, Refused, or the model's DoesNotExist.
"""

import uuid
from collections.abc import Collection
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.models import display_name
from audit.services import Actor
from orgs.acting import Act, OrganizationPrincipal, acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission
from teams import actions
from teams.models import Details, Team, TeamMembership, name_key

MANAGE = Permission.TEAMS_MANAGE


class Shown(NamedTuple):
    """What the question before a deletion has said."""

    name: str
    people: int


def create_team(*, actor: OrganizationPrincipal, details: Details, key: uuid.UUID | None = None) -> Team:
    """``key``: with the same key, principal and name, the team made first is returned."""
    with acting(actor, MANAGE) as act:
        pk = uuid.uuid5(key, f"{act.principal.pk} {details.name}") if key else uuid.uuid4()
        made = Team.objects.for_org(act.organization).filter(pk=pk).first()
        if made is not None:
            return made
        team = Team(pk=pk, organization=act.organization)
        _ensure_free(team, details.name)
        team.details = details
        team.save(force_insert=True)
        act.record(actions.CREATED, target=(team.pk, team.name))
        return team


def change_team(
    *,
    actor: OrganizationPrincipal,
    team_id: uuid.UUID,
    name: str | None = None,
    description: str | None = None,
    shown: Details | None = None,
) -> Team:
    """Say something else of a team; None: what is said already.

    ``shown``: on the page that the actor decided by; None without a page. Raises PageOutdated if something
    else is said by now.
    """
    with acting(actor, MANAGE) as act:
        team = _team(act, team_id)
        now = team.details
        wanted = Details(
            now.name if name is None else name, now.description if description is None else description
        )
        if wanted == now:
            return team
        if shown is not None and shown != now:
            raise PageOutdated(
                _(
                    "Somebody else changed this team meanwhile, so your changes were not saved. "
                    "Look at it as it is now, then save again."
                )
            )
        _ensure_free(team, wanted.name)
        team.details = wanted
        team.save(update_fields=["name", "name_key", "description"])
        if wanted.name != now.name:
            act.record(actions.RENAMED, target=(team.pk, team.name), old=now.name, new=wanted.name)
        if wanted.description != now.description:
            act.record(actions.DESCRIBED, target=(team.pk, team.name))
        return team


def delete_team(*, actor: OrganizationPrincipal, team_id: uuid.UUID, shown: Shown | None = None) -> None:
    """End a team; its people stay in the organization.

    ``shown``: on the page that the actor decided by; None without a page. Raises PageOutdated if the team has
    another name by now, or not as many people.
    """
    with acting(actor, MANAGE) as act:
        team = _team(act, team_id)
        if shown not in (None, Shown(team.name, team.people_count)):
            raise PageOutdated(
                _("The team has changed since you opened this. Nothing was done. Check it, then try again.")
            )
        act.record(actions.DELETED, target=(team.pk, team.name))
        team.delete()


def add_people(
    *, actor: OrganizationPrincipal, team_id: uuid.UUID, membership_ids: Collection[uuid.UUID]
) -> list[Membership]:
    """Add people to a team, all or none. Answers those who were not in it before."""
    with acting(actor, MANAGE) as act:
        team = _team(act, team_id)
        wanted = Membership.objects.for_org(act.organization).members().filter(pk__in=membership_ids)
        if wanted.count() < len(set(membership_ids)):
            raise Refused(_("Only members can be in a team. Nobody was added. Choose again."))
        joining = list(wanted.exclude(team_memberships__team=team).select_related("user"))
        for person in joining:
            TeamMembership.objects.create(team=team, membership=person)
            act.record(actions.PERSON_ADDED, target=_target(person), team=team.name, team_id=str(team.pk))
        return joining


def remove_person(*, actor: OrganizationPrincipal, team_id: uuid.UUID, membership_id: uuid.UUID) -> None:
    """Take a person out of a team. Raises TeamMembership.DoesNotExist for one who isn't in it."""
    with acting(actor, MANAGE) as act:
        team = _team(act, team_id)
        people = TeamMembership.objects.filter(team=team).select_related("team", "membership__user")
        _remove(act, people.get(membership=membership_id))


def end_team_memberships(organization: Organization, user_id: uuid.UUID) -> None:
    """Take a person out of all teams, as the portal does it. Call it with the organization locked."""
    portal = Act(organization, Actor.system())
    people = TeamMembership.objects.for_org(organization).filter(membership__user=user_id)
    for one in people.select_related("team", "membership__user").order_by("team__name_key"):
        _remove(portal, one)


def _remove(act: Act, one: TeamMembership) -> None:
    act.record(
        actions.PERSON_REMOVED,
        target=_target(one.membership),
        team=one.team.name,
        team_id=str(one.team_id),
    )
    one.delete()


def _team(act: Act, team_id: uuid.UUID) -> Team:
    return Team.objects.for_org(act.organization).counted().get(pk=team_id)


def _ensure_free(team: Team, name: str) -> None:
    others = Team.objects.for_org(team.organization).exclude(pk=team.pk)
    taken = others.filter(name_key=name_key(name)).first()
    if taken is not None:
        raise Refused(
            _("There is a team called %(name)s already. Choose another name.") % {"name": taken.name}
        )


def _target(person: Membership) -> tuple[uuid.UUID, str]:
    return person.user_id, display_name(person.user)
