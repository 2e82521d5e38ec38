"""Hours, counts and terms of credits for tests."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from credits.models import Entry, Grant, GrantKind
from credits.services.periods import Terms, follow_terms
from credits.services.settling import settle
from orgs.models import Organization
from usage.models import OrganizationHour

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (10, 11, 12))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def count(organization: Organization, hours: dict[datetime, int]) -> None:
    """As usage counts them: what it knows of an hour by now."""
    OrganizationHour.objects.bulk_create(
        (OrganizationHour(organization=organization, hour=hour, resources=n) for hour, n in hours.items()),
        update_conflicts=True,
        unique_fields=["organization", "hour"],
        update_fields=["resources"],
    )


def settled(organization: Organization, hours: dict[datetime, int], *begun: Terms) -> None:
    """Begin the periods of these terms, count the hours, and settle what is over by now."""
    for one in begun:
        follow_terms(organization_id=organization.pk, terms=one)
    count(organization, hours)
    settle(organization_id=organization.pk, until=timezone.now())


def terms(since: datetime = NOVEMBER, until: datetime = DECEMBER, **fields: Any) -> Terms:
    """150,000 promotional credits, unless ``fields`` say otherwise."""
    usual: dict[str, Any] = {
        "edition_code": "team-growth",
        "is_exact": True,
        "credit_price": Decimal("0.00025"),
        "kind": GrantKind.PROMOTIONAL,
        "credits": 150_000,
    }
    return Terms(since=since, until=until, **{**usual, **fields})


def grant(organization: Organization, amount: int, **fields: Any) -> Grant:
    usual = {"kind": GrantKind.PAID, "effective_at": NOVEMBER, "expires_at": DECEMBER}
    source = str(uuid.uuid4())
    return Grant.objects.create(
        **{"organization": organization, "credits": amount, "source": source, **usual, **fields}
    )


Net = dict[tuple[datetime, datetime, Any], int]


def net(organization: Organization) -> Net:
    """What the ledger comes to: by when it is booked, hour, and credits of the grant (None: on demand)."""
    sums: Net = {}
    for entry in Entry.objects.for_org(organization).select_related("grant").order_by("number"):
        key = (entry.booked_at, entry.hour, entry.grant and entry.grant.source)
        sums[key] = sums.get(key, 0) + entry.credits
    return {key: total for key, total in sums.items() if total}


def burnt_of(organization: Organization) -> dict[str | None, int]:
    """In all, by the source of the grant; None: on demand."""
    totals: dict[str | None, int] = {}
    for (_booked, _hour, source), amount in net(organization).items():
        totals[source] = totals.get(source, 0) + amount
    return totals
