"""One row per mail. Plain ids and snapshots: a row outlives what it is about, and holds no secret."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    CLAIMED = "claimed", _("Being written")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("No longer needed")


UNFINISHED = [State.QUEUED, State.CLAIMED, State.SENDING]
KEPT_FOR = timedelta(days=90)


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self) -> "OutgoingEmailQuerySet":
        """What a worker should take now, by the database's clock: its time has come, or its worker died."""
        return self.filter(
            Q(state=State.QUEUED, next_attempt_at__lte=Now())
            | Q(state__in=[State.CLAIMED, State.SENDING], claimed_until__lte=Now())
        )

    def old(self) -> "OutgoingEmailQuerySet":
        """What was sent, failed or dropped so long ago that the addresses in it need no longer be kept."""
        return self.filter(created_at__lt=Now() - KEPT_FOR).exclude(state__in=UNFINISHED)


class OutgoingEmail(models.Model):
    """A mail on its way. ``params``: what its renderer needs beside the ids, plain values only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    to = models.EmailField(_("recipient"), max_length=254)
    organization_id = models.UUIDField(null=True)
    params = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=200, unique=True)
    message_id = models.CharField(_("Message-ID"), max_length=320)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    error = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    next_attempt_at = models.DateTimeField(db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar[OutgoingEmailQuerySet] = OutgoingEmailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="outgoingemail_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[State.CLAIMED, State.SENDING]) | Q(claimed_until__isnull=False),
                name="outgoingemail_claim_ends",
            ),
            models.CheckConstraint(
                condition=Q(state=State.SENT, sent_at__isnull=False)
                | ~Q(state=State.SENT) & Q(sent_at__isnull=True),
                name="outgoingemail_sent_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], name="outgoingemail_unfinished", condition=Q(state__in=UNFINISHED)
            ),
            models.Index(fields=["organization_id", "-created_at"], name="outgoingemail_org"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"
