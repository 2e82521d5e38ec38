"""Record usage of one organization from a file, by the same verb as the API."""

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orgs.models import Organization
from usage.services import record_batch
from usage.uploads import CHUNK, MOST_ROWS, Report, Rows, Unreadable, csv_rows, ndjson_rows

BAR = 30


class Command(BaseCommand):
    help = (
        "Record usage from a file: CSV with the columns stack, hour and resources (.csv), or NDJSON "
        "(.ndjson, .jsonl), each as it is or compressed (.gz). Wrong lines are told, the others recorded. It "
        "can be run again: what is known already stays, and of several counts for a stack and hour the "
        "greatest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="its slug")
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, organization: str, file: Path, **_options: Any) -> None:
        found = Organization.objects.filter(slug=organization).first()
        if found is None:
            raise CommandError(f"There is no organization {organization}.")
        taken = unchanged = refused = 0
        try:
            with opened(file) as (rows, progress):
                for report in reports_of(rows):
                    recorded = record_batch(organization_id=found.pk, batch=report.batch)
                    taken += recorded.taken
                    unchanged += recorded.unchanged
                    refused += report.refused
                    self._tell_errors(report)
                    self.stdout.write(f"{progress()} {taken + unchanged + refused:,} rows")
        except (Unreadable, OSError, EOFError, zlib.error) as error:
            raise CommandError(
                f"{file} can't be read to its end: {error} What came before is recorded."
            ) from None
        summary = f"New or greater: {taken:,}. Known already: {unchanged:,}. Wrong: {refused:,}."
        if refused:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _tell_errors(self, report: Report) -> None:
        for error in report.errors:
            self.stderr.write(f"line {error.row}: {error.message}")
        if report.refused > len(report.errors):
            self.stderr.write(f"… and {report.refused - len(report.errors):,} more of these lines")


class Progress:
    """How much of a file is read, as a bar."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def __call__(self) -> str:
        share = self._file.tell() / self._size if self._size else 1
        return f"[{'#' * int(share * BAR):{BAR}}] {share:4.0%}"


@contextmanager
def opened(file: Path) -> Iterator[tuple[Rows, Progress]]:
    """The rows of a file, and how far they are read. Raises CommandError for a name of another kind."""
    kind = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    with file.open("rb") as raw:
        plain = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if file.suffix == ".gz" else raw
        if kind == ".csv":
            rows = csv_rows(codecs.iterdecode(plain, "utf-8-sig"))
        elif kind in {".ndjson", ".jsonl"}:
            rows = ndjson_rows(iter(lambda: plain.read(CHUNK), b""))
        else:
            raise CommandError(
                "Name the file .csv, .ndjson or .jsonl, with .gz behind it if it is compressed."
            )
        yield rows, Progress(raw, file.stat().st_size)


def reports_of(rows: Iterable[tuple[int, object]]) -> Iterator[Report]:
    """As large as the API takes them."""
    rest = iter(rows)
    while part := list(islice(rest, MOST_ROWS)):
        report = Report()
        for number, row in part:
            report.add(number, row)
        yield report
