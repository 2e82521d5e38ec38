"""Usage as the product reports it, and the stacks that it told of."""

import base64
import binascii
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from ninja import Query, Schema
from ninja.errors import HttpError
from pydantic import AfterValidator, Field, StringConstraints

from accounts.validators import validate_display_name
from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from api.paging import ROWS, Limit, bad_cursor, page_of
from api.problems import problem
from orgs.policy import Permission
from usage import labels
from usage.labels import MOST_STACKS
from usage.models import LONGEST_LABEL
from usage.services import record_batch
from usage.stacks import LONGEST_SEARCH, stacks_of
from usage.uploads import (
    MOST_ROWS,
    Report,
    TooLarge,
    Unreadable,
    chunks_of,
    json_rows,
    ndjson_rows,
    read_report,
)

READERS = {"application/json": json_rows, "application/x-ndjson": ndjson_rows}
GZIPPED = {"": False, "identity": False, "gzip": True}

endpoints = Endpoints("Usage")


class RowErrorOut(Schema):
    """``row``: its place in the list, from 1; of NDJSON the line."""

    row: int
    message: str


class UsageRecordedOut(Schema):
    """``taken``: rows that are new, or greater than what was known; ``late``: so many of them are for hours
    whose invoice is final, and count in the next period. ``unchanged``: rows that were known already.
    ``refused``: rows that can't be; the first thousand are in ``errors``.
    """

    taken: int
    late: int
    unchanged: int
    refused: int
    errors: list[RowErrorOut]


ROW = {
    "type": "object",
    "required": ["stack", "hour", "resources"],
    "properties": {
        "stack": {"type": "string", "minLength": 1, "maxLength": 100},
        "hour": {
            "type": "string",
            "format": "date-time",
            "description": "The beginning of a UTC hour, with its time zone.",
        },
        "resources": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["counts"],
                    "properties": {"counts": {"type": "array", "maxItems": MOST_ROWS, "items": ROW}},
                }
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "One such row a line."}},
        },
    }
}
AllOrNothing = Annotated[
    bool, Query(description="Record nothing where a row is wrong; otherwise the others are recorded.")
]


@endpoints.take("/usage", Needs(Permission.USAGE_RECORD, reads=frozenset(READERS)), UsageRecordedOut, BODY)
def record_usage(request: ApiRequest, all_or_nothing: AllOrNothing = False) -> Any:
    """Report up to 50,000 counts of resources: how many a stack held in an hour; gzip is accepted.

    A report can be sent again: of several counts for a stack and hour the greatest stays. A new name makes
    the stack.
    """
    report = _read(request)
    if report.refused and all_or_nothing:
        return _nothing_recorded(report)
    recorded = record_batch(
        organization_id=request.organization.pk, batch=report.batch, actor=request.principal
    )
    return UsageRecordedOut(
        taken=recorded.taken,
        late=recorded.late,
        unchanged=recorded.unchanged,
        refused=report.refused,
        errors=[RowErrorOut(row=error.row, message=error.message) for error in report.errors],
    )


def _fit_to_show(label: str) -> str:
    """As the page takes it. Raises ValueError."""
    try:
        if label:
            validate_display_name(label)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return label


class StackOut(Schema):
    """``label``: the cost label; empty for none. ``resources``: in the hour of the list; null: the stack
    wasn't counted in it. ``average``: over all hours of the last 30 UTC days that were counted; null: there
    are none.
    """

    name: str
    label: str
    resources: int | None
    average: Decimal | None


class StacksOut(Schema):
    """``hour``: the last that was counted. ``next``: the cursor of the next page; null on the last one."""

    hour: datetime | None
    data: list[StackOut]
    next: str | None


# The longest name, as UTF-8 in base 64.
NameCursor = Annotated[
    str | None, Query(max_length=536, description="`next` of the page before; without, the first page.")
]
Search = Annotated[str, Query(max_length=LONGEST_SEARCH, description="A part of the name, in any case.")]


@endpoints.get("/stacks", Needs(Permission.RUM_PER_STACK), StacksOut)
def list_stacks(
    request: ApiRequest, search: Search = "", cursor: NameCursor = None, limit: Limit = ROWS
) -> StacksOut:
    """List the stacks by name, each with its resources now and on the average."""
    found = stacks_of(request.organization.pk, search=search)
    rows = found.after(0, _name_in(cursor), most=limit + 1)
    shown, following = page_of(rows, limit, lambda row: _cursor_of(row.name))
    return StacksOut(
        hour=found.hour,
        data=[
            StackOut(name=row.name, label=row.label, resources=row.resources, average=row.average)
            for row in shown
        ],
        next=following,
    )


class LabelIn(Schema):
    """``label``: empty takes the label from the stacks."""

    stacks: Annotated[list[str], Field(min_length=1, max_length=MOST_STACKS)]
    label: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=LONGEST_LABEL), AfterValidator(_fit_to_show)
    ]


class LabeledOut(Schema):
    """``changed``: how many of the stacks had another label."""

    changed: int


@endpoints.put("/stacks/labels", Needs(Permission.STACKS_LABEL), LabeledOut)
def label_stacks(request: ApiRequest, body: LabelIn) -> LabeledOut:
    """Give up to 100 stacks a cost label. It counts from the beginning of the running month (UTC) on."""
    changed = labels.label_stacks(actor=request.principal, names=body.stacks, label=body.label)
    return LabeledOut(changed=changed)


def _cursor_of(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _name_in(cursor: str | None) -> str:
    """After which name a page begins. Raises ValidationError."""
    try:
        name = base64.b64decode(cursor or "", altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
    if "\0" in name:
        raise bad_cursor()
    return name


def _read(request: ApiRequest) -> Report:
    gzipped = GZIPPED.get(request.headers.get("Content-Encoding", "").lower())
    if gzipped is None:
        raise HttpError(415, "Send the body as it is, or compressed by gzip.")
    if not request.headers.get("Content-Length"):
        raise HttpError(411, "Send the length of the body: Content-Length.")
    rows_of = READERS[request.content_type or ""]
    try:
        return read_report(rows_of(chunks_of(request.read, gzipped=gzipped)))
    except TooLarge as error:
        raise HttpError(413, str(error)) from None
    except (Unreadable, OSError) as error:
        # OSError: the program went away.
        raise HttpError(400, str(error)) from None


def _nothing_recorded(report: Report) -> Any:
    errors = [{"at": f"row {error.row}", "message": error.message} for error in report.errors]
    return problem(422, f"Nothing was recorded: {report.refused} rows are wrong, see errors.", errors=errors)
