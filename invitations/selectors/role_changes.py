"""Which roles the reader of a list may give to the people on it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from orgs.models import Membership
from orgs.policy import Permission, Role, may


@dataclass(frozen=True)
class RoleChange:
    """A role that the reader may give somebody, and the button that does it."""

    role: str
    label: str


def role_changes(reader: Membership, current: Role) -> tuple[RoleChange, ...]:
    """The roles that the reader may give to people of a role."""
    if not may(reader, Permission.MEMBERS_CHANGE_ROLE):
        return ()
    return tuple(
        RoleChange(role.value, _("Make %(role)s") % {"role": role.in_sentence})
        for role in Role
        if role is not current
    )
