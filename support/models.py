"""What support staff are told of their own work."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models import ActorKind


class Job(models.TextChoices):
    """A job that support staff did by hand where people could not do it alone."""

    MANAGER_INVITED = "manager_invited", _("Invite a billing manager")
    INVITATION_RENEWED = "invitation_renewed", _("Send a billing manager's invitation again")
    INVITATION_REVOKED = "invitation_revoked", _("Revoke a billing manager's invitation")
    MANAGER_REMOVED = "manager_removed", _("Remove a billing manager")
    ROLE_CHANGED = "role_changed", _("Make somebody a billing manager, or a billing manager something else")
    CARD_UPDATED = "card_updated", _("Change what pays")
    DETAILS_CHANGED = "details_changed", _("Change the billing details")
    INVOICE_PAID = "invoice_paid", _("Pay an invoice")
    SUBSCRIPTION_CHANGED = "subscription_changed", _("Change the subscription")


class JobCountQuerySet(models.QuerySet["JobCount"]):
    def of_month(self, first: date) -> "JobCountQuerySet":
        return self.filter(month=first)


class JobCount(models.Model):
    """How often a job was done in a month (UTC; its first day), by people alone or by support staff."""

    month = models.DateField(_("month"))
    job = models.CharField(_("job"), max_length=30, choices=Job.choices)
    done_by = models.CharField(_("done by"), max_length=10, choices=ActorKind.choices)
    count = models.PositiveIntegerField(_("count"))

    objects: ClassVar[JobCountQuerySet] = JobCountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("job count")
        verbose_name_plural = _("job counts")
        ordering = ["-month", "job", "done_by"]
        constraints = [
            models.UniqueConstraint(fields=["month", "job", "done_by"], name="jobcount_once"),
            models.CheckConstraint(condition=models.Q(month__day=1), name="jobcount_first_of_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.get_job_display()}: {self.count}"
