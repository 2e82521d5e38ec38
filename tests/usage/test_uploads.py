"""What is read of a report: every row once, whatever the chunks; nothing of one that can't be read."""

import gzip
import io
import json
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage import uploads
from usage.uploads import (
    LONGEST_ROW,
    MOST_BYTES,
    Rows,
    TooLarge,
    Unreadable,
    chunks_of,
    json_rows,
    ndjson_rows,
    read_report,
)

texts = st.text(max_size=20)
values = st.one_of(st.none(), st.integers(), texts, st.lists(texts, max_size=2))
some_rows = st.lists(st.dictionaries(texts, values, max_size=3), max_size=6)


def in_chunks(data: bytes, size: int) -> Iterable[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@settings(max_examples=40, deadline=None)
@given(sent=some_rows, size=st.integers(1, 40), ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_every_row_is_read_once_whatever_the_chunks(
    sent: list[object], size: int, ascii_only: bool, indent: int | None
) -> None:
    def as_json(value: object, indent: int | None = None) -> bytes:
        text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
        return text.encode("utf-8", "replace")

    expected = [json.loads(as_json(row)) for row in sent]
    numbered = list(enumerate(expected, start=1))
    assert list(json_rows(in_chunks(as_json({"counts": sent}, indent), size))) == numbered
    lines = b"\n".join(as_json(row) for row in sent)
    assert list(ndjson_rows(in_chunks(lines, size))) == numbered


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"counts": [}',
        '{"counts": [{}',
        '{"counts": [{},]}',
        '{"counts": [{} {}]}',
        '{"counts": []',
        '{"counts": []} more',
        '{"counts": [], "more": 1}',
        '{"counts": [' + "[" * 5000,
        '{"counts": ["' + "x" * LONGEST_ROW + '"]}',
        '{"counts": [1' + "0" * 5000 + "]}",
        '{"counts": ["\udcff"]}',
    ],
    ids=range(13),
)
def test_what_is_no_json_is_told_and_not_guessed(body: str) -> None:
    data = body.encode("utf-8", "surrogateescape")
    for size in (7, len(data) or 1):
        with pytest.raises(Unreadable):
            list(json_rows(in_chunks(data, size)))


def test_a_line_stands_for_itself_and_keeps_its_number() -> None:
    rows = list(ndjson_rows([b'{"a": 1}\r\n\n{broken\n', b"\xff\n" + b"[" * 5000 + b"\n2"]))
    assert rows == [(1, {"a": 1}), (2, None), (3, None), (4, None), (5, None), (6, 2)]
    with pytest.raises(Unreadable, match="longer"):
        list(ndjson_rows([b"x" * (LONGEST_ROW + 1)]))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (None, "object"),
        ([], "object"),
        ({}, "stack as text"),
        ({"stack": 1}, "stack as text"),
        ({"stack": "web", "resources": True}, "whole number"),
        ({"stack": "web", "resources": 1.0}, "whole number"),
        ({"stack": "web", "resources": 1}, "hour as text"),
        ({"stack": "web", "resources": 1, "hour": "noon"}, "2026-11-26T10:00:00Z"),
        ({"stack": "web", "resources": 1, "hour": "2026-11-26T10:00:00"}, "time zone"),
        ({"stack": "web", "resources": 1, "hour": "0001-01-01T00:00:00+01:00"}, "only hours since"),
        ({"stack": "\ud800", "resources": 1, "hour": "2026-11-26T10:00:00Z"}, "printable"),
    ],
)
def test_a_wrong_row_is_told_by_its_number(row: object, says: str) -> None:
    report = read_report(iter([(7, row)]))
    assert (report.refused, [error.row for error in report.errors]) == (1, [7])
    assert says in report.errors[0].message
    assert not report.batch.greatest


def test_rows_beyond_the_most_and_errors_beyond_those_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_ROWS", 5)
    monkeypatch.setattr(uploads, "MOST_ERRORS", 2)

    def wrong(count: int) -> Rows:
        return ((number, None) for number in range(count))

    report = read_report(wrong(5))
    assert (report.refused, len(report.errors)) == (5, 2)
    with pytest.raises(TooLarge):
        read_report(wrong(6))


def test_gzip_is_inflated() -> None:
    data = b"some lines\n" * 50_000
    assert b"".join(chunks_of(io.BytesIO(gzip.compress(data)).read, gzipped=True)) == data


def test_a_bomb_is_refused_while_it_is_read() -> None:
    packer = zlib.compressobj(wbits=31)

    def block() -> bytes:
        return packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)

    # A gigabyte, if anybody inflated it.
    stream = io.BytesIO(block() + block() * 999)
    inflated: list[int] = []
    with pytest.raises(TooLarge):
        inflated.extend(len(chunk) for chunk in chunks_of(stream.read, gzipped=True))
    assert MOST_BYTES - 1_000_000 < sum(inflated) <= MOST_BYTES
    assert stream.tell() < len(stream.getvalue()) // 10


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no gzip", "damaged"),
        (gzip.compress(b"lines")[:-1], "too early"),
        (b"", "too early"),
        (gzip.compress(b"lines") + b"more", "follows"),
        (gzip.compress(b"lines") * 2, "follows"),
    ],
    ids=["no gzip", "cut", "empty", "more", "twice"],
)
def test_damaged_gzip_is_told(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        list(chunks_of(io.BytesIO(data).read, gzipped=True))
