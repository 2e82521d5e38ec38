"""Closing an organization: asked for, undone, and done for good once nobody can undo it any more.

What an organization leaves meanwhile, the policy says. ``billing`` lies above and settles what Stripe has:
there the verbs begin and end.
"""

from datetime import timedelta

from django.utils import timezone

from audit.services import Actor
from orgs import actions, events
from orgs.acting import Act, acting_as
from orgs.mails import (
    CLOSING_BEGUN_MAIL,
    CLOSING_NEARS_MAIL,
    CLOSING_UNDONE_MAIL,
    ORGANIZATION_CLOSED_MAIL,
)
from orgs.models import Membership, MembershipQuerySet, Organization
from orgs.policy import Permission, granting_roles
from orgs.services import end_all_memberships
from outbox.registry import MailKind

DAYS_TO_UNDO = 30
WARNED_AHEAD = timedelta(days=7)


def begin_closing(act: Act) -> None:
    """Let the organization close after the days in which that can be undone."""
    organization = act.organization
    organization.closes_after = timezone.now().date() + timedelta(days=DAYS_TO_UNDO)
    organization.save(update_fields=["closes_after"])
    last_day = organization.closes_after.isoformat()
    event = act.record(actions.CLOSING_BEGUN, last_day=last_day)
    _tell(act, CLOSING_BEGUN_MAIL, key=str(event.pk), last_day=last_day)
    events.closing_begun.send(Organization, organization_id=organization.pk)


def undo_closing(act: Act) -> None:
    """Let the organization stay, as it was but for what ended with the beginning."""
    act.organization.closes_after = None
    act.organization.save(update_fields=["closes_after"])
    event = act.record(actions.CLOSING_UNDONE)
    _tell(act, CLOSING_UNDONE_MAIL, key=str(event.pk))


def remind_of_closing() -> None:
    """Tell once, a week ahead. Safe to run any number of times."""
    near = timezone.now().date() + WARNED_AHEAD
    for organization in Organization.objects.closing().filter(closes_after__lte=near):
        with acting_as(Actor.system(), organization.pk) as act:
            last_day = act.organization.closes_after
            if last_day is not None and last_day <= near:
                key = f"{organization.pk}:{last_day}"
                _tell(act, CLOSING_NEARS_MAIL, key=key, last_day=last_day.isoformat())


def close(act: Act) -> None:
    """Close it for good: it belongs to nobody from then on.

    Its row stays, so nobody else gets its address, and the log and the invoices still have whose they are.
    """
    organization = act.organization
    event = act.record(actions.ORGANIZATION_CLOSED)
    act.mail_each(
        ORGANIZATION_CLOSED_MAIL,
        to=_addresses(_people(organization), ORGANIZATION_CLOSED_MAIL, str(event.pk)),
    )
    # First, so that all who hear of what ends know why.
    organization.closed_at = timezone.now()
    organization.save(update_fields=["closed_at"])
    end_all_memberships(act)
    events.organization_closed.send(Organization, organization_id=organization.pk)


def _tell(act: Act, kind: MailKind, *, key: str, last_day: str | None = None) -> None:
    """To the admins, and to all others who may see billing."""
    people = _people(act.organization).filter(role__in=granting_roles(Permission.BILLING_VIEW))
    codes = {} if last_day is None else {"last_day": last_day}
    act.mail_each(kind, to=_addresses(people, kind, key), not_before=None, **codes)


def _people(organization: Organization) -> MembershipQuerySet:
    people = Membership.objects.for_org(organization).current().filter(user__is_active=True)
    return people.select_related("user").order_by("joined_at", "id")


def _addresses(people: MembershipQuerySet, kind: MailKind, key: str) -> dict[str, str]:
    return {f"{kind.code}:{key}:{person.user_id}": person.user.email for person in people}
