"""What a queue of support staff is: rules that find rows, and the words and acts that each row comes with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Min, OuterRef, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONObject
from django.utils.functional import Promise

from orgs.rows import beyond
from support.models import SettledRow

# Where a page of a queue ends: the time, the source and the key of its last row.
RowKey = tuple[datetime, str, str]
ORDER = ("row_at", "row_source", "row_key")

Rows = QuerySet[Any, Any]
Facts = Mapping[str, Any]


class Words(NamedTuple):
    """``what``: the thing. ``why``: why it is here, in our words or in those of what failed."""

    what: str
    why: str


class Found(NamedTuple):
    """A row as the database gives it. ``facts``: what its source words it from."""

    source: str
    at: datetime
    key: str
    organization: Any
    facts: Facts


class Counted(NamedTuple):
    source: str
    rows: int
    oldest: datetime | None


@dataclass(frozen=True, kw_only=True)
class Source:
    """One rule: the rows that it finds, oldest first by ``at``.

    ``at_label``: what happened at that time. ``record``: the model whose stock page shows the row's thing.
    ``acts``: the names of acts on the row's thing. ``organization_acts``: of those on its organization.
    ``at_stripe``: the fact that is the id of what only Stripe's dashboard can mend, if there is such a thing.
    ``mended_on``: the name of the page that mends such rows together, if one does.
    """

    code: str
    rows: Callable[[], Rows]
    at: str
    at_label: Promise
    organization: Combinable
    facts: Mapping[str, Combinable]
    words: Callable[[Facts], Words]
    record: str
    key: Combinable = field(default_factory=lambda: F("pk"))
    acts: tuple[str, ...] = ()
    organization_acts: tuple[str, ...] = ()
    at_stripe: str = ""
    mended_on: str = ""

    def page(self, *, after: RowKey | None, size: int) -> Rows:
        """The first rows after a key, as the columns of ``Found``."""
        rows = self._unsettled()
        if after is not None:
            rows = rows.filter(beyond(after, ORDER))
        return self._found(rows).order_by(*ORDER)[:size]

    def one(self, key: str) -> Found | None:
        """The row of that key, also if it was settled."""
        row = self._found(self._named().filter(row_key=key)).first()
        return Found(*row) if row else None

    def count(self) -> Rows:
        """One row, as the columns of ``Counted``."""
        counted: Rows = self._unsettled().values("row_source").annotate(rows=Count("*"), oldest=Min("row_at"))
        return counted.values_list("row_source", "rows", "oldest")

    def keys(self) -> Rows:
        """Of all rows, also of those that were settled."""
        return self._named().values("row_key")

    def _named(self) -> Rows:
        named: Rows = self.rows().annotate(
            row_source=Value(self.code, output_field=TextField()),
            row_at=F(self.at),
            row_key=Cast(self.key, TextField()),
        )
        return named.order_by()

    def _unsettled(self) -> Rows:
        """Without those that staff have settled since they came."""
        settled = SettledRow.objects.filter(
            source=self.code, key=OuterRef("row_key"), settled_at__gte=OuterRef("row_at")
        )
        return self._named().exclude(Exists(settled))

    def _found(self, rows: Rows) -> Rows:
        wanted: Rows = rows.annotate(row_organization=self.organization, row_facts=JSONObject(**self.facts))
        return wanted.values_list("row_source", "row_at", "row_key", "row_organization", "row_facts")


@dataclass(frozen=True, kw_only=True)
class Queue:
    """``about``: why these need a human, and what to do."""

    code: str
    title: Promise
    about: Promise
    sources: tuple[Source, ...]
