"""The ledger of an organization's credits. Its rows are added, and never changed or deleted.

Credits are whole numbers: one is one resource for one hour. An hour is a UTC clock hour, named by its
beginning, and belongs to the span that its beginning lies in.
"""

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

import pgtrigger
from django.db import connection, models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from credits.burning import Pool
from orgs.models import OfOrganization, Organization
from work.models import Waits, Work, WorkQuerySet

# The source of a grant that comes with a period begins so; then its start.
OF_PERIOD = "period:"

OF_ONE_ORGANIZATION = """
    IF NOT EXISTS (
        SELECT FROM credits_grant WHERE id = NEW.grant_id AND organization_id = NEW.organization_id
    ) THEN
        RAISE EXCEPTION 'An entry is about a grant of its own organization.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_of_one_organization';
    END IF;
    RETURN NEW;
"""


ALL_IDS = 2**128
BEGIN_MISSING = """
    INSERT INTO credits_ledger (id, organization_id)
    SELECT gen_random_uuid(), id FROM orgs_organization
    WHERE closed_at IS NULL
    AND NOT EXISTS (SELECT FROM credits_ledger WHERE organization_id = orgs_organization.id)
    ON CONFLICT (organization_id) DO NOTHING
"""


MONTH = timedelta(days=31)


def append_only() -> pgtrigger.Trigger:
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def of_one_organization() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="of_one_organization",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__grant__isnull=False),
        func=OF_ONE_ORGANIZATION,
    )


class LedgerQuerySet(WorkQuerySet["Ledger"]):
    def locked(self, organization_id: uuid.UUID) -> "Ledger":
        """The organization's ledger, locked; made when it is missing. It is the last lock of all."""
        ledger, _created = self.select_for_update().get_or_create(organization_id=organization_id)
        return ledger

    def part(self, number: int, of: int) -> Self:
        """The part of that number, from 0, of so many: each has about as many, since ids are random."""
        first, end = ALL_IDS * number // of, ALL_IDS * (number + 1) // of
        rows = self.filter(pk__gte=uuid.UUID(int=first))
        return rows if end == ALL_IDS else rows.filter(pk__lt=uuid.UUID(int=end))

    def begin_missing(self) -> None:
        """Make the ledgers that organizations lack. Safe to run at once."""
        with connection.cursor() as cursor:
            cursor.execute(BEGIN_MISSING)


class Ledger(Work):
    """How far an organization's credits are settled. As a row of work it is settled each hour.

    ``settled_until``: the hours before it have been counted. ``closed_until``: what was booked before it
    stays as it is, and hours before it that are counted later are booked at it; null until it is settled
    for the first time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.OneToOneField(
        Organization, verbose_name=_("organization"), on_delete=models.PROTECT, related_name="+"
    )
    settled_until = models.DateTimeField(_("settled until"), null=True)
    closed_until = models.DateTimeField(_("closed until"), null=True)

    unfinished = Q()
    LEASE = timedelta(minutes=1)
    WAITS = Waits(first=timedelta(minutes=1), longest=timedelta(hours=1))
    EVERY = timedelta(hours=1)

    objects: ClassVar[LedgerQuerySet] = LedgerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("ledger")
        verbose_name_plural = _("ledgers")
        indexes = [models.Index(fields=["next_attempt_at"], name="ledger_due")]

    def __str__(self) -> str:
        return str(self.organization)

    def make_due(self) -> None:
        """Let the next sweep settle it: there are other grants or terms. Call it with the ledger locked."""
        Ledger.objects.filter(pk=self.pk).update(next_attempt_at=Now())


class Period(models.Model):
    """The terms on which credits are counted from ``starts_at`` up to ``ends_at``, or to the next period.

    ``credit_price``: US dollars for a credit on demand; null where the edition counts no credits.
    ``credits``: how many come with a whole period of these terms.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    edition_code = models.CharField(_("edition"), max_length=30)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    credit_price = models.DecimalField(_("price of a credit"), max_digits=16, decimal_places=10, null=True)
    credits = models.PositiveBigIntegerField(_("credits"), default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["Period"]] = OfOrganization["Period"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("period of credits")
        verbose_name_plural = _("periods of credits")
        constraints = [
            models.UniqueConstraint(fields=["organization", "starts_at"], name="credit_period_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="credit_period_lasts"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.edition_code}, {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M}"


class GrantQuerySet(OfOrganization["Grant"]):
    def expiring(self, *, within: timedelta) -> "GrantQuerySet":
        """Those that run now and expire soon, but for promotional ones of a month, which come again."""
        comes_again = Q(kind=GrantKind.PROMOTIONAL, expires_at__lte=F("effective_at") + MONTH)
        running = self.filter(effective_at__lte=Now(), expires_at__gt=Now(), voiding=None)
        return running.filter(expires_at__lte=Now() + within).exclude(comes_again)

    def with_left(self, organization_id: uuid.UUID) -> "GrantQuerySet":
        """Each with ``left``: what isn't burnt of it."""
        last = Entry.objects.for_org(organization_id).filter(grant=OuterRef("pk")).order_by("-number")
        # The types take what the model declares for a second attribute of that name.
        return self.annotate(
            left=Coalesce(Subquery(last.values("left")[:1]), "credits", output_field=models.BigIntegerField())
        )  # type: ignore[no-redef]


class GrantKind(models.TextChoices):
    PAID = "paid", _("Paid")
    PROMOTIONAL = "promotional", _("Promotional")


class Grant(models.Model):
    """Credits given for a span. ``source``: what they come from, of which there is one grant.

    ``priority``: of those that expire together the lowest is burnt first. ``left``: only of grants
    ``with_left``.
    """

    left: int

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=12, choices=GrantKind.choices)
    credits = models.PositiveBigIntegerField(_("credits"))
    effective_at = models.DateTimeField(_("effective"))
    expires_at = models.DateTimeField(_("expires"))
    priority = models.SmallIntegerField(_("priority"), default=0)
    source = models.CharField(_("source"), max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[GrantQuerySet] = GrantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(fields=["organization", "source"], name="grant_once"),
            models.CheckConstraint(condition=Q(kind__in=GrantKind.values), name="grant_kind_known"),
            models.CheckConstraint(condition=Q(credits__gt=0), name="grant_of_some"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("effective_at")), name="grant_lasts"),
        ]
        indexes = [models.Index(fields=["organization", "expires_at"], name="grant_org_expires")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.credits:,} ({self.kind}, {self.source})"

    @property
    def voided_at(self) -> datetime | None:
        voiding: Voiding | None = getattr(self, "voiding", None)
        return voiding.voided_at if voiding else None

    @property
    def ends_at(self) -> datetime:
        """From when on nothing of it can be burnt."""
        return min(filter(None, (self.expires_at, self.voided_at)))

    def pool(self, left: int) -> Pool:
        """What can be burnt of it, where so many are left."""
        return Pool(
            grant_id=self.pk,
            promotional=self.kind == GrantKind.PROMOTIONAL,
            priority=self.priority,
            effective_at=self.effective_at,
            expires_at=self.expires_at,
            ends_at=self.ends_at,
            left=left,
        )


class ExpiryWarning(models.Model):
    """That people were warned, so many ``days`` ahead, of the credits that expire together then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    expires_at = models.DateTimeField(_("expires"))
    days = models.PositiveSmallIntegerField(_("days ahead"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["ExpiryWarning"]] = OfOrganization["ExpiryWarning"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("warning of an expiry")
        verbose_name_plural = _("warnings of expiries")
        constraints = [
            models.UniqueConstraint(fields=["organization", "expires_at", "days"], name="expiry_warned_once")
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.expires_at:%Y-%m-%d}, {self.days} days ahead"


class Voiding(models.Model):
    """The counter-entry of a grant: from ``voided_at`` on nothing of it can be burnt."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    grant = models.OneToOneField(
        Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="voiding"
    )
    voided_at = models.DateTimeField(_("voided"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("voided grant")
        verbose_name_plural = _("voided grants")
        indexes = [models.Index(fields=["organization", "voided_at"], name="voiding_org")]
        triggers = [append_only(), of_one_organization()]

    def __str__(self) -> str:
        return f"{self.grant}, {self.voided_at:%Y-%m-%d %H:%M}"


class Entry(models.Model):
    """Credits burnt of a grant in one hour, or consumed in it on demand; a negative one takes back.

    ``number``: the entries of an organization are numbered from 1 without a gap. ``booked_at``: when the
    credits count, which says of which period they are; later than ``hour`` where that was closed already.
    ``left``: of the grant, after this entry; null on demand.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    number = models.PositiveBigIntegerField(_("number"))
    grant = models.ForeignKey(
        Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    hour = models.DateTimeField(_("hour"))
    booked_at = models.DateTimeField(_("booked"))
    credits = models.BigIntegerField(_("credits"))
    left = models.BigIntegerField(_("left of the grant"), null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["Entry"]] = OfOrganization["Entry"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("entry of a ledger")
        verbose_name_plural = _("entries of ledgers")
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="entry_number_once"),
            models.CheckConstraint(condition=Q(number__gt=0), name="entry_numbered_from_one"),
            models.CheckConstraint(condition=~Q(credits=0), name="entry_of_some"),
            models.CheckConstraint(condition=Q(booked_at__gte=F("hour")), name="entry_booked_after_hour"),
            models.CheckConstraint(
                condition=Q(grant=None, left=None) | Q(grant__isnull=False, left__gte=0),
                name="entry_within_grant",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "booked_at"], name="entry_org_booked"),
            models.Index(fields=["organization", "hour"], name="entry_org_hour"),
            models.Index(
                fields=["organization", "grant", "-number"],
                name="entry_org_grant",
                condition=Q(grant__isnull=False),
            ),
        ]
        triggers = [append_only(), of_one_organization()]

    def __str__(self) -> str:
        return f"{self.number}: {self.credits:+,} ({self.hour:%Y-%m-%d %H})"

    @property
    def is_late(self) -> bool:
        """Whether the period of its hour was closed when it was counted."""
        return self.booked_at > self.hour


class OnDemandCharge(models.Model):
    """The credits on demand of a closed span, which is invoiced once, together. It never changes.

    ``credits``: below zero where more was taken back than consumed. ``price``: US dollars for a credit.
    ``amount``: in cents of US dollars; 0: too few to cost a cent, so that nothing is invoiced.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))
    credits = models.BigIntegerField(_("credits"))
    price = models.DecimalField(_("price of a credit"), max_digits=16, decimal_places=10)
    amount = models.BigIntegerField(_("amount"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[OfOrganization["OnDemandCharge"]] = OfOrganization["OnDemandCharge"].as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("charge of on-demand credits")
        verbose_name_plural = _("charges of on-demand credits")
        constraints = [
            models.UniqueConstraint(fields=["organization", "since"], name="on_demand_charge_once"),
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="on_demand_charge_lasts"),
            models.CheckConstraint(condition=~Q(credits=0), name="on_demand_charge_of_some"),
        ]
        indexes = [models.Index(fields=["since", "id"], name="on_demand_charge_month")]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.credits:,} ({self.since:%Y-%m-%d %H:%M} – {self.until:%Y-%m-%d %H:%M})"
