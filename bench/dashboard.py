"""python -m bench.dashboard [--rows N] [--samples N]: the dashboard of two organizations, beside each other.

One has 1,000 hourly counts, the other 10,000,000: 1,000 stacks over 10,000 hours. And the days that it
reads, beside one day by its key. What the rows take on the disk is told too. It needs 3 GB there, and some
minutes to make the rows.
"""

import argparse
import json
import logging
import time
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

if __name__ == "__main__":
    settings.ROOT_URLCONF = "bench.urls"
    django.setup()

# Models can be imported only now.
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils import timezone

from accounts.models import User
from bench.database import own_database, own_static_files
from bench.measuring import Figures, measure
from bench.report import rows, table
from bench.requests import dashboard_of, floor_of
from orgs.models import Membership, Organization
from orgs.policy import Role
from usage.models import Stack
from usage.months import first_day_needed
from usage.partitions import ensure_partitions
from usage.spans import usual_span
from usage.sums import counted_days

HOUR = timedelta(hours=1)
FEW = 1_000
MANY = 10_000_000
HOURS_OF_MANY = 10_000
TABLES = ("usage_hourlycount", "usage_organizationhour", "usage_organizationday")

COUNTS = """
INSERT INTO usage_hourlycount (organization_id, hour, stack_id, resources)
SELECT %(organization)s, hour, stack.id, 1 + abs(hashtext(stack.id::text || hour)) %% 500
FROM generate_series(%(first)s::timestamptz, %(last)s, '1 hour') AS hour,
    (SELECT id FROM usage_stack WHERE organization_id = %(organization)s ORDER BY id) AS stack
"""
HOURS = """
INSERT INTO usage_organizationhour (organization_id, hour, resources)
SELECT organization_id, hour, sum(resources) FROM usage_hourlycount
WHERE organization_id = %(organization)s GROUP BY organization_id, hour
"""
DAYS = """
INSERT INTO usage_organizationday (organization_id, day, resource_hours, hours_counted)
SELECT organization_id, (hour AT TIME ZONE 'UTC')::date, sum(resources), count(*)
FROM usage_organizationhour WHERE organization_id = %(organization)s GROUP BY 1, 2
"""
SIZES = """
SELECT sum(pg_table_size(oid)), sum(pg_indexes_size(oid)), (SELECT count(*) FROM {table}) FROM pg_class
LEFT JOIN pg_inherits ON inhrelid = oid WHERE '{table}'::regclass IN (oid, inhparent)
"""


def main() -> None:
    arguments = parsed_arguments()
    logging.disable()
    with own_database(), own_static_files():
        began = time.perf_counter()
        few = counted("few", FEW, hours=FEW)
        many = counted("many", arguments.rows, hours=min(HOURS_OF_MANY, arguments.rows))
        print(f"{arguments.rows:,} rows made in {time.perf_counter() - began:.0f} s", flush=True)
        for name in TABLES:
            print(size_of(name), flush=True)
        shortest = f"dashboard, {FEW:,}"
        figures = measure(
            get_wsgi_application(),
            floor_of(*few),
            [
                dashboard_of(shortest, *few),
                dashboard_of(f"dashboard, {arguments.rows:,}", *many, shortest=shortest),
            ],
            samples=arguments.samples,
        )
        found = rows(figures | figures_of_days(many[0], arguments.samples))
    arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\n{table(found)}\n\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--rows", type=int, default=MANY, help="of the larger one (default: 10,000,000)")
    parser.add_argument("--samples", type=int, default=100, help="of each request (default: 100)")
    parser.add_argument(
        "--json", type=Path, default=settings.RUN_DIR / "dashboard.json", help="where to write"
    )
    return parser.parse_args()


def counted(slug: str, count: int, *, hours: int) -> tuple[Organization, User]:
    """An organization with so many hourly counts up to now, and its admin."""
    organization = Organization.objects.create(name=slug, slug=slug, edition_code="team-growth")
    admin = User.objects.create(name=slug, email=f"{slug}@bench.test")
    Membership.objects.create(organization=organization, user=admin, role=Role.ADMIN)
    Stack.objects.bulk_create(
        Stack(organization=organization, name=f"project-{number}/production")
        for number in range(count // hours)
    )
    last = timezone.now().replace(minute=0, second=0, microsecond=0) - HOUR
    first = last - (hours - 1) * HOUR
    ensure_partitions((first + HOUR * number).date() for number in range(0, hours + 24, 24))
    facts = {"organization": organization.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        # No reference is checked for each of ten million rows.
        cursor.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        for statement in (COUNTS, HOURS, DAYS):
            cursor.execute(statement, facts)
        # As autovacuum leaves the tables.
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    return organization, admin


def size_of(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(SIZES.format(table=name))
        of_table, of_indexes, count = cursor.fetchone()
    return (
        f"{name}: {count:,} rows, each {of_table / count:.0f} bytes and {of_indexes / count:.0f} of indexes"
    )


def figures_of_days(organization: Organization, samples: int) -> dict[str, Figures]:
    """The days that the dashboard reads, and one of them by its key, by turns."""
    today = timezone.now().date()
    first = min(usual_span().before.first, first_day_needed(today))
    number = len(counted_days(organization.pk, first, today))
    figures = {"one day": Figures(sql=1), f"{number} days": Figures(sql=1, shortest="one day")}
    for _sample in range(samples * 10):
        for one, since in zip(figures.values(), (today, first), strict=True):
            began, spent = time.perf_counter(), time.process_time()
            counted_days(organization.pk, since, today)
            one.seconds.append(time.perf_counter() - began)
            one.cpu_seconds.append(time.process_time() - spent)
    return figures


if __name__ == "__main__":
    main()
