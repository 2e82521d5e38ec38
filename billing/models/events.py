"""What we hear from Stripe."""

import json
from datetime import timedelta
from typing import ClassVar

from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from work.models import Waits, Work, WorkQuerySet


class EventState(models.TextChoices):
    RECEIVED = "received", _("Received")
    DONE = "done", _("Done")
    IGNORED = "ignored", _("Ignored")
    FAILED = "failed", _("Failed")


UNHANDLED = Q(state=EventState.RECEIVED)
EVENTS_KEPT_FOR = timedelta(days=90)


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
            models.Index(fields=["-received_at"], name="stripeevent_received"),
            models.Index(fields=["customer_id", "-received_at"], name="stripeevent_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
