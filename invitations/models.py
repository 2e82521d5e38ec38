"""Invitations: one row for each, kept for good."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pgtrigger
from allauth.account.models import EmailAddress
from django.db import models
from django.db.models import DurationField, ExpressionWrapper, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.registry import Action, Datum
from invitations import actions
from invitations.refusals import Reason
from orgs.acting import Act, OrganizationPrincipal
from orgs.last_days import NOT_PAST, PAST, is_past
from orgs.models import ROLES_WITH_LAST_DAY, Membership, OfOrganization, Organization
from orgs.policy import BILLING_MANAGERS, Permission, Principal, Role, may
from outbox.models import OutgoingEmail


class Kind(models.TextChoices):
    MAIL = "mail", _("Mail")
    LINK = "link", _("Link")


class State(models.TextChoices):
    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    REVOKED = "revoked", _("Revoked")
    EXPIRED = "expired", _("Expired")


# The states in which an invitation ends, each with what the audit log tells of it.
ENDINGS = {
    State.ACCEPTED: actions.ACCEPTED,
    State.DECLINED: actions.DECLINED,
    State.REVOKED: actions.REVOKED,
    State.EXPIRED: actions.EXPIRED,
}


# For how long those who invite are shown that somebody asks for a new invitation.
ASKED_SHOWN = timedelta(days=14)

# The outbox's dedupe key of the mail with an invitation's present link: the id and the generation.
MAIL_KEY = "invitation_sent:%s:%s"


def sees_all(reader: Principal) -> bool:
    """Whether they see the invitations of everybody, and not only what they sent themselves."""
    return may(reader, Permission.BILLING_MANAGERS_LIST_MAILS)


def oldest_live(organization: Organization) -> datetime:
    """Invitations that were sent then, or earlier, have outlived the organization's maximum age."""
    days = organization.invitation_max_age_days
    return datetime.min.replace(tzinfo=UTC) if days is None else timezone.now() - timedelta(days=days)


class InvitationQuerySet(OfOrganization["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        """Not decided yet; some of them may have outlived the organization's maximum age."""
        return self.filter(state=State.PENDING)

    def listed(self) -> "InvitationQuerySet":
        """What those who invite have before them: pending ones, and dead ones that are asked for anew."""
        asked = ~Q(asked_for="") & Q(asked_at__gt=Now() - ASKED_SHOWN)
        return self.filter(Q(state=State.PENDING) | asked)

    def live(self, organization: Organization) -> "InvitationQuerySet":
        """The organization's invitations that can be accepted; each reserves a place."""
        return self.for_org(organization).pending_since(oldest_live(organization))

    def pending_since(self, oldest: datetime) -> "InvitationQuerySet":
        return self.pending().filter(NOT_PAST, sent_at__gt=oldest)

    def beyond(self, organization: Organization, places: int) -> "InvitationQuerySet":
        """The billing managers' invitations without a place; the ones sent first keep the places."""
        waiting = self.live(organization).for_role(Role.BILLING_MANAGER)
        return waiting.order_by("sent_at", "id")[places:]

    def overdue(self, organization: Organization) -> "InvitationQuerySet":
        """The organization's pending invitations that have outlived its maximum age, or their last day."""
        return self.for_org(organization).pending().filter(PAST | Q(sent_at__lte=oldest_live(organization)))

    def for_role(self, role: Role) -> "InvitationQuerySet":
        """Those that would take the same kind of place: billing managers', or everybody else's."""
        if role.is_billing_manager:
            return self.filter(role__in=BILLING_MANAGERS)
        return self.exclude(role__in=BILLING_MANAGERS)

    def visible_to(self, reader: OrganizationPrincipal) -> "InvitationQuerySet":
        """Admins and support staff see all; a billing manager who may invite, what they sent themselves."""
        invitations = self.for_org(reader.organization_id)
        if sees_all(reader):
            return invitations
        if isinstance(reader, Membership) and may(reader, Permission.BILLING_MANAGERS_INVITE):
            return invitations.to_managers_by(reader.user_id)
        return invitations.none()

    def to_managers_by(self, user_id: uuid.UUID) -> "InvitationQuerySet":
        """Those for billing managers that the person sent."""
        return self.for_role(Role.BILLING_MANAGER).filter(invited_by=user_id)

    def delegated(self, organization: Organization) -> "InvitationQuerySet":
        """The pending ones that billing managers sent, by a right that the organization may take back."""
        managers = Membership.objects.for_org(organization).billing_managers()
        return self.for_org(organization).pending().filter(invited_by__in=managers.values("user"))

    def unexpired(self) -> "InvitationQuerySet":
        """Those that their organization's maximum age has not ended, by the database's clock."""
        days = F("organization__invitation_max_age_days")
        age = ExpressionWrapper(days * Value(timedelta(days=1)), output_field=DurationField())
        return self.filter(Q(organization__invitation_max_age_days=None) | Q(sent_at__gt=Now() - age))

    def waiting_for(self, person: uuid.UUID) -> "InvitationQuerySet":
        """What the person can answer by their account alone: for a verified address of theirs, or by a link
        that they opened before their address was verified.
        """
        addresses = EmailAddress.objects.filter(user=person, verified=True).values("email")
        mailed = Invitation.objects.pending().exclude(email="").filter(email__in=addresses)
        held = Invitation.objects.pending().filter(holders=person)
        # Two ways that an index can go each, where an OR would read every invitation.
        return self.unexpired().filter(pk__in=mailed.values("pk").union(held.values("pk")))

    def with_mail_state(self) -> "InvitationQuerySet":
        """Each with ``mail_state``: of the mail with its present link, None where there is none."""
        key = Func(Value(MAIL_KEY), OuterRef("id"), OuterRef("generation"), function="format")
        mails = OutgoingEmail.objects.filter(dedupe_key=key)
        return self.annotate(mail_state=Subquery(mails.values("state")))

    def with_conflict(self) -> "InvitationQuerySet":
        """Each with ``belongs``: the membership, in another role, of who last failed to accept it."""
        theirs = Membership.objects.filter(
            organization=OuterRef("organization"), user__email=OuterRef("last_error_by")
        ).exclude(role=OuterRef("role"))
        return self.annotate(belongs=Subquery(theirs.values("id")[:1]))


class Invitation(models.Model):
    """An offer of one role in one organization to one person.

    ``email``: in lower case; blank for a link, which any account may use, once.
    ``generation``: raised by each resend; links of an older one are dead.
    ``decided_at``: when it left pending, whatever ended it.
    ``ended_because``: why, where the state doesn't say it all.
    ``asked_at``, ``asked_for``: when somebody last asked for a new one in its place, and the address that is
    to get it; blank again once one was sent.
    ``last_error``, ``last_error_by``, ``last_error_at``: why, by whom and when accepting last failed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    email = models.EmailField(_("email address"), max_length=254, blank=True)
    generation = models.PositiveIntegerField(_("generation"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    invited_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        related_name="sent_invitations",
        verbose_name=_("invited by"),
    )
    invited_by_name = models.CharField(_("inviter's name"), max_length=254)
    of_no_person = models.BooleanField(
        _("on no person's right"),
        default=False,
        help_text=_("Sent by the product beside the portal, or by support staff."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    last_day = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        help_text=_("Of a billing manager for a time, in UTC; empty: for good."),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    ended_because = models.CharField(_("ended because"), max_length=20, choices=Reason.choices, blank=True)
    accepted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="accepted_invitations"
    )
    holders = models.ManyToManyField(
        User,
        related_name="held_invitations",
        verbose_name=_("held by"),
        blank=True,
        help_text=_("Of a link: accounts that were made with it and had to prove an address first."),
    )
    decline_message = models.CharField(_("decline message"), max_length=500, blank=True)
    asked_at = models.DateTimeField(_("asked for anew"), null=True, blank=True)
    asked_for = models.EmailField(_("asked for anew by"), max_length=254, blank=True)
    last_error = models.CharField(_("last error"), max_length=20, choices=Reason.choices, blank=True)
    last_error_by = models.CharField(max_length=254, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[InvitationQuerySet] = InvitationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(state=State.PENDING) & ~Q(email=""),
                name="invitation_one_pending_per_address",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.MAIL) & ~Q(email="") | Q(kind=Kind.LINK, email=""),
                name="invitation_mail_has_address",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(role__in=ROLES_WITH_LAST_DAY), name="invitation_last_day_role"
            ),
            models.CheckConstraint(condition=Q(generation__gte=1), name="invitation_generation_positive"),
            models.CheckConstraint(
                condition=Q(state=State.PENDING, decided_at=None)
                | Q(state__in=list(ENDINGS), decided_at__isnull=False),
                name="invitation_decided_once",
            ),
            models.CheckConstraint(
                condition=Q(of_no_person=False) | Q(invited_by=None), name="invitation_of_one_inviter"
            ),
            models.CheckConstraint(
                condition=Q(accepted_by=None) | Q(state=State.ACCEPTED), name="invitation_accepted_by"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "sent_at", "id"],
                condition=Q(state=State.PENDING) | ~Q(asked_for=""),
                name="invitation_org_listed",
            ),
            models.Index(
                fields=["email"],
                condition=Q(state=State.PENDING) & ~Q(email=""),
                name="invitation_email_pending",
            ),
            models.Index(fields=["email"], name="invitation_email", opclasses=["varchar_pattern_ops"]),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.addressee} to {self.organization} as {self.get_role_display()}"

    @property
    def role_in_sentence(self) -> Promise:
        return Role(self.role).in_sentence

    @property
    def addressee(self) -> str:
        """The person whom it is for, as pages and the audit log call them."""
        return actions.addressee(self.email)

    @property
    def expires_at(self) -> datetime | None:
        """When a pending invitation ends by age; None: never. The organization's setting of now counts."""
        return self.organization.invitation_expiry(self.sent_at)

    @property
    def is_overdue(self) -> bool:
        return is_past(self.last_day) or self.organization.outlives_invitation(self.sent_at)

    def end(self, state: State, *, by: Act, because: Reason | None = None) -> None:
        """End a pending invitation in ``state``, save it, and record that."""
        self.state = state
        self.decided_at = timezone.now()
        self.ended_because = because or ""
        self.save(update_fields=["state", "decided_at", "ended_because", "accepted_by", "decline_message"])
        if because is None:
            self.record(ENDINGS[state], by=by)
        else:
            self.record(actions.ENDED, by=by, reason=because.value)

    def record(self, action: Action, *, by: Act, **data: Datum) -> None:
        """Tell the audit log of an act on this invitation."""
        by.record(action, target=(self.pk, self.email), role=self.role, inviter=self.invited_by_name, **data)
