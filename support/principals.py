"""Support staff as those who act: with an open staff session, and within one organization."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User, addresses_of
from audit.services import Actor
from orgs.compiled import compiled
from orgs.errors import Refused
from orgs.models import Membership, Organization
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
        """As it is now. Raises StaffSession.DoesNotExist when the session has ended, and Refused for an
        organization that the staff member belongs to: nobody helps themselves.
        """
        if Membership.objects.for_org(organization).filter(user=self.staff.user).exists():
            raise Refused(_("You belong to this organization. Ask a colleague to do it."))
        return StaffInOrganization(staff_in(self.pk), organization, self.ticket, self.reason)

    def refuse_own(self, user_id: uuid.UUID | None) -> None:
        """Raise Refused for an act on the staff member's own account: nobody raises themselves."""
        if user_id == self.staff.user.pk:
            raise Refused(_("This is your own account. Ask a colleague to do it."))

    def refuse_own_address(self, address: str) -> None:
        """The same, where an account is named by one of its addresses, in lower case."""
        if address in addresses_of(self.staff.user):
            self.refuse_own(self.staff.user.pk)


def staff_in(session_id: uuid.UUID, *, user_id: uuid.UUID | None = None) -> Staff:
    """Whose session it is, with the roles that they have now. ``user_id``: it must be theirs. One statement.

    Raises StaffSession.DoesNotExist when it has ended, and when they have no second factor any more.
    """
    found = _open_session(uuid.UUID(str(session_id)), timezone.now())
    if not found or user_id not in {None, found[0].user_id}:
        raise StaffSession.DoesNotExist
    session = found[0]
    # Only of people who still are staff there are open ones.
    roles: list[str] = session.role_codes  # type: ignore[attr-defined]
    return Staff(cast("User", session.user), session, frozenset(map(StaffRole, roles)))


# Each page of support begins with it.
@compiled(StaffSession)
def _open_session(session: uuid.UUID, at: datetime) -> "QuerySet[StaffSession, Any]":
    second_factors = Authenticator.objects.filter(user=OuterRef("user"))
    groups = Group.objects.filter(user=OuterRef("user"), name__in=StaffRole.values)
    codes = ArraySubquery(groups.values("name"))
    opened = StaffSession.objects.open(at).filter(Exists(second_factors), pk=session)
    return opened.select_related("user").annotate(role_codes=codes)
