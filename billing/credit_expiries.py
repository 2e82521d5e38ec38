"""Warning people ahead that credits will expire: 30 and 7 days before, once each for what expires together.

Not of what comes again each month by itself: see ``Grant.objects.expiring``.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from billing.methods import WARNED_AHEAD
from billing.notices import tell_of_expiring_credits
from credits.models import ExpiryWarning, Grant
from orgs.models import Organization


def warn_of_expiring_credits() -> None:
    """Safe to run any number of times at once, and to be killed: each warning is noted with its mails."""
    for days in sorted(WARNED_AHEAD):
        warned = ExpiryWarning.objects.filter(
            organization=OuterRef("organization"), expires_at=OuterRef("expires_at"), days__lte=days
        )
        due = Grant.objects.expiring(within=timedelta(days=days)).exclude(Exists(warned))
        for organization_id, expires_at in due.values_list("organization_id", "expires_at").distinct():
            _warn(organization_id, expires_at, days)


@transaction.atomic
def _warn(organization_id: uuid.UUID, expires_at: datetime, days: int) -> None:
    organization = Organization.objects.locked(organization_id)
    warned = ExpiryWarning.objects.for_org(organization).filter(expires_at=expires_at, days__lte=days)
    if organization.closed_at is not None or warned.exists():
        return
    grants = Grant.objects.for_org(organization).expiring(within=timedelta(days=days))
    left = sum(grant.left for grant in grants.filter(expires_at=expires_at).with_left(organization_id))
    if left:
        ExpiryWarning.objects.create(organization=organization, expires_at=expires_at, days=days)
        tell_of_expiring_credits(organization, left=left, expires_at=expires_at, days=days)
