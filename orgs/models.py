"""Organizations and memberships."""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, Self, TypeVar, cast

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.validators import validate_display_name
from audit.services import Actor
from orgs.compiled import compiled
from orgs.editions import EDITIONS, Edition, edition_of
from orgs.last_days import NOT_PAST, is_past
from orgs.policy import BILLING_MANAGERS, Permission, Role, permissions_of
from orgs.usage_limits import Limit, UsageLimits
from work.transactions import ensure_transaction

# In a constraint, so in an order.
ROLES_WITH_LAST_DAY = [role.value for role in Role if role.is_billing_manager]

# The admins' mail about access requests: how long after the first request it goes, how often at most, and
# how long before that time it takes no more requests, since those may be committed too late for it.
ACCESS_MAIL_WAIT = timedelta(minutes=10)
ACCESS_MAIL_EVERY = timedelta(days=1)
ACCESS_MAIL_CLOSES = timedelta(minutes=1)


Row = TypeVar("Row", bound=models.Model)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def with_admin_known(self) -> "OrganizationQuerySet":
        """Each with ``has_admin``: whether somebody runs it already."""
        admins = Membership.objects.filter(organization=models.OuterRef("pk")).admins()
        return self.annotate(has_admin=models.Exists(admins))

    def locked(self, organization_id: uuid.UUID) -> "Organization":
        """Lock the organization: the first lock of every verb that changes what belongs to it.

        The order everywhere: organization, invitation, membership, billing account. NO KEY, since rows
        that merely point to the organization need not wait.
        """
        ensure_transaction("A lock")
        found = _locked(organization_id)
        if not found:
            raise Organization.DoesNotExist
        return found[0]

    def closing(self) -> "OrganizationQuerySet":
        """Those that an admin has asked to close, and that are not closed yet."""
        return self.filter(closes_after__isnull=False, closed_at=None)


class Organization(UsageLimits):
    """A customer of the SaaS company."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80, validators=[validate_display_name])
    slug = models.SlugField(max_length=50, unique=True)
    external_id = models.CharField(
        _("external id"),
        max_length=100,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text=_("What the product beside the portal calls it; empty: a person created it here."),
    )
    edition_code = models.CharField(
        _("edition"), max_length=30, choices=sorted({(edition.code, edition.name) for edition in EDITIONS})
    )
    seats = models.PositiveIntegerField(
        _("seats"), null=True, blank=True, help_text=_("On the per-seat editions: how many are bought.")
    )
    managers_manage_managers = models.BooleanField(
        _("billing managers may manage billing managers"), default=False
    )
    invitation_max_age_days = models.PositiveSmallIntegerField(
        _("invitations expire after"), null=True, blank=True, help_text=_("In days; empty: never.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    closes_after = models.DateField(
        _("closes after"),
        null=True,
        editable=False,
        help_text=_("The last day, in UTC, on which an admin can undo the closing; empty: it stays."),
    )
    closed_at = models.DateTimeField(
        _("closed"), null=True, editable=False, help_text=_("Since then it belongs to nobody.")
    )
    access_mail_at = models.DateTimeField(
        _("mail about access requests"),
        null=True,
        editable=False,
        help_text=_("When the admins got the last one, or get the next one."),
    )

    objects: ClassVar[OrganizationQuerySet] = OrganizationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(closes_after__isnull=False),
                name="organization_closing_before_closed",
            ),
            models.CheckConstraint(
                condition=models.Q(usage_budget__gt=0), name="organization_budget_of_some"
            ),
            models.CheckConstraint(
                condition=models.Q(usage_stopped_at=None) | models.Q(usage_stops=True),
                name="organization_stops_if_it_is_to",
            ),
            models.CheckConstraint(
                condition=models.Q(usage_reached=0, usage_reached_of="")
                | models.Q(usage_reached__gt=0, usage_reached_of__in=Limit.values),
                name="organization_reached_a_limit",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="organization_created"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="organization_name_parts"),
            models.Index(
                fields=["closes_after"],
                condition=models.Q(closes_after__isnull=False, closed_at=None),
                name="organization_closing",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def edition(self) -> Edition:
        return edition_of(self.edition_code, on=timezone.now().date())

    @property
    def is_closing(self) -> bool:
        """Whether an admin has asked to close it: from then on it can only be read, paid for, and kept."""
        return self.closes_after is not None

    @property
    def is_due_to_close(self) -> bool:
        """Whether its last day has passed: it closes as soon as no subscription renews, see ``billing``."""
        return is_past(self.closes_after)

    def invitation_expiry(self, sent_at: datetime) -> datetime | None:
        """When an invitation sent at that time ends by age; None: never."""
        days = self.invitation_max_age_days
        return None if days is None else sent_at + timedelta(days=days)

    def access_mail_for(self, asked_at: datetime) -> datetime:
        """When the admins get the mail that lists what is asked at that time: soon, and once a day."""
        last = self.access_mail_at
        if last is None:
            return asked_at + ACCESS_MAIL_WAIT
        if last - asked_at > ACCESS_MAIL_CLOSES:
            return last
        return max(asked_at + ACCESS_MAIL_WAIT, last + ACCESS_MAIL_EVERY)

    def outlives_invitation(self, sent_at: datetime) -> bool:
        expiry = self.invitation_expiry(sent_at)
        return expiry is not None and expiry <= timezone.now()


@compiled(Organization)
def _locked(organization: uuid.UUID) -> models.QuerySet[Organization]:
    return Organization.objects.filter(pk=organization).select_for_update(no_key=True)


class OfOrganization(models.QuerySet[Row]):
    """The base of every queryset whose rows have an ``organization``."""

    def for_org(self, organization: Organization | uuid.UUID) -> Self:
        return self.filter(organization=organization)


class MembershipQuerySet(OfOrganization["Membership"]):
    def of_person(self, user_id: uuid.UUID) -> "MembershipQuerySet":
        """The person's memberships, each with its organization."""
        return self.current().filter(user=user_id).select_related("organization")

    def current(self) -> "MembershipQuerySet":
        """Without those whose last day has passed, from its end on: their rows may stay for some minutes."""
        return self.filter(NOT_PAST)

    def admins(self) -> "MembershipQuerySet":
        """Admins who can sign in: a person whose account was shut can't run the organization."""
        return self.filter(role=Role.ADMIN, user__is_active=True)

    def billing_managers(self) -> "MembershipQuerySet":
        return self.filter(role__in=BILLING_MANAGERS)

    def members(self) -> "MembershipQuerySet":
        """All who count as members and take a seat: everybody but billing managers."""
        return self.exclude(role__in=BILLING_MANAGERS)


class PersonalToken(Protocol):
    """By which a person acts: see ``tokens.models.AccessToken``, and ``programs.models.Connection``."""

    id: uuid.UUID

    @property
    def name(self) -> str: ...

    def restrict(self, granted: frozenset[Permission]) -> frozenset[Permission]:
        """What the person may do by it; ``granted``: what they may do themselves."""

    def read_anew(self, organization: Organization) -> "PersonalToken":
        """As it is now. Raises an ObjectDoesNotExist when it has ended."""


class Membership(models.Model):
    """One person's one role in one organization.

    ``token``: the access token or program by which the person acts; None: they act themselves.
    """

    token: PersonalToken | None = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Each is the first column of other indexes. One of its own is what Postgres would take where it can't
    # know how large an organization is, to read all of a large one.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    last_day = models.DateField(
        _("last day"),
        null=True,
        blank=True,
        help_text=_("Of a billing manager for a time, in UTC; empty: for good."),
    )
    dismissed = models.JSONField(
        default=list,
        editable=False,
        help_text=_("Codes of the hints on pages that the person needs no more."),
    )

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_one_per_person"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
            models.CheckConstraint(
                condition=models.Q(last_day=None) | models.Q(role__in=ROLES_WITH_LAST_DAY),
                name="membership_last_day_role",
            ),
        ]
        indexes = [
            models.Index(
                fields=["last_day"],
                condition=models.Q(last_day__isnull=False),
                name="membership_last_day",
            ),
            models.Index(fields=["organization", "role"], name="membership_org_role"),
            models.Index(fields=["organization", "joined_at", "id"], name="membership_org_joined"),
            models.Index(fields=["user", "joined_at", "id"], name="membership_user_joined"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.get_role_display()}"

    @property
    def permissions(self) -> frozenset[Permission]:
        if is_past(self.last_day):
            return frozenset()
        delegated = self.organization.managers_manage_managers
        closing = self.organization.is_closing
        granted = permissions_of(Role(self.role), delegated=delegated, closing=closing)
        return granted if self.token is None else self.token.restrict(granted)

    @property
    def actor(self) -> Actor:
        return Actor.person(self.user, token=self.token)

    def read_anew(self, organization: Organization) -> Self:
        """As it is now, in the organization as it is now. Raises an ObjectDoesNotExist when it has ended."""
        found = cast("Self", Membership.objects.current().select_related("user").get(pk=self.pk))
        found.organization = organization
        found.token = self.token.read_anew(organization) if self.token else None
        return found


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "AccessRequestQuerySet":
        return self.filter(membership__organization=organization)


class AccessRequest(models.Model):
    """A person asks the organization's admins for a permission; the mail of ``mail_at`` lists it.

    It ends with the membership. Asking again after that mail renews the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="access_requests")
    permission = models.CharField(max_length=60)
    asked_at = models.DateTimeField()
    mail_at = models.DateTimeField()

    objects: ClassVar[AccessRequestQuerySet] = AccessRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "permission"], name="accessrequest_once"),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.permission}"
