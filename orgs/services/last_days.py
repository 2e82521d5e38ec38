"""Until when a billing manager stays: chosen, near, and past."""

import uuid
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import display_name
from audit.services import Actor
from orgs import actions
from orgs.acting import Act, acting, acting_as
from orgs.errors import PageOutdated
from orgs.last_days import PAST, ensure_not_past
from orgs.mails import LAST_DAY_NEARS_MAIL, LAST_DAY_PASSED_MAIL
from orgs.models import Membership
from orgs.policy import Permission, Role
from orgs.services.memberships import locked_membership
from orgs.services.removal import end_membership

# How many days before a last day people are reminded of it.
REMINDED_AHEAD = (1, 7)


def change_last_day(
    *, actor: Membership, membership_id: uuid.UUID, last_day: date | None, shown: date | None
) -> Membership:
    """Say until when a billing manager stays, in UTC; None: for good.

    ``shown``: the last day on the page that the actor decided by. Raises PageOutdated if it is another now.
    """
    with acting(actor, Permission.MEMBERS_CHANGE_ROLE) as act:
        target = locked_membership(act.organization, membership_id)
        if target.last_day == last_day:
            return target
        if target.last_day != shown or not Role(target.role).is_billing_manager:
            raise PageOutdated(
                _(
                    "The role or the last day of %(name)s has changed since you opened this. "
                    "Nothing was done. Check it, then try again."
                )
                % {"name": display_name(target.user)}
            )
        ensure_not_past(last_day)
        old, target.last_day = target.last_day, last_day
        target.save(update_fields=["last_day"])
        act.record(
            actions.LAST_DAY_CHANGED,
            target=(target.user_id, display_name(target.user)),
            old=old.isoformat() if old else None,
            new=last_day.isoformat() if last_day else None,
        )
        return target


def end_past_last_days() -> None:
    """End the memberships whose last day has passed. Safe to run any number of times at once, and late."""
    for membership in Membership.objects.filter(PAST).order_by("last_day", "id"):
        end_past_last_day(membership)


def end_past_last_day(membership: Membership) -> None:
    """End it, unless it has another last day by now, or has ended."""
    with acting_as(Actor.system(), membership.organization_id) as act:
        _end_past_last_day(act, membership.pk)


def _end_past_last_day(act: Act, membership_id: uuid.UUID) -> None:
    found = Membership.objects.for_org(act.organization).filter(PAST, pk=membership_id)
    target = found.select_related("user").select_for_update(of=("self",)).first()
    if target is None or target.last_day is None:
        return
    codes = {"role": target.role, "last_day": target.last_day.isoformat()}
    event = act.record(actions.LAST_DAY_PASSED, target=(target.user_id, display_name(target.user)), **codes)
    act.mail(
        LAST_DAY_PASSED_MAIL,
        to=target.user.email,
        dedupe_key=f"last_day_passed:{event.pk}",
        **codes,
    )
    end_membership(act, target)


def remind_of_last_days() -> None:
    """Tell each person, and the admins, that a last day is near: once for each number of days ahead."""
    today = timezone.now().date()
    near = Membership.objects.filter(last_day__range=(today, today + timedelta(days=max(REMINDED_AHEAD))))
    for membership in near.order_by("last_day", "id"):
        with acting_as(Actor.system(), membership.organization_id) as act:
            target = near.filter(pk=membership.pk).select_related("user").first()
            if target is not None and target.last_day is not None:
                _remind(act, target, (target.last_day - today).days)


def _remind(act: Act, target: Membership, days: int) -> None:
    ahead = min(ahead for ahead in REMINDED_AHEAD if days <= ahead)
    admins = Membership.objects.for_org(act.organization).admins().select_related("user")
    for own, people in ((True, [target.user]), (False, [admin.user for admin in admins])):
        act.mail_each(
            LAST_DAY_NEARS_MAIL,
            to={
                f"last_day_nears:{target.pk}:{target.last_day}:{ahead}:{person.pk}": person.email
                for person in people
            },
            membership_id=str(target.pk),
            last_day=str(target.last_day),
            own=own,
        )
