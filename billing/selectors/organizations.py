"""The organizations of one person: which of them is in trouble, and what each pays next."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.money import format_money
from billing.selectors.customers import Customer, customers_among, customers_of
from billing.selectors.standing import TONES, Standing
from billing.upcoming import NoFigure
from orgs.dates import day
from orgs.editions import edition_of
from orgs.policy import Role
from orgs.rows import Key, first_page, key_in_text, key_text
from orgs.selectors import (
    FEW_MEMBERSHIPS,
    MembershipRow,
    latest_memberships,
    memberships_beside,
    memberships_named,
    memberships_of,
)
from orgs.start import STARTS

# A bookkeeper's customers stand on one page; more of them, where they are asked for.
SHOWN_AT_ONCE = FEW_MEMBERSHIPS
MOST_SHOWN = 10_000
# Of more customers than that: what is read unasked.
PART = 15
WORTH_SEARCHING = 8
SPANS = (7, 30)
NOT_SEEN = Standing("", calm=True)


class Sort(StrEnum):
    """What the list may be sorted by, each first as it is asked for most: ``Wanted.backward`` turns it."""

    STATE = "state"
    NAME = "name"
    CHARGE = "charge"
    OVERDUE = "overdue"

    @property
    def descends(self) -> bool:
        """The worst state and the largest amount come first."""
        return self in {self.STATE, self.OVERDUE}


@dataclass(frozen=True)
class Wanted:
    """What of the list is asked for. ``shown``: how many rows at most.

    ``of_all``: sorted or chosen by what only those who read them all know. ``after``, ``before``: the key of
    a part, where all are too many to read unasked.
    """

    search: str = ""
    troubled_only: bool = False
    sort: Sort = Sort.STATE
    backward: bool = False
    shown: int = SHOWN_AT_ONCE
    of_all: bool = False
    after: Key | None = None
    before: Key | None = None


def wanted_in(query: Mapping[str, str]) -> Wanted:
    """From an address line; what can't be read is left out."""
    sort = query.get("sort", "")
    name = sort.removeprefix("-")
    shown = query.get("shown", "")
    sorts, troubled_only = name in list(Sort), query.get("show") == "attention"
    return Wanted(
        search=query.get("search", "")[:80].replace("\0", "").strip(),
        troubled_only=troubled_only,
        sort=Sort(name) if sorts else Sort.STATE,
        backward=sort.startswith("-"),
        shown=int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 6 else SHOWN_AT_ONCE,
        of_all=sorts or troubled_only,
        after=key_in_text(query.get("after", "")),
        before=key_in_text(query.get("before", "")),
    )


class OrganizationRow(NamedTuple):
    """A row as it is read. ``starts_with_billing``: where its link leads; ``calm``: its state is no tag."""

    slug: str
    name: str
    edition: str
    role: str
    starts_with_billing: bool
    calm: bool
    tone: str
    state: str
    state_note: str
    charge: str
    charge_note: str
    overdue: str


class Head(NamedTuple):
    """The head of a column: ``next`` is what pressing it sorts by, ``direction`` the value of aria-sort."""

    sort: str
    next: str
    direction: str


@dataclass(frozen=True)
class Total:
    """A sum of each currency, as people read it, and of how many organizations it is."""

    sums: list[str]
    organizations: int


@dataclass(frozen=True)
class Sums:
    """Of all organizations of the person. ``next_charges``: within so many days.

    ``unknown``: in how many organizations a charge has no figure yet.
    """

    total: int
    troubled: int
    overdue: Total
    next_charges: list[tuple[int, Total]]
    unknown: int


@dataclass(frozen=True)
class OrganizationsPage:
    """``rows``: those that are asked for. ``sums``: None where there are too many to add up unasked.

    ``as_of``: the oldest time at which Stripe was last heard. ``more``: how many rows to ask for next, 0: all
    that were found are shown. ``newer``, ``older``: keys beside which other parts start, "" at the ends.
    """

    wanted: Wanted
    rows: list[OrganizationRow]
    sums: Sums | None
    any_billing: bool
    as_of: datetime | None
    heads: dict[str, Head]
    more: int = 0
    newer: str = ""
    older: str = ""

    @property
    def is_empty(self) -> bool:
        return self.sums is not None and self.sums.total == 0

    @property
    def is_long(self) -> bool:
        return self.sums is None or self.sums.total >= WORTH_SEARCHING


def organizations_page(person: uuid.UUID, wanted: Wanted) -> OrganizationsPage:
    """Trouble first, of all; of more than ``FEW_MEMBERSHIPS`` the latest, until all are asked for."""
    latest = latest_memberships(person)
    if len(latest) <= FEW_MEMBERSHIPS:
        return _page_of_all(customers_of(person, latest), wanted)
    if wanted.of_all:
        return _page_of_all(customers_of(person, memberships_of(person)), wanted)
    return _page_of_part(person, latest, wanted)


def _page_of_all(customers: list[Customer], wanted: Wanted) -> OrganizationsPage:
    found = [one for one in customers if _is_wanted(one, wanted)]
    found.sort(key=lambda one: _key(one, wanted.sort), reverse=wanted.backward)
    return OrganizationsPage(
        wanted=wanted,
        rows=list(_rows(found[: wanted.shown])),
        sums=Sums(
            total=len(customers),
            troubled=sum(one.needs_attention for one in customers),
            overdue=_total(one.overdue_amounts for one in customers),
            next_charges=[(days, _charged_within(customers, timedelta(days=days))) for days in SPANS],
            unknown=sum(one.has_unknown_charge for one in customers),
        ),
        any_billing=any(one.upcoming or one.needs_attention for one in customers),
        as_of=_as_of(customers),
        heads={sort.value: _head(sort, wanted) for sort in Sort},
        more=min(wanted.shown + SHOWN_AT_ONCE, MOST_SHOWN) if len(found) > wanted.shown else 0,
    )


def _page_of_part(person: uuid.UUID, latest: list[MembershipRow], wanted: Wanted) -> OrganizationsPage:
    key = {"after": wanted.after, "before": wanted.before}
    if wanted.search:
        page = memberships_named(person, wanted.search.split(), **key, size=PART)
        customers = customers_among(page.rows)
    else:
        begins = wanted.after is None and wanted.before is None
        page = first_page(latest, PART) if begins else memberships_beside(person, **key, size=PART)
        customers = customers_of(person, page.rows)
    return OrganizationsPage(
        wanted=wanted,
        rows=list(_rows(customers)),
        sums=None,
        any_billing=any(one.standing for one in customers),
        as_of=_as_of(customers),
        heads={sort.value: Head(sort.value, sort.value, "") for sort in Sort},
        newer=key_text(page.rows[0].key) if page.has_newer else "",
        older=key_text(page.rows[-1].key) if page.has_older else "",
    )


def _as_of(customers: list[Customer]) -> datetime | None:
    return min((one.as_of for one in customers if one.as_of), default=None)


def _key(one: Customer, sort: Sort) -> tuple[Any, ...]:
    """Where a row stands in the list: what is asked for most comes first."""
    name = one.membership.name.casefold(), one.membership.slug
    match sort:
        case Sort.NAME:
            return name
        case Sort.CHARGE:
            return one.next_at, *name
        case Sort.OVERDUE:
            return -one.overdue_sum, *name
    return one.standing.rank if one.standing else len(TONES), one.next_at, *name


def _is_wanted(one: Customer, wanted: Wanted) -> bool:
    if wanted.troubled_only and not one.needs_attention:
        return False
    name = one.membership.name.casefold()
    return all(word in name for word in wanted.search.casefold().split())


def _head(sort: Sort, wanted: Wanted) -> Head:
    if sort is not wanted.sort:
        return Head(sort.value, sort.value, "")
    direction = "descending" if sort.descends is not wanted.backward else "ascending"
    return Head(sort.value, sort.value if wanted.backward else f"-{sort.value}", direction)


def _charged_within(customers: Iterable[Customer], span: timedelta) -> Total:
    until = timezone.now() + span
    return _total(
        [
            (one.currency, one.amount)
            for one in customer.upcoming
            if one.amount and one.at is not None and one.at <= until
        ]
        for customer in customers
    )


def _total(amounts: Iterable[list[tuple[str, int]]]) -> Total:
    """Of the amounts of each organization, by currency."""
    sums: dict[str, int] = defaultdict(int)
    concerned = [of_one for of_one in amounts if of_one]
    for currency, amount in (pair for of_one in concerned for pair in of_one):
        sums[currency] += amount
    return Total(
        [format_money(amount, currency) for currency, amount in sorted(sums.items())], len(concerned)
    )


def _rows(customers: list[Customer]) -> Iterator[OrganizationRow]:
    today = timezone.now().date()
    editions = {
        code: edition_of(code, on=today).name for code in {one.membership.edition_code for one in customers}
    }
    roles = {role.value: str(role.label) for role in Role}
    for one in customers:
        membership, standing = one.membership, one.standing or NOT_SEEN
        charge, charge_note = _charge(one)
        yield OrganizationRow(
            slug=membership.slug,
            name=membership.name,
            edition=editions[membership.edition_code],
            role=roles[membership.role],
            starts_with_billing=STARTS[Role(membership.role)] == "billing",
            calm=standing.calm,
            tone=standing.tone,
            state=standing.label,
            state_note=standing.note,
            charge=charge,
            charge_note=charge_note,
            overdue=" + ".join(_total([one.overdue_amounts]).sums) if one.overdue else "",
        )


def _charge(one: Customer) -> tuple[str, str]:
    """What is charged next, and when; both empty where nothing is."""
    if one.charges:
        text = " + ".join(format_money(charge.amount, charge.currency) for charge in one.charges)
        note = _("on %(day)s") % {"day": day(one.next_at)}
        if any(charge.grows for charge in one.charges):
            note = _("%(on_day)s and what is used until then") % {"on_day": note}
        return text, note
    if not one.has_unknown_charge:
        return "", ""
    if any(upcoming.no_figure is NoFigure.BY_USE for upcoming in one.upcoming):
        return _("By use"), ""
    return _("Not known"), ""
