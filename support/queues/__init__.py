"""What needs a human: queues of support staff, each made of rules over what is stored.

Nothing outside is asked when they are read. All counts are one statement, and so is a page of rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from orgs.models import Organization
from support.queues.base import ORDER, Counted, Found, Queue, RowKey, Rows, Source
from support.queues.money import DRIFT, ON_DEMAND, PAYING, PREVIEWS, PRICES
from support.queues.organizations import ADMINS
from support.queues.work import MAILS, OPERATIONS, WEBHOOKS

PAGE = 25

QUEUES = (PAYING, PREVIEWS, ON_DEMAND, OPERATIONS, WEBHOOKS, MAILS, ADMINS, PRICES, DRIFT)
BY_CODE = {queue.code: queue for queue in QUEUES}
SOURCES = {source.code: source for queue in QUEUES for source in queue.sources}
QUEUE_OF = {source.code: queue for queue in QUEUES for source in queue.sources}


@dataclass(frozen=True)
class QueueCount:
    """``oldest``: since when the one waits that has waited longest; None: there is none."""

    queue: Queue
    rows: int
    oldest: datetime | None


@dataclass(frozen=True)
class QueueRow:
    """One thing that needs a human. ``organization``: None where it is nobody's. ``stripe_id``: as the
    ``at_stripe`` of its source; "" for none.
    """

    source: Source
    at: datetime
    key: str
    organization: Organization | None
    what: str
    why: str
    stripe_id: str

    @property
    def queue(self) -> Queue:
        return QUEUE_OF[self.source.code]

    @property
    def name(self) -> str:
        """What names it among all rows of all queues."""
        return f"{self.source.code}~{self.key}"


@dataclass(frozen=True)
class QueuePage:
    """``chosen``: the queue whose rows are shown; None: of all. ``after``: the next page's key, if any."""

    counts: list[QueueCount]
    chosen: Queue | None
    rows: list[QueueRow]
    after: str

    @property
    def total(self) -> int:
        return sum(count.rows for count in self.counts)


def queue_counts() -> list[QueueCount]:
    """How many wait in each queue. One statement."""
    counted = [Counted(*row) for row in _union(source.count() for source in SOURCES.values())]
    return [_count_of(queue, counted) for queue in QUEUES]


def queue_page(*, queue: str = "", after: str = "") -> QueuePage:
    """The rows after a key, oldest first. Three statements."""
    chosen = BY_CODE.get(queue)
    sources = chosen.sources if chosen else tuple(SOURCES.values())
    key = _key_in(after)
    pages = [source.page(after=key, size=PAGE + 1) for source in sources]
    # One alone is in order already.
    rows = pages[0] if len(pages) == 1 else _union(pages).order_by(*ORDER)[: PAGE + 1]
    found = [Found(*row) for row in rows]
    shown = found[:PAGE]
    return QueuePage(
        counts=queue_counts(),
        chosen=chosen,
        rows=_worded(shown),
        after=_key_text(shown[-1]) if len(found) > PAGE else "",
    )


def queue_row(name: str) -> QueueRow | None:
    """The row of that name, settled or not; None: there is none, or none any more."""
    code, _separator, key = name.partition("~")
    source = SOURCES.get(code)
    found = source.one(key) if source else None
    return _worded([found])[0] if found else None


def _count_of(queue: Queue, counted: Iterable[Counted]) -> QueueCount:
    codes = {source.code for source in queue.sources}
    mine = [count for count in counted if count.source in codes]
    oldest = min((count.oldest for count in mine if count.oldest), default=None)
    return QueueCount(queue, sum(count.rows for count in mine), oldest)


def _union(querysets: Iterable[Rows]) -> Rows:
    first, *others = querysets
    return first.union(*others, all=True)


def _worded(found: list[Found]) -> list[QueueRow]:
    organizations = Organization.objects.in_bulk({row.organization for row in found if row.organization})
    rows = []
    for row in found:
        source = SOURCES[row.source]
        organization = organizations.get(row.organization)
        what, why = source.words(row.facts)
        stripe_id = row.facts.get(source.at_stripe) or ""
        rows.append(QueueRow(source, row.at, row.key, organization, what, why, stripe_id))
    return rows


def _key_text(row: Found) -> str:
    return f"{row.at.isoformat()}~{row.source}~{row.key}"


def _key_in(text: str) -> RowKey | None:
    """A page key from the address line; anything else shows the first page."""
    moment, _, rest = text.partition("~")
    source, separator, key = rest.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at.astimezone(UTC), source, key) if at.tzinfo and separator else None
    except (ValueError, OverflowError):
        return None
