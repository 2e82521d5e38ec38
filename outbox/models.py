"""One row per mail. Plain ids and snapshots: a row outlives what it is about, and holds no secret."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from work.models import Waits, Work, WorkQuerySet


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    WRITING = "writing", _("Being written")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("No longer needed")


UNFINISHED = Q(state__in=[State.QUEUED, State.WRITING, State.SENDING])
KEPT_FOR = timedelta(days=90)


class OutgoingEmailQuerySet(WorkQuerySet["OutgoingEmail"]):
    def failed(self) -> "OutgoingEmailQuerySet":
        """Those that were given up, and for which no later one of their kind stands in.

        Refused by the recipient's server, or tried for too long. What an organization sends the same person
        again, or newer, speaks for the older one, unless it failed as well.
        """
        later = OutgoingEmail.objects.filter(
            organization_id=OuterRef("organization_id"),
            kind=OuterRef("kind"),
            to=OuterRef("to"),
            created_at__gt=OuterRef("created_at"),
        )
        return self.filter(~Exists(later.exclude(state=State.FAILED)), state=State.FAILED)

    def old(self) -> "OutgoingEmailQuerySet":
        """What was sent, failed or dropped so long ago that the addresses in it need no longer be kept."""
        return self.filter(created_at__lt=Now() - KEPT_FOR).exclude(UNFINISHED)


class OutgoingEmail(Work):
    """A mail on its way. ``params``: what its renderer needs beside the ids, plain values only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    to = models.EmailField(_("recipient"), max_length=254)
    organization_id = models.UUIDField(null=True)
    params = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=200, unique=True)
    message_id = models.CharField(_("Message-ID"), max_length=320)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.QUEUED)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    unfinished = UNFINISHED
    LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    WAITS = Waits(first=timedelta(seconds=30), longest=timedelta(hours=1))
    # What fails at the provider gets better: 24 attempts take 18 hours.
    MAX_ATTEMPTS = 24

    objects: ClassVar[OutgoingEmailQuerySet] = OutgoingEmailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="outgoingemail_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[State.WRITING, State.SENDING]) | Q(leased_until__isnull=False),
                name="outgoingemail_lease_ends",
            ),
            models.CheckConstraint(
                condition=Q(state=State.SENT, sent_at__isnull=False)
                | ~Q(state=State.SENT) & Q(sent_at__isnull=True),
                name="outgoingemail_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="outgoingemail_unfinished", condition=UNFINISHED),
            models.Index(fields=["created_at"], name="outgoingemail_failed", condition=Q(state=State.FAILED)),
            models.Index(fields=["organization_id", "-created_at"], name="outgoingemail_org"),
            models.Index(fields=["to", "-created_at"], name="outgoingemail_to"),
            models.Index(
                fields=["organization_id", "-created_at"],
                name="outgoingemail_org_failed",
                condition=Q(state=State.FAILED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"

    def reschedule(self, reason: str, **values: object) -> None:
        super().reschedule(reason, state=State.QUEUED, **values)
