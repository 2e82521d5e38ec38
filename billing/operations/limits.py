"""Limits of use: chosen by people, compared with the ledger whenever it is settled.

What is told is written with the rows that say so, under the organization's lock: each threshold is told once
in a period, however many workers compare, and however often one dies.
"""

import uuid
from collections.abc import Iterable, Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import Actor, record
from billing.actions import BUDGET_CHANGED, STOP_CHANGED, THRESHOLD_REACHED, USAGE_RESUMED, USAGE_STOPPED
from billing.limits import Use, is_used_up, uses_of
from billing.models import ReachedThreshold
from billing.notices import tell_of_reached_thresholds
from credits.models import Ledger
from credits.selectors import PeriodCredits, period_credits
from credits.spans import STAYS_OPEN
from orgs.acting import acting
from orgs.errors import PageOutdated
from orgs.models import Membership, Organization
from orgs.policy import Permission
from orgs.services import Change
from orgs.usage_limits import Limit

# The limits, by their columns' names.
LIMITS = {"usage_budget": BUDGET_CHANGED, "usage_stops": STOP_CHANGED}


def change_limits(*, actor: Membership, changes: Mapping[str, Change]) -> None:
    """Change the limits, by their columns' names: all of them, or none.

    Raises Denied, Membership.DoesNotExist, and PageOutdated when one was changed since the person saw it.
    """
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as act:
        organization = act.organization
        now = {name: getattr(organization, name) for name in changes}
        if any(now[name] not in (change.seen, change.wanted) for name, change in changes.items()):
            raise PageOutdated(
                _(
                    "Somebody else changed the limits meanwhile, so yours were not saved. "
                    "Look at them as they are now, then save again."
                )
            )
        wanted = {name: change.wanted for name, change in changes.items() if change.wanted != now[name]}
        for name, value in wanted.items():
            setattr(organization, name, value)
            act.record(LIMITS[name], old=now[name], new=value)
        if not organization.usage_stops:
            _resume(organization)
        organization.save(update_fields=[*wanted, "usage_stopped_at"])
        check_limits(organization)


def check_limits(organization: Organization) -> None:
    """Tell of the thresholds that use has reached, and stop use or let it go on.

    Call it with the organization locked; it locks the ledger. What is so already changes nothing.
    """
    if organization.closed_at is not None:
        return
    Ledger.objects.locked(organization.pk)
    before = _noted(organization)
    current = period_credits(organization.pk)
    uses = uses_of(current, organization.usage_budget) if current else []
    ended = _just_ended(organization.pk, current)
    if ended is not None:
        # The budget may be another one by now.
        _tell(organization, ended, uses_of(ended, budget=None))
    if current is not None:
        _tell(organization, current, uses)
    _note(organization, uses)
    _stop_or_resume(organization, current)
    if _noted(organization) != before:
        organization.save(update_fields=["usage_reached", "usage_reached_of", "usage_stopped_at"])


def _just_ended(organization_id: uuid.UUID, current: PeriodCredits | None) -> PeriodCredits | None:
    """The period before, as long as its last hours may still come."""
    yesterday = timezone.now() - STAYS_OPEN
    if current is not None and current.since <= yesterday:
        return None
    return period_credits(organization_id, at=yesterday)


def _tell(organization: Organization, period: PeriodCredits, uses: Iterable[Use]) -> None:
    """Of all that is new, the highest threshold of each limit."""
    reached = [use for use in uses if use.reached]
    if not reached:
        return
    rows = ReachedThreshold.objects.for_org(organization).filter(period_start=period.since)
    told = set(rows.values_list("limit", "percent"))
    news = [use for use in reached if (use.limit, use.highest) not in told]
    if not news:
        return
    ReachedThreshold.objects.bulk_create(
        ReachedThreshold(
            organization=organization, period_start=period.since, limit=use.limit, percent=percent
        )
        for use in news
        for percent in use.reached
        if (use.limit, percent) not in told
    )
    for use in news:
        record(
            THRESHOLD_REACHED,
            actor=Actor.system(),
            organization=organization,
            limit=use.limit.value,
            percent=use.highest,
            period=period.since.isoformat(),
        )
    tell_of_reached_thresholds(organization, period, news)


def _note(organization: Organization, uses: list[Use]) -> None:
    """On the organization, where everybody reads it: how far use has come."""
    reached = [use for use in uses if use.reached]
    nearest = max(reached, key=lambda use: (use.highest, use.limit is Limit.BUDGET), default=None)
    organization.usage_reached = nearest.highest if nearest else 0
    organization.usage_reached_of = nearest.limit.value if nearest else ""


def _stop_or_resume(organization: Organization, current: PeriodCredits | None) -> None:
    is_at_limit = current is not None and is_used_up(current, organization.usage_budget)
    if organization.usage_stops and is_at_limit:
        _stop(organization)
    else:
        _resume(organization)


def _noted(organization: Organization) -> tuple[object, ...]:
    return organization.usage_reached, organization.usage_reached_of, organization.usage_stopped_at


def _stop(organization: Organization) -> None:
    if organization.usage_stopped_at is None:
        organization.usage_stopped_at = timezone.now()
        limit = organization.stopping_limit.value
        record(USAGE_STOPPED, actor=Actor.system(), organization=organization, limit=limit)


def _resume(organization: Organization) -> None:
    if organization.usage_stopped_at is not None:
        organization.usage_stopped_at = None
        record(USAGE_RESUMED, actor=Actor.system(), organization=organization)
