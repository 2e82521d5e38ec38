"""The stacks of an organization, a page at a time: by name, or by their resources now."""

import re
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import NamedTuple

from django.utils import timezone

from orgs.replica import may_lag, reading
from orgs.rows import fetch_page
from usage.charts import number_with_decimal, plain_number
from usage.forms import choice_of
from usage.readings import MOST_RESOURCES

STACKS_PER_PAGE = 25
LONGEST_SEARCH = 100
# UTC days up to today, as on the dashboard.
DAYS_AVERAGED = 30
# Of a page: the resources of a stack, and its name.
KEY = re.compile("(-1|[0-9]{1,10})~(.*)", re.DOTALL)

FACTS = """
SELECT
    (SELECT hour FROM usage_organizationhour
        WHERE organization_id = %(organization)s ORDER BY hour DESC LIMIT 1),
    (SELECT count(*) FROM usage_organizationhour
        WHERE organization_id = %(organization)s AND hour >= %(since)s),
    (SELECT count(*) FROM usage_stack WHERE organization_id = %(organization)s)
"""
LISTED = """
SELECT id, name, cost_label, resources FROM (
    SELECT stack.id, stack.name, stack.cost_label, counted.resources, coalesce(counted.resources, -1) AS rank
    FROM usage_stack AS stack LEFT JOIN usage_hourlycount AS counted
    ON counted.organization_id = %(organization)s AND counted.hour = %(hour)s AND counted.stack_id = stack.id
    WHERE stack.organization_id = %(organization)s AND strpos(lower(stack.name), lower(%(search)s)) > 0
) AS listed
"""
# An hour at a time: by its organization, hour and stack each count is found at once, however many there are.
SUMS = """
SELECT counted.stack_id, sum(counted.resources) FROM usage_organizationhour AS hours, LATERAL (
    SELECT stack_id, resources FROM usage_hourlycount AS counted
    WHERE counted.organization_id = %(organization)s AND counted.hour = hours.hour
    AND counted.stack_id = ANY(%(stacks)s) OFFSET 0
) AS counted
WHERE hours.organization_id = %(organization)s AND hours.hour >= %(since)s GROUP BY counted.stack_id
"""


class Sort(Enum):
    RESOURCES = "resources"
    NAME = "name"


# What comes after a key, and in which order; and what comes before it, nearest first.
AFTER = {
    Sort.RESOURCES: "WHERE rank < %(rank)s OR rank = %(rank)s AND name > %(name)s ORDER BY rank DESC, name",
    Sort.NAME: "WHERE name > %(name)s ORDER BY name",
}
BEFORE = {
    Sort.RESOURCES: "WHERE rank > %(rank)s OR rank = %(rank)s AND name < %(name)s ORDER BY rank, name DESC",
    Sort.NAME: "WHERE name < %(name)s ORDER BY name DESC",
}
Key = tuple[int, str]
BEFORE_ALL: Key = (MOST_RESOURCES + 1, "")


@dataclass(frozen=True)
class StackFigures:
    """``resources``: in the last hour that was counted; None: the stack wasn't. ``average``: over the hours
    of the last 30 days that were counted; None: there are none. ``label``: empty for none.
    """

    name: str
    label: str
    resources: int | None
    average: Decimal | None

    @property
    def key(self) -> Key:
        return -1 if self.resources is None else self.resources, self.name


class StackRow(NamedTuple):
    """A row of the page, its figures as people read them. ``choice``: see ``usage.forms.choice_of``."""

    choice: str
    name: str
    label: str
    resources: str
    average: str


class Head(NamedTuple):
    """The head of a column that sorts, as ``orgs/_sort.html`` shows it."""

    next: str
    direction: str


@dataclass(frozen=True)
class StacksPage:
    """``hour``: the last one that was counted. ``earlier``, ``later``: the keys beside which pages start.
    ``as_of``: of all of it, where it was read from the replica.
    """

    rows: list[StackRow]
    total: int
    hour: datetime | None
    search: str
    heads: dict[str, Head]
    earlier: str
    later: str
    as_of: datetime | None = None


@dataclass(frozen=True)
class StackList:
    """The stacks of an organization that match a search, with what their figures need."""

    organization_id: uuid.UUID
    search: str
    sort: Sort
    since: datetime
    hour: datetime | None
    hours_averaged: int
    total: int

    def after(self, rank: int, name: str, *, most: int) -> list[StackFigures]:
        """What comes after a key, up to ``most``."""
        return self._figures(AFTER, rank, name, most)

    def before(self, rank: int, name: str, *, most: int) -> list[StackFigures]:
        """What comes before it, nearest first."""
        return self._figures(BEFORE, rank, name, most)

    def _figures(self, beside: dict[Sort, str], rank: int, name: str, most: int) -> list[StackFigures]:
        facts = {
            "organization": self.organization_id,
            "hour": self.hour,
            "search": self.search,
            "rank": rank,
            "name": name,
            "since": self.since,
            "most": most,
        }
        with reading().cursor() as cursor:
            cursor.execute(f"{LISTED} {beside[self.sort]} LIMIT %(most)s", facts)
            stacks = cursor.fetchall()
            cursor.execute(SUMS, {**facts, "stacks": [pk for pk, *_others in stacks]})
            sums = dict(cursor.fetchall())
        return [
            StackFigures(name, label, resources, self._average(sums.get(pk, 0)))
            for pk, name, label, resources in stacks
        ]

    def _average(self, total: int) -> Decimal | None:
        return round(Decimal(total) / self.hours_averaged, 4) if self.hours_averaged else None


def stacks_of(organization_id: uuid.UUID, *, search: str = "", sort: Sort = Sort.NAME) -> StackList:
    first_day = timezone.now().date() - timedelta(days=DAYS_AVERAGED - 1)
    since = datetime.combine(first_day, time.min, UTC)
    with reading().cursor() as cursor:
        cursor.execute(FACTS, {"organization": organization_id, "since": since})
        hour, hours_averaged, total = cursor.fetchone()
    return StackList(organization_id, search, sort, since, hour, hours_averaged, total)


def stacks_page(
    organization_id: uuid.UUID, *, search: str = "", sort: str = "", before: str = "", after: str = ""
) -> StacksPage:
    """``sort``, ``before``, ``after``: of the address line; what isn't one is ignored."""
    found = may_lag(partial(_stacks_page, organization_id, search, sort, before, after))
    return replace(found.figures, as_of=found.as_of)


def _stacks_page(organization_id: uuid.UUID, search: str, sort: str, before: str, after: str) -> StacksPage:
    order = Sort(sort) if sort in {one.value for one in Sort} else Sort.RESOURCES
    found = stacks_of(organization_id, search=search, sort=order)
    # One more than is shown tells whether another page follows.
    page = fetch_page(
        older=partial(found.after, most=STACKS_PER_PAGE + 1),
        newer=partial(found.before, most=STACKS_PER_PAGE + 1),
        after=_key_in(after),
        before=_key_in(before),
        size=STACKS_PER_PAGE,
        start=BEFORE_ALL,
    )
    return StacksPage(
        rows=[_row(stack) for stack in page.rows],
        total=found.total,
        hour=found.hour,
        search=search,
        heads={one.value: Head(one.value, _direction(one) if one is order else "") for one in Sort},
        earlier=_key_text(page.rows[0]) if page.has_newer else "",
        later=_key_text(page.rows[-1]) if page.has_older else "",
    )


def _direction(sort: Sort) -> str:
    return "ascending" if sort is Sort.NAME else "descending"


def _row(stack: StackFigures) -> StackRow:
    return StackRow(
        choice=choice_of(stack.name, stack.label),
        name=stack.name,
        label=stack.label,
        resources="–" if stack.resources is None else plain_number(Decimal(stack.resources)),
        average="–" if stack.average is None else number_with_decimal(stack.average),
    )


def _key_text(stack: StackFigures) -> str:
    return "{}~{}".format(*stack.key)


def _key_in(text: str) -> Key | None:
    found = KEY.fullmatch(text)
    return (int(found[1]), found[2]) if found and int(found[1]) <= MOST_RESOURCES else None
