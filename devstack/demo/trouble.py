"""What support staff find in the demo: something in most queues, and a year of counted jobs.

Made up, and written as rows: nothing of it happened at the simulator.
"""

import uuid
from datetime import date, timedelta

from django.utils import timezone

from audit.models import ActorKind
from billing.findings import note_drift
from billing.models import (
    BillingAccount,
    FoundDrift,
    OperationKind,
    OperationState,
    StripeEvent,
    StripeOperation,
    UnknownCustomer,
)
from orgs.models import Organization
from outbox.models import OutgoingEmail, State
from support.jobs import count_jobs
from support.models import CountedMonth, Job, JobCount
from usage.periods import beginning

# How often each job was done in a month at first, by people and by staff; each month it is a tenth more.
FIRST_MONTH = {
    Job.MANAGER_INVITED: (74, 12),
    Job.INVITATION_RENEWED: (11, 4),
    Job.INVITATION_REVOKED: (6, 1),
    Job.MANAGER_REMOVED: (19, 3),
    Job.ROLE_CHANGED: (8, 2),
    Job.CARD_UPDATED: (31, 0),
    Job.INVOICE_PAID: (22, 0),
}
GROWTH = 1.1
MONTHS = 11
EVENT_ID = "evt_demo_parked"


def ensure_trouble(organization: Organization) -> None:
    """In an organization that has a customer; again it adds nothing."""
    account = BillingAccount.objects.filter(organization=organization).first()
    if account is not None:
        _fail_work(account)
    if not FoundDrift.objects.exists():
        note_drift(organization, customers=0, subscriptions=1, invoices=2, on_demand=0)
    UnknownCustomer.objects.get_or_create(stripe_id="cus_DemoNobody", event_type="invoice.paid")


def ensure_counts() -> None:
    """The months before this one, unless they are there, and this one as it is."""
    month = timezone.now().date().replace(day=1)
    count_jobs(month)
    if CountedMonth.objects.count() > 1:
        return
    for number in range(1, MONTHS + 1):
        month = (month - timedelta(days=1)).replace(day=1)
        _make_up(month, GROWTH ** (MONTHS - number))


def _fail_work(account: BillingAccount) -> None:
    organization = account.organization
    OutgoingEmail.objects.get_or_create(
        dedupe_key="demo:failed",
        defaults={
            "kind": "invitation_sent",
            "to": "drew.hall@acme.test",
            "organization_id": organization.pk,
            "state": State.FAILED,
            "error": "SMTPRecipientsRefused: 550 5.1.1 The mailbox does not exist",
        },
    )
    StripeEvent.objects.get_or_create(
        event_id=EVENT_ID,
        defaults={
            "type": "customer.tax_id.updated",
            "customer_id": str(account.stripe_customer_id),
            "livemode": False,
            "payload": {"data": {"object": {}}},
            "state": "failed",
            "attempts": StripeEvent.MAX_ATTEMPTS,
            "error": "GatewayUnavailable: Stripe answered 429",
        },
    )
    StripeOperation.objects.get_or_create(
        idempotency_key="demo-failed",
        defaults={
            "organization": organization,
            "kind": OperationKind.REPLACE_CONTACT,
            "state": OperationState.FAILED,
            "result": {"outcome": "refused"},
            "error": "GatewayRefused: email_invalid",
            "actor_id": uuid.UUID(int=0),
            "actor_name": "Demo person",
            "finished_at": timezone.now(),
        },
    )


def _make_up(month: date, growth: float) -> None:
    end = beginning((month + timedelta(days=31)).replace(day=1))
    CountedMonth.objects.create(month=month, counted_until=end)
    for job, counts in FIRST_MONTH.items():
        for done_by, count in zip((ActorKind.PERSON, ActorKind.STAFF), counts, strict=True):
            if count:
                JobCount.objects.create(month=month, job=job, done_by=done_by, count=round(count * growth))
