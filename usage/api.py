"""Resources under management, summed by period. Fields are named as programs know them from Pulumi's API:
https://www.pulumi.com/docs/reference/cloud-rest-api/resources-under-management/
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from django.utils import timezone
from ninja import Query, Schema
from ninja.errors import ValidationError

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from orgs.policy import Permission
from orgs.replica import may_lag
from usage.charts import rounded
from usage.periods import Granularity, week_number
from usage.sums import Sum, sums_by

LONGEST_HOURLY = timedelta(days=2)
# So much later than it was computed may a request come.
ON_ITS_WAY = timedelta(seconds=10)
MOST_DAYS = 36_500

endpoints = Endpoints("Resources")


class SummaryRow(Schema):
    """One period (UTC) with counts. ``weekNumber``: 0 to 53; a week begins on Sunday or with the year.

    ``resources``: the average of the hourly counts, rounded half up; ``resourceHours``: their sum.
    """

    year: int
    month: int | None = None
    day: int | None = None
    weekNumber: int | None = None  # noqa: N815
    hour: int | None = None
    resources: int
    resourceHours: int  # noqa: N815


class SummaryOut(Schema):
    summary: list[SummaryRow]


Days = Annotated[
    int | None,
    Query(
        alias="lookbackDays",
        ge=1,
        le=MOST_DAYS,
        description="From so many times 24 hours before now. By the hour: 2 at most.",
    ),
]
Start = Annotated[
    int | None,
    Query(alias="lookbackStart", ge=0, description="From this instant on, in Unix seconds."),
]


@endpoints.get("/resources/summary", Needs(Permission.RUM_SUMMARY), SummaryOut, sparse=True)
def resources_summary(
    request: ApiRequest, granularity: Granularity, lookback_days: Days = None, lookback_start: Start = None
) -> SummaryOut | None:
    """Sum up resources under management, earliest period first; 204 where nothing was counted.

    Send either lookbackDays or lookbackStart. Only hours that begin within the span count, so its first day
    may be told in part.
    """
    now = timezone.now()
    since = _since(now, lookback_days, lookback_start)
    if granularity is Granularity.HOURLY and now - since > LONGEST_HOURLY + ON_ITS_WAY:
        raise _wrong("granularity", "By the hour, ask for 2 days at most.")
    sums = may_lag(partial(sums_by, granularity, request.organization.pk, since, now.date())).figures
    return SummaryOut(summary=[_row(granularity, one) for one in sums]) if sums else None


def _since(now: datetime, days: int | None, start: int | None) -> datetime:
    """Raises ValidationError."""
    if days is not None and start is not None:
        raise _wrong("lookbackStart", "Send lookbackDays or lookbackStart, not both.")
    if days is not None:
        return now - timedelta(days=days)
    if start is None:
        raise _wrong("lookbackDays", "Send lookbackDays or lookbackStart.")
    if start > now.timestamp():
        raise _wrong("lookbackStart", "Send an instant that has passed, in Unix seconds.")
    return datetime.fromtimestamp(start, UTC)


def _wrong(parameter: str, message: str) -> ValidationError:
    return ValidationError([{"loc": ("query", parameter), "msg": message}])


def _row(granularity: Granularity, period: Sum) -> SummaryRow:
    row = SummaryRow(
        year=period.start.year, resources=int(rounded(period.average)), resourceHours=period.resource_hours
    )
    match granularity:
        case Granularity.HOURLY:
            row.month, row.day, row.hour = period.start.month, period.start.day, period.start.hour
        case Granularity.DAILY:
            row.month, row.day = period.start.month, period.start.day
        case Granularity.WEEKLY:
            row.weekNumber = week_number(period.start)
        case Granularity.MONTHLY:
            row.month = period.start.month
    return row
