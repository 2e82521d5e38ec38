"""Staff sessions with what was looked at in them, and what support staff are told of their own work."""

import uuid
from datetime import date, timedelta
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import ActorKind

SESSION_LIFE = timedelta(minutes=60)
PATH_LENGTH = 2000

ticket_number = RegexValidator(
    r"[A-Za-z0-9](?:[A-Za-z0-9 #/._-]*[A-Za-z0-9])?\Z",
    _("Enter a ticket number: letters and digits, such as 48213 or SUP-48213."),
)


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def open(self) -> "StaffSessionQuerySet":
        """Those that give power now, of people who are support staff still."""
        now = timezone.now()
        staff = {"user__is_staff": True, "user__is_active": True}
        return self.filter(ended_at=None, expires_at__gt=now, **staff)


class StaffSession(models.Model):
    """An hour at most, for one ticket, in which somebody of support staff may look and act.

    ``staff_mail``: their address, as it was: what they did outlives their account.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="staff_sessions"
    )
    staff_mail = models.EmailField(_("staff mail"), editable=False)
    ticket = models.CharField(_("ticket number"), max_length=40, validators=[ticket_number])
    reason = models.CharField(_("reason"), max_length=500)
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)

    objects: ClassVar[StaffSessionQuerySet] = StaffSessionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("staff session")
        verbose_name_plural = _("staff sessions")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("opened_at") + SESSION_LIFE),
                name="staffsession_an_hour_at_most",
            ),
            models.CheckConstraint(condition=~Q(ticket="") & ~Q(reason=""), name="staffsession_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket}, {self.opened_at:%Y-%m-%d %H:%M} UTC"


class StaffVisit(models.Model):
    """An organization whose page was opened in a staff session: its audit log says so, once."""

    session = models.ForeignKey(StaffSession, models.PROTECT, related_name="visits")
    organization_id = models.UUIDField(editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("visit of staff")
        verbose_name_plural = _("visits of staff")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["session", "organization_id"], name="staffvisit_once")]

    def __str__(self) -> str:
        return f"{self.session}: {self.organization_id}"


class StaffRequest(models.Model):
    """One URL that was asked for in a staff session, written before it was answered.

    ``viewed_as``: the person as whom the portal was seen, if it was.
    """

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(StaffSession, models.PROTECT, related_name="requests")
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    method = models.CharField(_("method"), max_length=10, editable=False)
    path = models.CharField(_("path"), max_length=PATH_LENGTH, editable=False)
    viewed_as = models.UUIDField(_("viewed as"), null=True, editable=False)

    class Meta:
        verbose_name = _("request of staff")
        verbose_name_plural = _("requests of staff")
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class SettledRow(models.Model):
    """A row of a queue that staff looked into, and that needs nothing more unless it comes up again.

    ``source``, ``key``: see ``support.queues.base``. Who it was, and why, is in the audit log.
    """

    source = models.CharField(_("source"), max_length=30, editable=False)
    key = models.CharField(_("key"), max_length=200, editable=False)
    settled_at = models.DateTimeField(_("settled at"), default=timezone.now, editable=False)
    session = models.ForeignKey(StaffSession, models.PROTECT, related_name="settled_rows", editable=False)

    class Meta:
        verbose_name = _("settled row")
        verbose_name_plural = _("settled rows")
        ordering = ["-settled_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="settledrow_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.key}"


class Job(models.TextChoices):
    """A job that support staff did by hand where people could not do it alone, or that only staff do."""

    MANAGER_INVITED = "manager_invited", _("Invite a billing manager")
    INVITATION_RENEWED = "invitation_renewed", _("Send a billing manager's invitation again")
    INVITATION_REVOKED = "invitation_revoked", _("Revoke a billing manager's invitation")
    MANAGER_REMOVED = "manager_removed", _("Remove a billing manager")
    ROLE_CHANGED = "role_changed", _("Make somebody a billing manager, or a billing manager something else")
    CARD_UPDATED = "card_updated", _("Change what pays")
    DETAILS_CHANGED = "details_changed", _("Change the billing details")
    INVOICE_PAID = "invoice_paid", _("Pay an invoice")
    SUBSCRIPTION_CHANGED = "subscription_changed", _("Change the subscription")
    OTHERS_MANAGED = "others_managed", _("Invite, remove or change the role of members and admins")
    FAILURE_MENDED = "failure_mended", _("Mend what had failed")


class CountedMonth(models.Model):
    """A month (UTC; its first day) whose jobs were counted, and up to which instant of it."""

    month = models.DateField(_("month"), primary_key=True)
    counted_until = models.DateTimeField(_("counted until"))

    class Meta:
        verbose_name = _("counted month")
        verbose_name_plural = _("counted months")
        ordering = ["-month"]
        constraints = [
            models.CheckConstraint(condition=models.Q(month__day=1), name="countedmonth_first_of_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


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
