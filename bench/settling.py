"""python -m bench.settling [--organizations N]: how many ledgers of credits are settled in a second.

Each has one hour more than it was settled with, as every hour. A period's hours are worked out anew as long
as it is open, so early and late in a month are measured, by one process and by two at once. Where others work
on the machine too, milliseconds of the processor tell more than the clock (Postgres's as Linux tells them).
"""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import django
from django.conf import settings

if __name__ == "__main__":
    django.setup()

# Models can be imported only now.
from django.db import connection, connections
from django.db.models import F
from django.utils import timezone

from bench.database import own_database
from billing.credit_periods import settle_due_ledgers
from credits.models import Grant, GrantKind, Ledger, Period
from orgs.editions import EDITIONS
from orgs.models import Organization
from usage.models import OrganizationHour
from work.models import BATCH

HOUR = timedelta(hours=1)
HOURS_OF_A_PERIOD = (24, 720)
PROCESSES = (1, 2)
EDITION = EDITIONS[0]
# So that free credits end amid a long period, and what follows is on demand.
RESOURCES = 300
LONGER_THAN_ANY = 3600.0

COUNTED = """
INSERT INTO usage_organizationhour (organization_id, hour, resources)
SELECT id, hour, %s FROM orgs_organization, generate_series(%s::timestamptz, %s, '1 hour') AS hour
WHERE id = ANY(%s)
"""


class Spent(NamedTuple):
    """Seconds of the processor."""

    worker: float
    postgres: float


@dataclass(frozen=True)
class Found:
    """``hours``: that the period has gone on. Of a ledger: the milliseconds of the processor that the worker
    takes for it, and that Postgres does.
    """

    hours: int
    processes: int
    ledgers_per_second: float
    worker_ms: float
    postgres_ms: float


def main() -> None:
    arguments = parsed_arguments()
    with own_database():
        found = [one for hours in HOURS_OF_A_PERIOD for one in measured(hours, arguments.organizations)]
    arguments.json.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    for one in found:
        print(" ".join(f"{name.replace('_', ' ')} {value:<7}" for name, value in asdict(one).items()))
    print(f"\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.settling", description=__doc__)
    parser.add_argument("--organizations", type=int, default=300, help=f"default: 300, at most {BATCH}")
    parser.add_argument(
        "--json", type=Path, default=settings.RUN_DIR / "settling.json", help="where to write"
    )
    return parser.parse_args()


def measured(hours: int, count: int) -> list[Found]:
    last = timezone.now().replace(minute=0, second=0, microsecond=0) - HOUR
    organizations = Organization.objects.bulk_create(
        Organization(name=f"{hours}-{number}", slug=f"{hours}-{number}", edition_code=EDITION.code)
        for number in range(count)
    )
    begin_periods(organizations, last - hours * HOUR)
    with connection.cursor() as cursor:
        ids = [organization.pk for organization in organizations]
        cursor.execute(COUNTED, [RESOURCES, last - hours * HOUR, last - HOUR, ids])
    settle_all(1)
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, [1, last, last, ids])
        cursor.execute("VACUUM ANALYZE")
    found = []
    for processes in PROCESSES:
        # More than the ledger says, as after an hour.
        OrganizationHour.objects.filter(organization__in=ids, hour=last).update(resources=F("resources") + 1)
        Ledger.objects.filter(organization__in=ids).update(next_attempt_at=last)
        seconds, spent = settle_all(processes)
        found.append(
            Found(
                hours=hours,
                processes=processes,
                ledgers_per_second=round(count / seconds, 1),
                worker_ms=round(1000 * sum(one.worker for one in spent) / count, 1),
                postgres_ms=round(1000 * sum(one.postgres for one in spent) / count, 1),
            )
        )
    if Ledger.objects.exclude(organization__in=ids, settled_until=last + HOUR).due().exists():
        raise RuntimeError("Not all ledgers were settled.")
    return found


def begin_periods(organizations: list[Organization], since: datetime) -> None:
    """Periods that end in a while, each with its free credits."""
    until = timezone.now() + timedelta(days=2)
    Ledger.objects.begin_missing()
    Period.objects.bulk_create(
        Period(
            organization=organization,
            edition_code=EDITION.code,
            starts_at=since,
            ends_at=until,
            credit_price=EDITION.credit_price,
            credits=EDITION.free_credits,
        )
        for organization in organizations
    )
    Grant.objects.bulk_create(
        Grant(
            organization=organization,
            kind=GrantKind.PROMOTIONAL,
            credits=EDITION.free_credits,
            effective_at=since,
            expires_at=until,
            source="period:bench",
        )
        for organization in organizations
    )


def settle_all(processes: int) -> tuple[float, list[Spent]]:
    """Settle all that is due by that many processes, each a part: the seconds that passed, and were spent."""
    connections.close_all()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        began = time.perf_counter()
        parts = [pool.submit(settle_part, part, processes) for part in range(processes)]
        spent = [part.result() for part in parts]
        return time.perf_counter() - began, spent


def settle_part(part: int, of: int) -> Spent:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    worker, postgres = time.process_time(), processor_seconds(backend)
    settle_due_ledgers(seconds=LONGER_THAN_ANY, part=part, of=of)
    return Spent(time.process_time() - worker, processor_seconds(backend) - postgres)


def processor_seconds(process: int) -> float:
    """https://www.kernel.org/doc/html/latest/filesystems/proc.html: utime and stime, the 14th and 15th."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
