"""How far an organization's credits are settled."""

import uuid
from datetime import timedelta
from typing import ClassVar, Self

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.models import Organization
from work.models import Waits, Work, WorkQuerySet

ALL_IDS = 2**128
BEGIN_MISSING = """
    INSERT INTO credits_ledger (id, organization_id)
    SELECT gen_random_uuid(), id FROM orgs_organization
    WHERE closed_at IS NULL
    AND NOT EXISTS (SELECT FROM credits_ledger WHERE organization_id = orgs_organization.id)
    ON CONFLICT (organization_id) DO NOTHING
"""


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
