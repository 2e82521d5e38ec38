"""What of this app the audit log tells."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.registry import Action, BillingAction, action_of, label_in
from orgs.dates import day
from orgs.editions import edition_name
from orgs.policy import Permission, Role

role = label_in(Role)
permission = label_in(Permission)


def yes_or_no(answer: bool) -> str:
    return _("yes") if answer else _("no")


def seat_count(seats: int | None) -> str:
    return _("none") if seats is None else str(seats)


def lifetime(days: int | None) -> str:
    return _("forever") if days is None else ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


def last_day(code: str | None) -> str:
    """A day in UTC, stored in ISO format."""
    return _("%(day)s (UTC)") % {"day": day(date.fromisoformat(code))} if code else _("none")


def one_action(code: str) -> str:
    return str(action_of(code).label) if code else _("every action")


def nameless(name: str) -> str:
    """A person whose name is deleted with their account."""
    return name or _("a person")


def one_person(name: str) -> str:
    return name or _("everybody")


ORGANIZATION_CREATED = Action(
    "organization.created",
    gettext_lazy("Created the organization"),
    gettext_lazy("created the organization on %(edition)s"),
    edition=edition_name,
)
ORGANIZATION_RENAMED = Action(
    "organization.renamed",
    gettext_lazy("Renamed the organization"),
    gettext_lazy("renamed the organization from %(old)s to %(new)s"),
    old=str,
    new=str,
)
ORGANIZATION_LINKED = Action(
    "organization.linked",
    gettext_lazy("Linked the organization"),
    gettext_lazy("linked the organization to its record %(external_id)s"),
    external_id=str,
)
EDITION_CHANGED = BillingAction(
    "organization.edition_changed",
    gettext_lazy("Changed the edition"),
    gettext_lazy("changed the edition from %(old)s to %(new)s"),
    old=edition_name,
    new=edition_name,
)
SEATS_CHANGED = BillingAction(
    "organization.seats_changed",
    gettext_lazy("Changed the seats"),
    gettext_lazy("changed the seats from %(old)s to %(new)s"),
    old=seat_count,
    new=seat_count,
)
MANAGERS_SETTING_CHANGED = Action(
    "organization.managers_setting_changed",
    gettext_lazy("Changed who manages billing managers"),
    gettext_lazy("changed whether billing managers may manage billing managers: %(new)s"),
    old=yes_or_no,
    new=yes_or_no,
)
INVITATION_AGE_CHANGED = Action(
    "organization.invitation_age_changed",
    gettext_lazy("Changed how long invitations last"),
    gettext_lazy("changed how long invitations last: %(new)s"),
    old=lifetime,
    new=lifetime,
)
ROLE_CHANGED = Action(
    "membership.role_changed",
    gettext_lazy("Changed a role"),
    gettext_lazy("changed the role of %(target)s from %(old)s to %(new)s"),
    old=role,
    new=role,
)
MEMBERSHIP_REMOVED = Action(
    "membership.removed",
    gettext_lazy("Removed a person"),
    gettext_lazy("removed %(target)s, who was %(role)s"),
    role=role,
)
LAST_DAY_CHANGED = Action(
    "membership.last_day_changed",
    gettext_lazy("Changed a last day"),
    gettext_lazy("changed the last day of %(target)s from %(old)s to %(new)s"),
    old=last_day,
    new=last_day,
)
LAST_DAY_PASSED = Action(
    "membership.last_day_passed",
    gettext_lazy("Ended the time of a billing manager"),
    gettext_lazy("ended the membership of %(target)s, who was %(role)s: the last day was %(last_day)s"),
    role=role,
    last_day=last_day,
)
MEMBERSHIP_LEFT = Action(
    "membership.left", gettext_lazy("Left"), gettext_lazy("left the organization as %(role)s"), role=role
)
ACCOUNT_DELETED = Action(
    "account.deleted",
    gettext_lazy("Deleted an account"),
    gettext_lazy("deleted their own account"),
    actor=nameless,
)
CLOSING_BEGUN = Action(
    "organization.closing_begun",
    gettext_lazy("Asked to close the organization"),
    gettext_lazy("asked to close the organization after %(last_day)s"),
    last_day=last_day,
)
SESSIONS_ENDED = Action(
    "sessions.ended",
    gettext_lazy("Signed somebody out"),
    gettext_lazy("signed %(target)s out everywhere"),
)
CLOSING_UNDONE = Action(
    "organization.closing_undone",
    gettext_lazy("Undid the closing"),
    gettext_lazy("undid the closing of the organization"),
)
ORGANIZATION_CLOSED = Action(
    "organization.closed",
    gettext_lazy("Closed the organization"),
    gettext_lazy("closed the organization, and ended all memberships in it"),
)
ACCESS_REQUESTED = Action(
    "access.requested",
    gettext_lazy("Asked for access"),
    gettext_lazy("asked to be allowed to %(permission)s"),
    permission=permission,
)
ACCESS_REFUSED = Action(
    "access.refused",
    gettext_lazy("Refused access"),
    gettext_lazy("refused that %(target)s be allowed to %(permission)s"),
    permission=permission,
)
AUDIT_EXPORTED = Action(
    "audit.exported",
    gettext_lazy("Exported the audit log"),
    gettext_lazy("exported the audit log (%(only)s; %(person)s)"),
    only=one_action,
    person=one_person,
)
