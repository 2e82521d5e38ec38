"""Staff sessions with what was looked at in them, admin requests, and what support staff are told of
their own work.
"""

import uuid
from datetime import date, datetime, timedelta
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import ActorKind
from orgs.models import OfOrganization, Organization

SESSION_LIFE = timedelta(minutes=60)
ADMIN_REQUEST_LIFE = timedelta(days=7)
METHOD_LENGTH, PATH_LENGTH = 10, 2000

ticket_number = RegexValidator(
    r"[A-Za-z0-9](?:[A-Za-z0-9 #/._-]*[A-Za-z0-9])?\Z",
    _("Enter a ticket number: letters and digits, such as 48213 or SUP-48213."),
)


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def open(self, at: datetime | None = None) -> "StaffSessionQuerySet":
        """Those that give power at that time, or now, of people who are support staff still."""
        staff = {"user__is_staff": True, "user__is_active": True}
        return self.filter(ended_at=None, expires_at__gt=at or timezone.now(), **staff)


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
    """An organization whose page was opened in a staff session: its audit log says so, once.

    ``session_id``: no key, since what an organization has refers to nothing beyond it (docs/scaling.md).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_id = models.UUIDField(editable=False)
    organization_id = models.UUIDField(editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("visit of staff")
        verbose_name_plural = _("visits of staff")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "session_id"], name="staffvisit_once")
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}, {self.at:%Y-%m-%d %H:%M} UTC"


class StaffRequest(models.Model):
    """One URL that was asked for in a staff session, written before it was answered.

    ``viewed_as``: the person as whom the portal was seen, if it was.
    """

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(StaffSession, models.PROTECT, related_name="requests")
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    method = models.CharField(_("method"), max_length=METHOD_LENGTH, editable=False)
    path = models.CharField(_("path"), max_length=PATH_LENGTH, editable=False)
    viewed_as = models.UUIDField(_("viewed as"), null=True, editable=False)

    class Meta:
        verbose_name = _("request of staff")
        verbose_name_plural = _("requests of staff")
        ordering = ["-id"]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Proof(models.TextChoices):
    """By what somebody showed that the organization is theirs."""

    DOMAIN = "domain", _("Record in the domain")
    REGISTER = "register", _("Extract of the commercial register")
    PAYMENT = "payment", _("Paid invoice, and what paid it")
    LETTER = "letter", _("Letter that an officer signed")


class AdminRequestState(models.TextChoices):
    ASKED = "asked", _("Asked for")
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    EXPIRED = "expired", _("Expired")


class AdminRequestQuerySet(OfOrganization["AdminRequest"]):
    def open(self) -> "AdminRequestQuerySet":
        """Those that wait for a colleague's answer."""
        return self.filter(state=AdminRequestState.ASKED, expires_at__gt=timezone.now())

    def overdue(self) -> "AdminRequestQuerySet":
        """Those that nobody answered in time."""
        return self.filter(state=AdminRequestState.ASKED, expires_at__lte=timezone.now())


class AdminRequest(models.Model):
    """One of support staff asks that an address becomes an admin; another grants or refuses it.

    ``proof``, ``reference``: by what the ownership was shown, and where that is kept. ``ticket``, ``reason``:
    why it was asked for. ``asked_by``, ``decided_by``: the two people's ids; ``asked_in``, ``decided_in``:
    those of their staff sessions. ``staff_mail``: the address of who asked, as it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="admin_requests")
    email = models.EmailField(_("email address"), max_length=254)
    proof = models.CharField(_("proof of ownership"), max_length=20, choices=Proof.choices)
    reference = models.CharField(_("reference"), max_length=200)
    ticket = models.CharField(_("ticket number"), max_length=40, validators=[ticket_number])
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(
        _("state"), max_length=10, choices=AdminRequestState.choices, default=AdminRequestState.ASKED
    )
    asked_by = models.UUIDField(editable=False)
    asked_in = models.UUIDField(editable=False)
    staff_mail = models.EmailField(_("staff mail"), editable=False)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), editable=False)
    decided_by = models.UUIDField(null=True, editable=False)
    decided_in = models.UUIDField(null=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)

    objects: ClassVar[AdminRequestQuerySet] = AdminRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("admin request")
        verbose_name_plural = _("admin requests")
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(state=AdminRequestState.ASKED),
                name="adminrequest_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="adminrequest_by_two"
            ),
            models.CheckConstraint(
                condition=Q(state=AdminRequestState.ASKED, decided_at=None)
                | Q(state=AdminRequestState.EXPIRED, decided_at__gte=F("expires_at"), decided_by=None)
                | Q(
                    state__in=[AdminRequestState.GRANTED, AdminRequestState.REFUSED],
                    decided_at__lt=F("expires_at"),
                    decided_by__isnull=False,
                    decided_in__isnull=False,
                ),
                name="adminrequest_decided_in_time",
            ),
            models.CheckConstraint(condition=Q(proof__in=Proof.values), name="adminrequest_proof_known"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="adminrequest_email_lower"),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("asked_at") + ADMIN_REQUEST_LIFE),
                name="adminrequest_a_week_at_most",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.email} as admin of {self.organization}"


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
    ADMIN_MADE = "admin_made", _("Make somebody an admin after a proof of ownership")
    SIGNED_OUT = "signed_out", _("Sign a person out everywhere")
    MAIL_SENT_AGAIN = "mail_sent_again", _("Send a mail again, or to another person")
    TIME_GIVEN = "time_given", _("Give more time to pay")
    CREDITS_GIVEN = "credits_given", _("Give credits, or take given ones back")
    CUSTOMER_MOVED = "customer_moved", _("Move a customer to the right organization")
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
