"""One row per act. Plain ids and snapshots: a record outlives what it is about."""

import uuid
from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.registry import action_of


class ActorKind(models.TextChoices):
    PERSON = "person", _("Person")
    STAFF = "staff", _("Support staff")
    STRIPE = "stripe", _("Stripe")
    SYSTEM = "system", _("This portal")


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def for_org(self, organization_id: uuid.UUID) -> "AuditEventQuerySet":
        return self.filter(organization_id=organization_id)


class AuditEvent(models.Model):
    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    organization_id = models.UUIDField(null=True, editable=False)
    organization_name = models.CharField(max_length=80, blank=True, editable=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor_name = models.CharField(max_length=254, editable=False)
    action = models.CharField(max_length=60, editable=False)
    target_id = models.CharField(max_length=64, blank=True, editable=False)
    target_name = models.CharField(max_length=254, blank=True, editable=False)
    data = models.JSONField(default=dict, editable=False)

    objects: ClassVar[AuditEventQuerySet] = AuditEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_org_id"),
            models.Index(fields=["organization_id", "action", "-id"], name="audit_org_action_id"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.sentence}"

    @property
    def sentence(self) -> str:
        """What the actor did, to be read after the actor's name."""
        return str(action_of(self.action).sentence) % {**self.data, "target": self.target_name}
