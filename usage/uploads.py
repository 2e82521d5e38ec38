"""Reports of usage as they are sent: JSON, NDJSON or CSV, read piece by piece, never held as a whole.

Every row is ``{"stack": …, "hour": …, "resources": …}``, the hour in ISO 8601 with its time zone.
"""

import codecs
import csv
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from orgs.errors import Refused
from usage.readings import Batch

MOST_ROWS = 50_000
# Of one report, once it is inflated.
MOST_BYTES = 20_000_000
# Of errors that are told each for itself; the others are counted.
MOST_ERRORS = 1_000
# Bytes, or letters, of one row with the blanks around it. The longest names take a seventh of it.
LONGEST_ROW = 8_192
CHUNK = 65_536

# Rows with their numbers. What isn't a row is told once it is looked at.
Rows = Iterator[tuple[int, object]]
Read = Callable[[int], bytes]


class Unreadable(Exception):
    """The report as a whole can't be read, so nothing of it is recorded."""


class TooLarge(Unreadable):
    """It has more than may come at once."""


@dataclass(frozen=True)
class RowError:
    row: int
    message: str


@dataclass
class Report:
    """What was read: the good rows, and what is wrong with others. ``refused``: how many those are."""

    batch: Batch = field(default_factory=Batch)
    errors: list[RowError] = field(default_factory=list)
    refused: int = 0
    _hours: dict[str, datetime] = field(default_factory=dict)

    def add(self, number: int, row: object) -> None:
        try:
            self._add(row)
        except Refused as refused:
            self.refused += 1
            if len(self.errors) < MOST_ERRORS:
                self.errors.append(RowError(number, str(refused.message)))

    def _add(self, row: object) -> None:
        """Raises Refused."""
        if not isinstance(row, dict):
            raise Refused(_("Send each row as an object with stack, hour and resources."))
        stack, hour, resources = row.get("stack"), row.get("hour"), row.get("resources")
        if not isinstance(stack, str):
            raise Refused(_("Give the stack as text."))
        # A bool is an int as well.
        if type(resources) is not int:
            raise Refused(_("Give the resources as a whole number."))
        if not isinstance(hour, str):
            raise Refused(_("Give the hour as text, as in 2026-11-26T10:00:00Z."))
        moment = self._hours.get(hour)
        if moment is None:
            moment = self._hours[hour] = _moment(hour)
        self.batch.add(stack, moment, resources)


def read_report(rows: Rows) -> Report:
    """One report. Raises Unreadable."""
    report = Report()
    for count, (number, row) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise TooLarge(_("Send at most %(most)s rows at once.") % {"most": f"{MOST_ROWS:,}"})
        report.add(number, row)
    return report


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused(_("Give the hour as in 2026-11-26T10:00:00Z.")) from None


def chunks_of(read: Read, *, gzipped: bool = False, most: int = MOST_BYTES) -> Iterator[bytes]:
    """What ``read`` gives, so many bytes at a time, inflated no further than it may be large."""
    total = 0
    raw = iter(partial(read, CHUNK), b"")
    for chunk in _inflated(raw) if gzipped else raw:
        total += len(chunk)
        if total > most:
            raise TooLarge(_("Send at most %(most)s bytes at once.") % {"most": f"{most:,}"})
        yield chunk


def _inflated(raw: Iterable[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    try:
        for chunk in raw:
            rest = chunk
            while rest and not inflater.eof:
                yield inflater.decompress(rest, CHUNK)
                rest = inflater.unconsumed_tail
            if rest or inflater.unused_data:
                raise Unreadable(_("Something follows the end of the gzip data."))
    except zlib.error:
        raise Unreadable(_("The gzip data is damaged.")) from None
    if not inflater.eof:
        raise Unreadable(_("The gzip data ends too early."))


def ndjson_rows(chunks: Iterable[bytes]) -> Rows:
    """One row a line, by their numbers in the text. Raises Unreadable."""
    return enumerate((_json_of(line) for line in _lines(chunks)), start=1)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    begun = b""
    for chunk in chunks:
        *whole, begun = (begun + chunk).split(b"\n")
        yield from whole
        if len(begun) > LONGEST_ROW:
            raise Unreadable(_("A line is longer than %(most)s bytes.") % {"most": f"{LONGEST_ROW:,}"})
    if begun:
        yield begun


def _json_of(line: bytes) -> object:
    """None for what is no JSON: a line stands for itself, so that the others can be read."""
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None


OPENING = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"counts"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
CLOSING = re.compile(r"[ \t\r\n]*\][ \t\r\n]*\}[ \t\r\n]*")
decode = json.JSONDecoder().raw_decode


def json_rows(chunks: Iterable[bytes]) -> Rows:
    """Those of ``{"counts": […]}``, by their place in the list, from 1. Raises Unreadable."""
    text = _Text(chunks)
    number = 0
    if not text.skip(OPENING):
        raise Unreadable(_('Send an object that has "counts" alone, a list of rows.'))
    while number or not text.skip(CLOSING):
        number += 1
        yield number, text.value(number)
        if not text.skip(COMMA):
            if text.skip(CLOSING):
                break
            raise _no_json(number)
    if not text.is_at_end():
        raise Unreadable(_("Something follows the end of the JSON."))


class _Text:
    """A text that comes in chunks, of which no more is held than one chunk and a row."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._held, self._at, self._ended = "", 0, False

    def skip(self, pattern: re.Pattern[str]) -> bool:
        self._hold_a_row()
        found = pattern.match(self._held, self._at)
        if found is not None:
            self._at = found.end()
        return found is not None

    def value(self, number: int) -> object:
        self._hold_a_row()
        try:
            value, end = decode(self._held, self._at)
        except (ValueError, RecursionError):
            raise _no_json(number) from None
        if end - self._at > LONGEST_ROW:
            raise _no_json(number)
        self._at = end
        return value

    def is_at_end(self) -> bool:
        self._hold_a_row()
        return self._at == len(self._held)

    def _hold_a_row(self) -> None:
        while not self._ended and len(self._held) - self._at <= LONGEST_ROW:
            chunk = next(self._chunks, None)
            self._ended = chunk is None
            try:
                more = self._decoder.decode(chunk or b"", final=self._ended)
            except UnicodeDecodeError:
                raise Unreadable(_("The text is not UTF-8.")) from None
            self._held, self._at = self._held[self._at :] + more, 0


def _no_json(number: int) -> Unreadable:
    return Unreadable(
        _("From row %(number)s on it is no JSON, or the row is longer than %(most)s letters.")
        % {"number": number, "most": f"{LONGEST_ROW:,}"}
    )


def csv_rows(lines: Iterable[str]) -> Rows:
    """Those below a line with the names of the columns, by their line. Raises Unreadable."""
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = {"stack", "hour", "resources"} - set(reader.fieldnames or ())
        if missing:
            raise Unreadable(f"The first line lacks {', '.join(sorted(missing))}.")
        for row in reader:
            yield reader.line_num, {**row, "resources": _whole_number(row["resources"])}
    except (csv.Error, UnicodeDecodeError) as error:
        raise Unreadable(f"It can't be read as CSV in UTF-8: {error}") from None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
