"""Support staff as those who act: with an open staff session, and within one organization."""

import uuid
from dataclasses import dataclass
from typing import cast

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Actor
from orgs.errors import Refused
from orgs.models import Organization
from orgs.policy import Permission, StaffRole, permissions_of_staff
from support.models import StaffSession


@dataclass(frozen=True)
class Staff:
    """Somebody of support staff while a session of theirs is open."""

    user: User
    session: StaffSession
    roles: frozenset[StaffRole]

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of_staff(self.roles)

    def within(self, organization: Organization, *, ticket: str, reason: str) -> "StaffInOrganization":
        """``ticket``, ``reason``: of the act; the customer's admins read them."""
        return StaffInOrganization(self, organization, ticket, reason)

    def actor(self, *, ticket: str, reason: str) -> Actor:
        return Actor.staff(self.session.pk, ticket=ticket, reason=reason)


@dataclass(frozen=True)
class StaffInOrganization:
    """The same as they act in one organization: a principal."""

    staff: Staff
    organization: Organization
    ticket: str
    reason: str

    @property
    def pk(self) -> uuid.UUID:
        return self.staff.session.pk

    @property
    def organization_id(self) -> uuid.UUID:
        return self.organization.pk

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of_staff(self.staff.roles, closing=self.organization.is_closing)

    @property
    def actor(self) -> Actor:
        return self.staff.actor(ticket=self.ticket, reason=self.reason)

    def read_anew(self, organization: Organization) -> "StaffInOrganization":
        """As it is now. Raises StaffSession.DoesNotExist when the session has ended."""
        return StaffInOrganization(staff_in(self.pk), organization, self.ticket, self.reason)

    def refuse_own(self, user_id: uuid.UUID | None) -> None:
        """Raise Refused for an act on the staff member's own account: nobody raises themselves."""
        if user_id == self.staff.user.pk:
            raise Refused(_("This is your own account. Ask a colleague to do it."))


def staff_in(session_id: uuid.UUID, *, user_id: uuid.UUID | None = None) -> Staff:
    """Whose session it is, with the roles that they have now. ``user_id``: it must be theirs. One statement.

    Raises StaffSession.DoesNotExist when it has ended.
    """
    of_person = Q(user_id=user_id) if user_id else Q()
    staff_groups = Q(user__groups__name__in=StaffRole.values)
    session = (
        StaffSession.objects.open()
        .select_related("user")
        .annotate(role_codes=ArrayAgg("user__groups__name", filter=staff_groups, default=[]))
        .get(of_person, pk=session_id)
    )
    codes: list[str] = session.role_codes  # type: ignore[attr-defined]  # of annotate
    # Only of people who still are staff there are open ones.
    return Staff(cast("User", session.user), session, frozenset(map(StaffRole, codes)))
