"""python -m bench.usage [--rows N] [--rounds N]: reports of usage by the API beside a bare COPY and upsert.

The rows of each round are as many for both, for an organization of its own, into the same table; rounds take
turns. And how far the largest report that can be sent lifts the memory of the web process above idle.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import django
from django.conf import settings

if __name__ == "__main__":
    django.setup()

# Models can be imported only now.
from django.db import connection, transaction
from django.utils import timezone

from bench.database import own_database
from bench.requests import Request
from bench.serving import Site, served
from devstack.memory import LOOPBACK
from orgs.models import Organization
from orgs.policy import Permission
from tokens.models import AccessToken
from tokens.secret import OF_ORGANIZATION, SHOWN, digest_of, new_secret
from usage.models import HourlyCount, OrganizationHour, Stack
from usage.partitions import ensure_partitions
from usage.uploads import MOST_BYTES, MOST_ROWS

HOURS = 500
HOUR = timedelta(hours=1)
# Of six bytes each in JSON, so that a report of the most rows is nearly as large as one may be.
LONG_NAME = "\N{HIRAGANA LETTER A}" * 54


@dataclass(frozen=True)
class Found:
    """Seconds are medians of the rounds, for the rows of one round.

    ``ratio``: rows per second by the API as a part of those by the bare way. ``memory_mib``: the highest that
    the web process took for the largest report, ``memory_above_idle_mib`` beyond what it took before.
    """

    rows: int
    rounds: int
    bare_seconds: float
    api_seconds: float
    ratio: float
    largest_report_bytes: int
    memory_mib: float
    memory_above_idle_mib: float


def main() -> None:
    arguments = parsed_arguments()
    with own_database():
        start = timezone.now().replace(minute=0, second=0, microsecond=0) - HOURS * HOUR
        ensure_partitions((start + HOUR * number).date() for number in range(HOURS + 1))
        with served(only=("web",)) as port:
            found = measured(port, start, arguments.rows // arguments.rounds, arguments.rounds)
    arguments.json.write_text(json.dumps(asdict(found), indent=2) + "\n")
    for name, value in asdict(found).items():
        print(f"{name.replace('_', ' '):22} {value:>12,}")
    print(f"\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.usage", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--json", type=Path, default=settings.RUN_DIR / "usage.json", help="where to write")
    return parser.parse_args()


def measured(port: int, start: datetime, rows: int, rounds: int) -> Found:
    bare: list[float] = []
    by_api: list[float] = []
    for number in range(rounds):
        bare.append(seconds_bare(organization(f"bare-{number}"), start, rows))
        by_api.append(seconds_by_api(port, organization(f"api-{number}"), start, rows))
    largest, idle, highest = memory_of_the_largest(port, organization("large"), start)
    return Found(
        rows=rows,
        rounds=rounds,
        bare_seconds=round(median(bare), 2),
        api_seconds=round(median(by_api), 2),
        ratio=round(median(bare) / median(by_api), 2),
        largest_report_bytes=largest,
        memory_mib=round(highest / 1024, 1),
        memory_above_idle_mib=round((highest - idle) / 1024, 1),
    )


def organization(slug: str) -> Organization:
    return Organization.objects.create(name=slug, slug=slug, edition_code="team-growth")


def rows_of(names: list[str], start: datetime, count: int) -> Iterator[tuple[str, datetime, int]]:
    """Hour after hour, all stacks of each."""
    for number in range(count):
        hour, stack = divmod(number, len(names))
        yield names[stack], start + HOUR * hour, number % 97


def names_of(count: int) -> list[str]:
    return [f"project-{number}/production" for number in range(-(-count // HOURS))]


def seconds_bare(owner: Organization, start: datetime, count: int) -> float:
    """What the same rows take with their stacks known, nothing to check and nothing to sum up."""
    ids: dict[str, UUID] = {name: uuid4() for name in names_of(count)}
    Stack.objects.bulk_create(Stack(pk=pk, organization=owner, name=name) for name, pk in ids.items())
    rows = [(owner.pk, hour, ids[name], resources) for name, hour, resources in rows_of([*ids], start, count)]
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (LIKE usage_hourlycount) ON COMMIT DROP")
        with cursor.copy("COPY bare (organization_id, hour, stack_id, resources) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO usage_hourlycount AS kept (organization_id, hour, stack_id, resources)"
            " SELECT organization_id, hour, stack_id, resources FROM bare"
            " ON CONFLICT (organization_id, hour, stack_id)"
            " DO UPDATE SET resources = EXCLUDED.resources WHERE kept.resources < EXCLUDED.resources"
        )
    return time.perf_counter() - began


def seconds_by_api(port: int, owner: Organization, start: datetime, count: int) -> float:
    """Reports of the most rows, one after another, as one program sends them."""
    rows = list(rows_of(names_of(count), start, count))
    secret = token_of(owner)
    bodies = [body_of(rows[at : at + MOST_ROWS]) for at in range(0, count, MOST_ROWS)]
    began = time.perf_counter()
    for body in bodies:
        send(port, owner, secret, body)
    taken = time.perf_counter() - began
    recorded = HourlyCount.objects.filter(organization=owner).count()
    if recorded != count or OrganizationHour.objects.filter(organization=owner).count() > HOURS:
        raise RuntimeError(f"{recorded} of {count} rows were recorded.")
    return taken


def memory_of_the_largest(port: int, owner: Organization, start: datetime) -> tuple[int, int, int]:
    """Its bytes; the memory of the web process before it, and the highest while it was read, in KiB."""
    secret = token_of(owner)
    send(port, owner, secret, body_of([("first", start, 1)]))
    processes = web_processes(port)
    before = {process: kib(process, "VmRSS") for process in processes}
    names = [f"{LONG_NAME}{number}" for number in range(MOST_ROWS // HOURS)]
    body = body_of(list(rows_of(names, start, MOST_ROWS)))
    if len(body) > MOST_BYTES:
        raise RuntimeError(f"{len(body)} bytes are more than a report may have.")
    for process in processes:
        # From here on VmHWM is the highest since: https://docs.kernel.org/filesystems/proc.html
        (process / "clear_refs").write_text("5")
    send(port, owner, secret, body)
    highest = {process: kib(process, "VmHWM") for process in processes}
    most = max(processes, key=lambda process: highest[process] - before[process])
    return len(body), before[most], highest[most]


def token_of(owner: Organization) -> str:
    secret = new_secret(OF_ORGANIZATION)
    AccessToken.objects.create(
        organization=owner,
        name="Bench",
        digest=digest_of(secret),
        start=secret[:SHOWN],
        scopes=[Permission.USAGE_RECORD.value],
        maker_name="Bench",
        expires_at=timezone.now() + timedelta(days=1),
    )
    return secret


def body_of(rows: list[tuple[str, datetime, int]]) -> bytes:
    counts = [
        {"stack": stack, "hour": hour.astimezone(UTC).isoformat(), "resources": resources}
        for stack, hour, resources in rows
    ]
    return json.dumps({"counts": counts}).encode()


def send(port: int, owner: Organization, secret: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    status = Site(port).ask(Request("POST", f"/api/v1/orgs/{owner.slug}/usage", body=body, headers=headers))
    if status != HTTPStatus.OK:
        raise RuntimeError(f"A report was answered with {status}.")


def web_processes(port: int) -> list[Path]:
    """Those of the server at the port, where Linux tells of them."""
    address = f"{LOOPBACK}:{port}".encode()
    commands = {folder: command_of(folder) for folder in Path("/proc").glob("[0-9]*")}
    return [folder for folder, command in commands.items() if address in command and b"gunicorn" in command]


def command_of(process: Path) -> bytes:
    """Empty for one that has ended meanwhile."""
    try:
        return (process / "cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def kib(process: Path, name: str) -> int:
    line = next(line for line in (process / "status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
