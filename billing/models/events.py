"""What we hear from Stripe."""

import json
import uuid
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple

from django.db import connection, models, transaction
from django.db.models import Case, Q, QuerySet, Subquery, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.models.customers import StripeCustomer
from orgs.compiled import compiled
from orgs.models import Organization
from work.models import Waits, Work, WorkQuerySet


class EventState(models.TextChoices):
    RECEIVED = "received", _("Received")
    DONE = "done", _("Done")
    IGNORED = "ignored", _("Ignored")
    FAILED = "failed", _("Failed")


UNHANDLED = Q(state=EventState.RECEIVED)
EVENTS_KEPT_FOR = timedelta(days=90)


# So many events of a customer are worked off together at most.
TOGETHER = 100
# Django's own insert that ignores conflicts opens a transaction, and Stripe waits for two more answers.
KEEP = """
    INSERT INTO billing_stripeevent
        (event_id, type, object_id, customer_id, livemode, api_version, payload, state)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (event_id) DO NOTHING
"""


class StripeEventQuerySet(WorkQuerySet["StripeEvent"]):
    def keep(self, event: "StripeEvent") -> None:
        """Insert it, committed at once; one that is there already is left alone."""
        values = (event.event_id, event.type, event.object_id, event.customer_id, event.livemode)
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [*values, event.api_version, json.dumps(event.payload), event.state])

    def for_org(self, organization: Organization | uuid.UUID) -> "StripeEventQuerySet":
        """Those of each customer that the organization has, or had."""
        customers = StripeCustomer.objects.for_org(organization)
        return self.filter(customer_id__in=customers.values("stripe_id"))

    def parked(self) -> "StripeEventQuerySet":
        """Those that nobody tries again by themselves."""
        return self.filter(state=EventState.FAILED)

    def untried(self) -> "StripeEventQuerySet":
        """Those that no worker has taken by themselves, and no worker has worked off with others."""
        return self.filter(UNHANDLED, attempts=0)

    def lease_together(self, event_id: str, *, types: tuple[str, ...]) -> "list[StripeEvent]":
        """Take an event, and with it those of its customer that are due, of these ``types``. Empty: not free.

        One that has failed before comes alone, so that an event that always fails stops no other. All are
        locked by one statement and in one order: of two workers that come at once, one gets them all.
        """
        # Asked for apart, so that Postgres finds what is to be locked by keys.
        together = [due.pk for due in due_together(event_id)]
        if event_id not in together:
            return []
        due = self.due().filter(pk__in=together)
        with transaction.atomic(durable=True):
            found = {event.pk: event for event in due.order_by("pk").select_for_update()}
            event = found.pop(event_id, None)
            if event is None or not event.begin():
                return []
            others = [other for other in found.values() if other.type.startswith(types)]
            if event.attempts > 1 or not event.type.startswith(types):
                return [event]
            if others:
                with_it = self.filter(pk__in=[other.pk for other in others])
                with_it.update(leased_until=Now() + event.lease_length)
            return [event, *others]

    def old(self) -> "StripeEventQuerySet":
        """Those worked off so long ago that the personal data in them need no longer be kept.

        Stripe delivers an event again for 30 days at most, so none of these comes back as new:
        https://docs.stripe.com/webhooks/process-undelivered-events
        """
        return self.filter(received_at__lt=Now() - EVENTS_KEPT_FOR).exclude(UNHANDLED)


class StripeEvent(Work):
    """The webhook inbox: one row per event of Stripe, however often it is delivered.

    ``payload`` is the event as signed, without client secrets.
    """

    event_id = models.CharField(max_length=100, primary_key=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=200, blank=True)
    customer_id = models.CharField(max_length=100, blank=True)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=10, choices=EventState.choices, default=EventState.RECEIVED)
    handled_at = models.DateTimeField(null=True)

    unfinished = UNHANDLED
    LEASE = timedelta(seconds=60)
    WAITS = Waits(first=timedelta(seconds=15), longest=timedelta(hours=1))
    # About half a day; the nightly reconcile heals what is given up.
    MAX_ATTEMPTS = 20

    objects: ClassVar[StripeEventQuerySet] = StripeEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="stripeevent_unhandled", condition=UNHANDLED),
            models.Index(
                fields=["received_at"], name="stripeevent_parked", condition=Q(state=EventState.FAILED)
            ),
            models.Index(fields=["-received_at"], name="stripeevent_received"),
            models.Index(fields=["customer_id", "-received_at"], name="stripeevent_customer"),
            models.Index(fields=["object_id"], name="stripeevent_object"),
            models.Index(
                fields=["customer_id", "-received_at"],
                name="stripeevent_failed",
                condition=Q(state=EventState.FAILED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class Due(NamedTuple):
    pk: str


# Most rings come for what went with an earlier one: compiled once, they cost next to nothing.
@compiled(Due)
def due_together(event_id: str) -> QuerySet[StripeEvent, Any]:
    """The event, if it is due, and what nobody has tried yet of its customer's others, the first first."""
    customer = StripeEvent.objects.filter(pk=event_id).exclude(customer_id="").values("customer_id")[:1]
    of_customer = Q(attempts=0, customer_id=Subquery(customer))
    due = StripeEvent.objects.due().filter(Q(pk=event_id) | of_customer)
    itself_first = Case(When(pk=event_id, then=0), default=1)
    return due.order_by(itself_first, "received_at").values_list("pk")[: TOGETHER + 1]
