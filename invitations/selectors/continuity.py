"""What would leave an organization without people who can act: told early and quietly, with what mends it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from invitations.models import Invitation, oldest_live
from orgs.capacity import limit_for
from orgs.compiled import compiled
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, granting_roles, may
from orgs.rows import count_of, count_up_to

ENOUGH_PAYERS = 2
AWAY = timedelta(days=90)
ADMINS_TOLD = 5
PAYING_ROLES = [role.value for role in granting_roles(Permission.BILLING_INVOICES_PAY)]


class PeopleRow(NamedTuple):
    """``payers``: people who can pay, counted until they are enough; ``waiting``: invitations of billing
    managers; ``away``: admins who have not signed in for long.
    """

    payers: int
    managers: int
    waiting: int
    away: list[dict[str, str]]


@compiled(PeopleRow)
def _people(
    organization: uuid.UUID, reader: uuid.UUID, oldest: datetime, cutoff: datetime
) -> QuerySet[Organization, Any]:
    """``oldest``: invitations sent before have expired; ``cutoff``: a last sign-in before it is long ago."""
    memberships = Membership.objects.for_org(organization).current()
    # Of each role by itself, as the index has them: else Postgres may read all of a large organization.
    payers = [
        count_up_to(ENOUGH_PAYERS, memberships.filter(role=role, user__is_active=True))
        for role in PAYING_ROLES
    ]
    waiting = Invitation.objects.for_org(organization).pending_since(oldest).for_role(Role.BILLING_MANAGER)
    # Asked for each admin: joined to the few, the people of all organizations would be read.
    person = User.objects.filter(pk=OuterRef("user"), is_active=True)
    seen = Subquery(person.values(at=Coalesce("last_login", OuterRef("joined_at"))))
    away = memberships.filter(role=Role.ADMIN).exclude(pk=reader).annotate(seen=seen).filter(seen__lt=cutoff)
    named = away.order_by("seen", "id").values(one=JSONObject(id="id", name=Subquery(person.values("name"))))
    return (
        Organization.objects.filter(pk=organization)
        .annotate(
            payers=reduce(add, payers),
            managers=count_of(memberships.billing_managers()),
            waiting=count_of(waiting),
            away=ArraySubquery(named[:ADMINS_TOLD]),
        )
        .values_list(*PeopleRow._fields)
    )


@dataclass(frozen=True)
class ContinuityWarning:
    """``code``: what it is about, for the person who hides it. ``act``, ``url``: what mends it."""

    code: str
    text: str
    act: str
    url: str
    opens_dialog: bool = False


def people_warnings(reader: Membership) -> list[ContinuityWarning]:
    """What an admin can mend and has not hidden, in one statement."""
    if not may(reader, Permission.MEMBERS_CHANGE_ROLE):
        return []
    organization = reader.organization
    (people,) = _people(organization.pk, reader.pk, oldest_live(organization), timezone.now() - AWAY)
    warnings = [*_too_few_payers(organization, people), *_away(organization, people)]
    return [warning for warning in warnings if warning.code not in reader.dismissed]


def _too_few_payers(organization: Organization, people: PeopleRow) -> Iterator[ContinuityWarning]:
    """Unless another is invited, or the edition has no place for one."""
    limit = limit_for(organization, Role.BILLING_MANAGER)
    full = limit is not None and people.managers >= limit
    if people.payers < ENOUGH_PAYERS and not people.waiting and not full:
        yield ContinuityWarning(
            code="continuity.payers",
            text=_("Only one person here can pay. While they are away, nobody keeps the card current."),
            act=_("Invite billing manager"),
            url=reverse("managers_invite", args=[organization.slug]),
            opens_dialog=True,
        )


def _away(organization: Organization, people: PeopleRow) -> Iterator[ContinuityWarning]:
    for admin in people.away:
        yield ContinuityWarning(
            code=f"continuity.away:{admin['id']}",
            text=_("%(name)s is an admin and has not signed in for more than 90 days.")
            % {"name": admin["name"]},
            act=_("Remove member"),
            url=reverse("member_remove", args=[organization.slug, admin["id"]]),
            opens_dialog=True,
        )
