"""All invoices of an organization: searched, filtered, sorted, a page at a time."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.freshness import is_outdated
from billing.invoice_states import InvoiceState, in_state
from billing.models import Invoice
from billing.selectors.accounts import account_of
from billing.selectors.invoices import InvoiceRow
from orgs.compiled import compiled
from orgs.models import Organization
from orgs.rows import LATER_THAN_ALL, backward, beyond, fetch_page, newer_than, older_than

PAGE_SIZE = 25
LONGEST_SEARCH = 100
YEAR = re.compile("20[0-9]{2}")
# Drafts are shown to nobody.
STATES = [state for state in InvoiceState if state is not InvoiceState.DRAFT]


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    AMOUNT = "amount"

    @property
    def label(self) -> Promise:
        return SORT_LABELS[self]


SORT_LABELS = {
    Sort.NEWEST: _("Newest first"),
    Sort.OLDEST: _("Oldest first"),
    Sort.AMOUNT: _("Largest amount first"),
}
# Amounts of two currencies can't be compared: one currency comes after the other.
ORDERS: dict[Sort, Sequence[str]] = {
    Sort.NEWEST: ("-issued_at", "-id"),
    Sort.OLDEST: ("issued_at", "id"),
    Sort.AMOUNT: ("currency", "-total", "-id"),
}
BEFORE_ALL: dict[Sort, tuple[Any, ...]] = {
    Sort.NEWEST: LATER_THAN_ALL,
    Sort.OLDEST: (datetime.min.replace(tzinfo=UTC), uuid.UUID(int=0)),
    Sort.AMOUNT: ("", 2**63 - 1, uuid.UUID(int=2**128 - 1)),
}


@dataclass(frozen=True)
class InvoiceFilter:
    """What somebody wants to see. ``search``: words, each of which is in the number, the note or a line."""

    search: str = ""
    state: InvoiceState | None = None
    year: int | None = None
    sort: Sort = Sort.NEWEST

    @property
    def narrows(self) -> bool:
        return bool(self.search or self.state or self.year)

    def of(self, organization: Organization) -> QuerySet[Invoice]:
        found = Invoice.objects.for_org(organization).issued().with_words(self.search)
        if self.state:
            found = in_state(found, self.state)
        return found.of_year(self.year) if self.year else found


def filter_in(query: Mapping[str, str]) -> InvoiceFilter:
    """From the address line. What can't be meant there asks for nothing."""
    search = "".join(letter if letter.isprintable() else " " for letter in query.get("search", ""))
    state, year, sort = (query.get(name, "") for name in ("state", "year", "sort"))
    return InvoiceFilter(
        search=" ".join(search.split())[:LONGEST_SEARCH],
        state=InvoiceState(state) if state in STATES else None,
        year=int(year) if YEAR.fullmatch(year) else None,
        sort=Sort(sort) if sort in list(Sort) else Sort.NEWEST,
    )


@dataclass(frozen=True)
class InvoiceList:
    """``before``, ``after``: the invoices beside which the neighboring pages begin, None at an end.

    ``years``: those to choose from, newest first; empty: there are no invoices at all. ``as_of``: when all
    that Stripe has was last seen to be as it is here.
    """

    rows: list[InvoiceRow]
    before: uuid.UUID | None
    after: uuid.UUID | None
    wanted: InvoiceFilter
    years: list[int]
    as_of: datetime | None
    states: Sequence[InvoiceState] = tuple(STATES)
    sorts: Sequence[Sort] = tuple(Sort)

    @property
    def is_outdated(self) -> bool:
        return is_outdated(self.as_of)


@compiled(InvoiceRow)
def _older(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Invoice, Any]:
    issued = Invoice.objects.for_org(organization).issued()
    rows = older_than((at, pk), issued, time="issued_at").values_list(*InvoiceRow._fields)
    return rows[: PAGE_SIZE + 1]


@compiled(InvoiceRow)
def _newer(organization: uuid.UUID, at: datetime, pk: uuid.UUID) -> QuerySet[Invoice, Any]:
    issued = Invoice.objects.for_org(organization).issued()
    rows = newer_than((at, pk), issued, time="issued_at").values_list(*InvoiceRow._fields)
    return rows[: PAGE_SIZE + 1]


def invoice_list(
    organization: Organization,
    wanted: InvoiceFilter,
    *,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
) -> InvoiceList:
    """The page next to an invoice; the first one where there is none, or the invoice isn't known here."""
    order = ORDERS[wanted.sort]
    if wanted == InvoiceFilter():
        older, newer = partial(_older, organization.pk), partial(_newer, organization.pk)
    else:
        found = wanted.of(organization)
        older, newer = partial(_beside, found, order), partial(_beside, found, backward(order))
    page = fetch_page(
        older=older,
        newer=newer,
        after=_key_of(organization, after, order),
        before=_key_of(organization, before, order),
        size=PAGE_SIZE,
        start=BEFORE_ALL[wanted.sort],
    )
    account = account_of(organization.pk)
    return InvoiceList(
        rows=page.rows,
        before=page.rows[0].id if page.has_newer else None,
        after=page.rows[-1].id if page.has_older else None,
        wanted=wanted,
        years=_years(organization, wanted.year),
        as_of=account.as_of if account else None,
    )


def _beside(found: QuerySet[Invoice], order: Sequence[str], *key: Any) -> list[InvoiceRow]:
    rows = found.filter(beyond(key, order)).order_by(*order).values_list(*InvoiceRow._fields)
    return [InvoiceRow._make(row) for row in rows[: PAGE_SIZE + 1]]


def _key_of(
    organization: Organization, invoice_id: uuid.UUID | None, order: Sequence[str]
) -> tuple[Any, ...] | None:
    if invoice_id is None:
        return None
    columns = [name.removeprefix("-") for name in order]
    return Invoice.objects.for_org(organization).issued().filter(pk=invoice_id).values_list(*columns).first()


def _years(organization: Organization, chosen: int | None) -> list[int]:
    """From this year back to the first invoice's; the chosen one in any case."""
    issued = Invoice.objects.for_org(organization).issued()
    first = issued.order_by("issued_at").values_list("issued_at", flat=True).first()
    if first is None:
        return []
    years = set(range(first.year, timezone.now().year + 1))
    return sorted(years | {chosen} if chosen else years, reverse=True)
