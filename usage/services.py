"""Recording of usage."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orgs.errors import Refused
from orgs.models import Organization
from usage.models import Stack
from usage.partitions import ensure_partitions

MOST_RESOURCES = 2_147_483_647
LONGEST_NAME = 100
# Older hours belong to periods long invoiced; the bound also keeps stray dates from making partitions.
OLDEST = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class HourlyReading:
    """How many resources a stack held in one clock hour: ``hour`` is its beginning, aware."""

    stack: str
    hour: datetime
    resources: int


def record_counts(*, organization_id: uuid.UUID, counts: Iterable[HourlyReading]) -> None:
    """Record readings and bring the roll-ups up to date, all or nothing; a new stack name makes the stack.

    A reading that is sent again changes nothing; of several for one stack and hour the greatest stays.
    Raises Refused for a reading that can't be, and Organization.DoesNotExist.
    """
    greatest = _greatest(counts)
    if not greatest:
        return
    ensure_partitions({hour.date() for _stack, hour in greatest})
    with transaction.atomic():
        Organization.objects.locked(organization_id)
        _write_counts(organization_id, greatest)
        hours = {hour for _stack, hour in greatest}
        _roll_up_hours(organization_id, hours)
        _roll_up_days(organization_id, hours)


def _greatest(counts: Iterable[HourlyReading]) -> dict[tuple[str, datetime], int]:
    now = timezone.now()
    greatest: dict[tuple[str, datetime], int] = {}
    for reading in counts:
        hour = _checked_hour(reading, now)
        greatest[reading.stack, hour] = max(reading.resources, greatest.get((reading.stack, hour), 0))
    return greatest


def _checked_hour(reading: HourlyReading, now: datetime) -> datetime:
    """The reading's hour in UTC. Raises Refused when anything about the reading is impossible."""
    if not 0 < len(reading.stack) <= LONGEST_NAME or not reading.stack.isprintable():
        raise Refused(
            _("Give every stack a name of 1 to %(most)s printable characters.") % {"most": LONGEST_NAME}
        )
    if not 0 <= reading.resources <= MOST_RESOURCES:
        raise Refused(
            _("Give a count between 0 and %(most)s for %(stack)s.")
            % {"most": MOST_RESOURCES, "stack": reading.stack}
        )
    if timezone.is_naive(reading.hour):
        raise Refused(_("Give every hour with its time zone."))
    hour = reading.hour.astimezone(UTC)
    if hour.minute or hour.second or hour.microsecond:
        raise Refused(_("Give every hour as a full UTC hour, not %(hour)s.") % {"hour": hour.isoformat()})
    if hour > now:
        raise Refused(_("Send %(hour)s again once that hour has begun.") % {"hour": hour.isoformat()})
    if hour < now - OLDEST:
        raise Refused(
            _("Send only hours of the last %(days)s days, not %(hour)s.")
            % {"days": OLDEST.days, "hour": hour.isoformat()}
        )
    return hour


def _write_counts(organization_id: uuid.UUID, greatest: dict[tuple[str, datetime], int]) -> None:
    stacks = _stack_ids(organization_id, {name for name, _hour in greatest})
    rows = [(stacks[name], hour, resources) for (name, hour), resources in greatest.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_hourlycount AS kept (organization_id, stack_id, hour, resources)"
            " SELECT %s, * FROM unnest(%s::uuid[], %s::timestamptz[], %s::integer[])"
            " ON CONFLICT (organization_id, hour, stack_id)"
            " DO UPDATE SET resources = EXCLUDED.resources WHERE kept.resources < EXCLUDED.resources",
            [organization_id, *(list(column) for column in zip(*rows, strict=True))],
        )


def _stack_ids(organization_id: uuid.UUID, names: set[str]) -> dict[str, uuid.UUID]:
    known = dict(
        Stack.objects.filter(organization_id=organization_id, name__in=names).values_list("name", "id")
    )
    new = Stack.objects.bulk_create(
        Stack(organization_id=organization_id, name=name) for name in sorted(names - known.keys())
    )
    return known | {stack.name: stack.pk for stack in new}


def _roll_up_hours(organization_id: uuid.UUID, hours: Collection[datetime]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_organizationhour (organization_id, hour, resources)"
            " SELECT organization_id, hour, sum(resources) FROM usage_hourlycount"
            " WHERE organization_id = %s AND hour = ANY(%s) GROUP BY organization_id, hour"
            " ON CONFLICT (organization_id, hour) DO UPDATE SET resources = EXCLUDED.resources",
            [organization_id, list(hours)],
        )


def _roll_up_days(organization_id: uuid.UUID, hours: Collection[datetime]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_organizationday (organization_id, day, resource_hours, hours_counted)"
            " SELECT organization_id, day, sum(resources), count(*) FROM unnest(%s::date[]) AS day"
            " JOIN usage_organizationhour ON organization_id = %s"
            " AND hour >= day::timestamp AT TIME ZONE 'UTC'"
            " AND hour < (day + 1)::timestamp AT TIME ZONE 'UTC'"
            " GROUP BY organization_id, day"
            " ON CONFLICT (organization_id, day)"
            " DO UPDATE SET resource_hours = EXCLUDED.resource_hours, hours_counted = EXCLUDED.hours_counted",
            [list({hour.date() for hour in hours}), organization_id],
        )
