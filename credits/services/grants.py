"""Credits that people buy, or support gives, beside those of their period."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from credits.models import BY_STAFF, Grant, GrantKind, Ledger, Voiding
from credits.selectors import prepaid_period

# Of credits that no prepaid period was there for: nobody loses at once what they paid.
WITHOUT_PERIOD = timedelta(days=365)


def grant_bought(*, organization_id: uuid.UUID, source: str, amount: int, paid_at: datetime) -> Grant | None:
    """Grant credits that were paid, until the prepaid period of that day ends. None: granted before."""
    with transaction.atomic():
        ledger = Ledger.objects.locked(organization_id)
        if Grant.objects.for_org(organization_id).filter(source=source).exists():
            return None
        period = prepaid_period(organization_id, at=paid_at)
        grant = Grant.objects.create(
            organization_id=organization_id,
            kind=GrantKind.PAID,
            credits=amount,
            effective_at=paid_at,
            expires_at=period.ends_at if period else paid_at + WITHOUT_PERIOD,
            source=source,
        )
        ledger.make_due()
    return grant


def grant_given(
    *, organization_id: uuid.UUID, key: uuid.UUID, amount: int, expires_at: datetime
) -> Grant | None:
    """Grant credits for nothing, from now on. ``key``: of the one press. None: it granted them before."""
    source = f"{BY_STAFF}{key}"
    with transaction.atomic():
        ledger = Ledger.objects.locked(organization_id)
        if Grant.objects.for_org(organization_id).filter(source=source).exists():
            return None
        grant = Grant.objects.create(
            organization_id=organization_id,
            kind=GrantKind.PROMOTIONAL,
            credits=amount,
            effective_at=timezone.now(),
            expires_at=expires_at,
            source=source,
        )
        ledger.make_due()
    return grant


def void_granted(*, organization_id: uuid.UUID, source: str) -> Grant | None:
    """Let nothing more be burnt of what came from a source. None: there is no such grant that still runs."""
    with transaction.atomic():
        ledger = Ledger.objects.locked(organization_id)
        granted = Grant.objects.for_org(organization_id).filter(source=source, voiding=None).first()
        if granted is None:
            return None
        Voiding.objects.create(organization_id=organization_id, grant=granted, voided_at=timezone.now())
        ledger.make_due()
    return granted
