"""Opening and ending staff sessions, and who is support staff."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Actor, record
from orgs.compiled import compiled
from orgs.errors import Refused, broken_constraint
from orgs.models import Organization
from orgs.policy import Permission, StaffRole, may
from support.actions import ORGANIZATION_OPENED, ROLES_CHANGED, SESSION_ENDED, SESSION_OPENED
from support.models import SESSION_LIFE, StaffSession, StaffVisit
from support.principals import Staff, staff_in


@transaction.atomic
def open_session(*, user: User, ticket: str, reason: str) -> StaffSession:
    """For an hour; one that they have open ends. Raises Refused for a person without a role in support."""
    end_sessions(user=user)
    now = timezone.now()
    session = StaffSession.objects.create(
        user=user,
        staff_mail=user.email,
        ticket=ticket,
        reason=reason,
        opened_at=now,
        expires_at=now + SESSION_LIFE,
    )
    try:
        staff = staff_in(session.pk)
    except StaffSession.DoesNotExist:
        staff = None
    if not may(staff, Permission.RECORDS_VIEW):
        raise Refused(_("You have no role in support. Ask those who run the portal to give you one."))
    record(SESSION_OPENED, actor=Actor.staff(session.pk, ticket=ticket, reason=reason), organization=None)
    return session


@transaction.atomic
def end_sessions(*, user: User) -> None:
    """All that the person has open."""
    # Nobody opens one meanwhile.
    User.objects.select_for_update().get(pk=user.pk)
    for session in StaffSession.objects.open().filter(user=user):
        session.ended_at = timezone.now()
        session.save(update_fields=["ended_at"])
        actor = Actor.staff(session.pk, ticket=session.ticket, reason=session.reason)
        record(SESSION_ENDED, actor=actor, organization=None)


def open_organization(staff: Staff, organization_id: uuid.UUID) -> Organization:
    """For staff to look at it: it is told of that, once in a staff session.

    Raises Organization.DoesNotExist.
    """
    found = _opened(organization_id, staff.session.pk)
    if not found:
        raise Organization.DoesNotExist
    organization, session = found[0], staff.session
    if organization.is_told:  # type: ignore[attr-defined]
        return organization
    try:
        with transaction.atomic():
            StaffVisit.objects.create(session_id=session.pk, organization_id=organization.pk)
            actor = staff.actor(ticket=session.ticket, reason=session.reason)
            record(ORGANIZATION_OPENED, actor=actor, organization=organization)
    except IntegrityError as error:
        # Another page, opened at the same moment, has told of it.
        if broken_constraint(error) != "staffvisit_once":
            raise
    return organization


@compiled(Organization)
def _opened(organization: uuid.UUID, session: uuid.UUID) -> "QuerySet[Organization, Any]":
    visits = StaffVisit.objects.filter(organization_id=OuterRef("pk"), session_id=session)
    return Organization.objects.filter(pk=organization).annotate(is_told=Exists(visits))


@transaction.atomic
def set_staff_roles(*, user_id: uuid.UUID, roles: Collection[StaffRole], actor: Actor) -> None:
    """Make a person support staff with these roles and no other; without one they are none any more."""
    user = User.objects.select_for_update().get(pk=user_id)
    groups = user.groups.filter(name__in=StaffRole.values)
    old = set(groups.values_list("name", flat=True))
    user.groups.remove(*groups)
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    user.is_staff = bool(roles)
    user.save(update_fields=["is_staff"])
    if old != set(roles):
        record(
            ROLES_CHANGED,
            actor=actor,
            organization=None,
            target=(user.pk, str(user)),
            old=",".join(sorted(old)),
            new=",".join(sorted(roles)),
        )
