"""The jobs that support staff did by hand, and how often people do them alone now, and staff for them.

The audit log tells of every act, so the counts are made of it, anew each day, and cost no act anything.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from audit.registry import Action
from billing import actions as billing
from invitations import actions as invitations
from orgs import actions as orgs
from orgs.policy import BILLING_MANAGERS, Role
from support import actions as support
from support.models import CountedMonth, Job, JobCount

# Of these, the portal's and Stripe's own acts are no jobs of anybody.
DOERS = (ActorKind.PERSON, ActorKind.STAFF)


@dataclass(frozen=True)
class _Acts:
    """``roles``: these alone make the acts a job, by the fact of the event that names one.

    ``by``: whose acts. What people always did alone was no job of support staff, and is one where they do it.
    """

    actions: Collection[Action]
    roles: Mapping[str, Collection[Role]] | None = None
    by: Collection[ActorKind] = DOERS

    def include(self, action: str, actor_kind: str, roles: Mapping[str, object]) -> bool:
        if action not in {known.code for known in self.actions} or actor_kind not in self.by:
            return False
        return self.roles is None or any(roles[fact] in wanted for fact, wanted in self.roles.items())


MANAGERS = {"role": BILLING_MANAGERS}
STAFF = (ActorKind.STAFF,)

# An act is the first of these that includes it.
JOBS: dict[Job, _Acts] = {
    Job.MANAGER_INVITED: _Acts({invitations.SENT, invitations.LINK_CREATED}, MANAGERS),
    Job.INVITATION_RENEWED: _Acts({invitations.RESENT, invitations.LINK_COPIED}, MANAGERS),
    Job.INVITATION_REVOKED: _Acts({invitations.REVOKED}, MANAGERS),
    Job.MANAGER_REMOVED: _Acts({orgs.MEMBERSHIP_REMOVED}, MANAGERS),
    Job.ROLE_CHANGED: _Acts({orgs.ROLE_CHANGED}, {"old": BILLING_MANAGERS, "new": BILLING_MANAGERS}),
    Job.CARD_UPDATED: _Acts({billing.CARD_UPDATED, billing.METHOD_ADDED, billing.METHOD_REMOVED}),
    Job.DETAILS_CHANGED: _Acts({billing.DETAILS_CHANGED, billing.TAX_ID_ADDED, billing.TAX_ID_REMOVED}),
    Job.INVOICE_PAID: _Acts({billing.PAYMENT_STARTED}),
    Job.SUBSCRIPTION_CHANGED: _Acts(
        {
            billing.PLAN_CHANGED,
            billing.PLAN_CHANGE_PLANNED,
            billing.PLAN_CHANGE_UNDONE,
            billing.SUBSCRIPTION_STARTED,
            billing.SUBSCRIPTION_ENDING,
            billing.SUBSCRIPTION_KEPT,
        }
    ),
    Job.OTHERS_MANAGED: _Acts(
        {
            invitations.SENT,
            invitations.LINK_CREATED,
            invitations.RESENT,
            invitations.LINK_COPIED,
            invitations.REVOKED,
            orgs.MEMBERSHIP_REMOVED,
            orgs.ROLE_CHANGED,
        },
        by=STAFF,
    ),
    Job.ADMIN_MADE: _Acts({support.ADMIN_GRANTED}, by=STAFF),
    Job.SIGNED_OUT: _Acts({orgs.SESSIONS_ENDED}, by=STAFF),
    Job.MAIL_SENT_AGAIN: _Acts({support.MAIL_SENT_AGAIN, support.MAIL_READDRESSED}, by=STAFF),
    Job.TIME_GIVEN: _Acts({billing.GRACE_EXTENDED}, by=STAFF),
    Job.CREDITS_GIVEN: _Acts({billing.CREDITS_GIVEN, billing.GIVEN_CREDITS_VOIDED}, by=STAFF),
    Job.CUSTOMER_MOVED: _Acts({billing.CUSTOMER_MOVED_HERE}, by=STAFF),
    Job.FAILURE_MENDED: _Acts(
        {
            billing.ON_DEMAND_ASKED,
            billing.STRIPE_EVENT_REPLAYED,
            billing.OPERATION_RETRIED,
            billing.OPERATION_GIVEN_UP,
            billing.RECONCILE_ASKED,
            support.ROW_SETTLED,
        },
        by=STAFF,
    ),
}


def count_jobs(month: date) -> None:
    """Count the jobs done in the month (UTC) of that day, in place of what was counted before."""
    first = month.replace(day=1)
    until = min(timezone.now(), _end_of(first))
    counts = _counted(first)
    with transaction.atomic():
        CountedMonth.objects.update_or_create(month=first, defaults={"counted_until": until})
        JobCount.objects.of_month(first).delete()
        JobCount.objects.bulk_create(
            JobCount(month=first, job=job, done_by=done_by, count=count)
            for (job, done_by), count in counts.items()
        )


def count_recent_jobs() -> None:
    """Those of this month, and of the last one, whose last hours were not counted yet on its last day."""
    today = timezone.now().date()
    count_jobs(today)
    count_jobs(today.replace(day=1) - timedelta(days=1))


def _counted(first: date) -> Counter[tuple[Job, str]]:
    facts = {fact: F(f"data__{fact}") for fact in ("role", "old", "new")}
    groups = (
        AuditEvent.objects.filter(
            created_at__gte=_beginning_of(first), created_at__lt=_end_of(first), actor_kind__in=DOERS
        )
        .filter(action__in={action.code for acts in JOBS.values() for action in acts.actions})
        .order_by()
        .values("action", "actor_kind", **facts)
        .annotate(events=Count("id"))
    )
    counts: Counter[tuple[Job, str]] = Counter()
    for group in groups:
        kind = group["actor_kind"]
        job = next((job for job, acts in JOBS.items() if acts.include(group["action"], kind, group)), None)
        if job is not None:
            counts[job, kind] += group["events"]
    return counts


def _beginning_of(first: date) -> datetime:
    return datetime(first.year, first.month, 1, tzinfo=UTC)


def _end_of(first: date) -> datetime:
    return (_beginning_of(first) + timedelta(days=31)).replace(day=1)
