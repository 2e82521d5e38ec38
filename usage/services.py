"""Recording of usage.

Batches of one organization are recorded one after another, those of others meanwhile. All of a batch comes
in one transaction: its rows, and what they add to the hours and days of the organization and to the hours of
its labels. So roll-ups are always the sums of the rows. Recording takes no lock of the organization, only its
own: ``usage.settling``.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from orgs.acting import OrganizationPrincipal
from orgs.models import Organization
from orgs.policy import Permission, ensure
from usage.partitions import ensure_partitions
from usage.readings import Batch, HourlyReading
from usage.settling import hold_recording, settled_until

# Of a program, in seconds.
LONGEST_WAIT = 5.0

# Kept for each connection, and emptied when a transaction ends.
BATCH_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS usage_batch (
    stack text NOT NULL, hour timestamptz NOT NULL, resources integer NOT NULL
) ON COMMIT DELETE ROWS
"""

NEW_STACKS = """
INSERT INTO usage_stack (id, organization_id, name, created_at)
SELECT gen_random_uuid(), %(organization)s, name, statement_timestamp()
FROM (SELECT DISTINCT stack AS name FROM usage_batch) AS named
WHERE NOT EXISTS (
    SELECT FROM usage_stack WHERE organization_id = %(organization)s AND usage_stack.name = named.name
)
"""

# A part of a statement sees the tables as they were before it: so ``before`` finds what a row replaces.
# Greater counts stay and new rows come, so that nothing that is added is below zero.
ROWS_AND_HOURS = """
WITH changed AS (
    INSERT INTO usage_hourlycount AS kept (organization_id, hour, stack_id, resources)
    SELECT %(organization)s, batch.hour, stack.id, batch.resources
    FROM usage_batch AS batch
    JOIN usage_stack AS stack ON stack.organization_id = %(organization)s AND stack.name = batch.stack
    ORDER BY batch.hour, stack.id
    ON CONFLICT (organization_id, hour, stack_id)
    DO UPDATE SET resources = EXCLUDED.resources WHERE kept.resources < EXCLUDED.resources
    RETURNING hour, stack_id, resources
), differences AS (
    SELECT hour, stack_id, resources - coalesce((
        SELECT before.resources FROM usage_hourlycount AS before
        WHERE before.organization_id = %(organization)s
        AND before.hour = changed.hour AND before.stack_id = changed.stack_id
    ), 0) AS added
    FROM changed
), hours AS (
    SELECT hour, hour < %(settled)s AS is_late, count(*) AS readings, sum(added) AS added
    FROM differences GROUP BY hour
), labeled AS (
    INSERT INTO usage_labelhour AS kept (organization_id, hour, label, resources)
    SELECT %(organization)s, hour, cost_label, sum(added) FROM differences
    JOIN usage_stack ON usage_stack.organization_id = %(organization)s AND cost_label <> ''
    AND usage_stack.id = stack_id
    GROUP BY hour, cost_label ORDER BY hour, cost_label
    ON CONFLICT (organization_id, hour, label) DO UPDATE SET resources = kept.resources + EXCLUDED.resources
), rolled_up AS (
    INSERT INTO usage_organizationhour AS kept (organization_id, hour, resources)
    SELECT %(organization)s, hour, added FROM hours ORDER BY hour
    ON CONFLICT (organization_id, hour) DO UPDATE SET resources = kept.resources + EXCLUDED.resources
)
SELECT coalesce(sum(readings), 0)::integer, coalesce(sum(readings) FILTER (WHERE is_late), 0)::integer,
    coalesce(array_agg(DISTINCT (hour AT TIME ZONE 'UTC')::date), '{}')
FROM hours
"""

DAYS = """
INSERT INTO usage_organizationday (organization_id, day, resource_hours, hours_counted)
SELECT organization_id, day, sum(resources), count(*) FROM unnest(%(days)s::date[]) AS day
JOIN usage_organizationhour ON organization_id = %(organization)s
AND hour >= day::timestamp AT TIME ZONE 'UTC' AND hour < (day + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY organization_id, day
ON CONFLICT (organization_id, day)
DO UPDATE SET resource_hours = EXCLUDED.resource_hours, hours_counted = EXCLUDED.hours_counted
"""


@dataclass(frozen=True)
class Recorded:
    """What became of readings. ``taken``: they are new, or greater than what was known; ``late``: so many of
    them for hours whose period is settled; ``unchanged``: nothing had to be changed for them.
    """

    taken: int
    late: int
    unchanged: int


NOTHING = Recorded(0, 0, 0)


def record_counts(*, organization_id: uuid.UUID, counts: Iterable[HourlyReading]) -> Recorded:
    """Record readings and bring the roll-ups up to date, all or nothing; a new stack name makes the stack.

    A reading that is sent again changes nothing; of several for one stack and hour the greatest stays.
    Raises Refused for a reading that can't be, and Organization.DoesNotExist.
    """
    return record_batch(organization_id=organization_id, batch=Batch.of(counts))


def record_batch(
    *, organization_id: uuid.UUID, batch: Batch, actor: OrganizationPrincipal | None = None
) -> Recorded:
    """The same of a batch. ``actor``: a program, whose right is asked for anew after other batches.

    It doesn't wait for those for long, since it takes a thread of the web meanwhile. Raises RefusedForNow,
    Denied, Organization.DoesNotExist, and an ObjectDoesNotExist for a token that has ended.
    """
    if not batch.greatest:
        return NOTHING
    # Before the transaction, since making a partition locks the table.
    ensure_partitions({hour.date() for _stack, hour in batch.greatest})
    with transaction.atomic():
        _copy(batch)
        if not hold_recording(organization_id, wait=None if actor is None else LONGEST_WAIT):
            raise Organization.DoesNotExist
        if actor is not None:
            now = actor.read_anew(Organization.objects.get(pk=organization_id))
            ensure(now, Permission.USAGE_RECORD)
        return _record(organization_id, batch)


def _copy(batch: Batch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BATCH_TABLE)
        # Of an earlier batch in the same transaction.
        cursor.execute("DELETE FROM usage_batch")
        with cursor.copy("COPY usage_batch (stack, hour, resources) FROM STDIN") as copy:
            for (stack, hour), resources in batch.greatest.items():
                copy.write_row((stack, hour, resources))


def _record(organization_id: uuid.UUID, batch: Batch) -> Recorded:
    facts = {"organization": organization_id, "settled": settled_until(organization_id)}
    with connection.cursor() as cursor:
        cursor.execute(NEW_STACKS, facts)
        cursor.execute(ROWS_AND_HOURS, facts)
        taken, late, days = cursor.fetchone()
        if taken:
            cursor.execute(DAYS, {**facts, "days": days})
    return Recorded(taken=taken, late=late, unchanged=batch.readings - taken)
