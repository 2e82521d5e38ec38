"""One row per act. Plain ids and snapshots: a record outlives what it is about."""

import uuid
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.registry import Action, UnknownActionError, action_of


class ActorKind(models.TextChoices):
    PERSON = "person", gettext_lazy("Person")
    TOKEN = "token", gettext_lazy("Access token")
    STAFF = "staff", gettext_lazy("Support staff")
    STRIPE = "stripe", gettext_lazy("Stripe")
    SYSTEM = "system", gettext_lazy("This portal")
    HOST = "host", gettext_lazy("The product")


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def for_org(self, organization_id: uuid.UUID) -> "AuditEventQuerySet":
        return self.filter(organization_id=organization_id)


class AuditEvent(models.Model):
    """``token_id``, ``token_name``: of the access token by which the person, or the product, acted; empty: in
    person. ``ticket``, ``reason``: why support staff acted, as they wrote it; ``actor_id`` is
    their session's.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    organization_id = models.UUIDField(null=True, editable=False)
    organization_name = models.CharField(max_length=80, blank=True, editable=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor_name = models.CharField(max_length=254, editable=False)
    token_id = models.UUIDField(null=True, editable=False)
    token_name = models.CharField(max_length=80, blank=True, editable=False)
    ticket = models.CharField(max_length=40, blank=True, editable=False)
    reason = models.CharField(max_length=500, blank=True, editable=False)
    action = models.CharField(max_length=60, editable=False)
    target_id = models.CharField(max_length=64, blank=True, editable=False)
    target_name = models.CharField(max_length=254, blank=True, editable=False)
    data = models.JSONField(default=dict, editable=False)

    objects: ClassVar[AuditEventQuerySet] = AuditEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = gettext_lazy("audit event")
        verbose_name_plural = gettext_lazy("audit events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_org_id"),
            models.Index(fields=["organization_id", "action", "-id"], name="audit_org_action_id"),
            # Rows come in the order of time, so a month of them lies together.
            BrinIndex(fields=["created_at"], name="audit_created_at"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.actor} {self.sentence}"

    @property
    def actor(self) -> str:
        """Who acted, as the reader calls them."""
        if self.actor_kind in {ActorKind.HOST, ActorKind.STAFF}:
            return str(ActorKind(self.actor_kind).label)
        name = self._kind_of_act.actor(self.actor_name) if self._kind_of_act else self.actor_name
        if not self.token_name:
            return name
        return _("%(person)s, by the access token %(token)s,") % {"person": name, "token": self.token_name}

    @property
    def why(self) -> str:
        """For which ticket, and why, support staff acted; empty for everybody else."""
        if not self.ticket:
            return ""
        return _("Ticket %(ticket)s: %(reason)s") % {"ticket": self.ticket, "reason": self.reason}

    @property
    def target(self) -> str:
        """What was changed, as the reader calls it."""
        return self._kind_of_act.target(self.target_name) if self._kind_of_act else self.target_name

    @property
    def sentence(self) -> str:
        """What the actor did, in the reader's language, to be read after the actor's name."""
        try:
            return action_of(self.action).told(target=self.target_name, data=self.data)
        except (LookupError, TypeError, ValueError):
            # An old event: the action, its sentence or a code in its data has changed since.
            return _("did something that this version can't describe: %(action)s") % {"action": self.action}

    @property
    def _kind_of_act(self) -> Action | None:
        try:
            return action_of(self.action)
        except UnknownActionError:
            return None
