"""The page on which the files are chosen, and what is to know of them before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Min, Q
from django.utils import timezone

from billing.focus.columns import Dataset
from billing.focus.files import Export, invoices_of
from billing.focus.months import MOST, Months, month_after, month_of
from billing.freshness import is_outdated
from billing.models import Invoice
from billing.selectors.accounts import account_of
from credits.models import Ledger
from orgs.models import Organization

NOT_ITEMIZED = Q(document__lines=[]) & ~Q(total=0)


@dataclass(frozen=True)
class ExportsPage:
    """``choices``: months to choose from, latest first. ``not_itemized``: invoices of which only the total is
    known. ``as_of``: when all that Stripe has was last seen. ``counted_until``: the hours of usage before it
    are in the files; None: no credits are counted.
    """

    months: Months
    choices: Sequence[date]
    not_itemized: int
    as_of: datetime | None
    counted_until: datetime | None
    datasets: Sequence[Dataset] = tuple(Dataset)

    @property
    def is_outdated(self) -> bool:
        return is_outdated(self.as_of)


def exports_page(organization: Organization, months: Months) -> ExportsPage:
    """Four statements."""
    issued = Invoice.objects.for_org(organization).issued()
    earliest = issued.order_by().aggregate(at=Min("issued_at"))["at"]
    account = account_of(organization.pk)
    settled = Ledger.objects.filter(organization=organization).values_list("settled_until", flat=True)
    return ExportsPage(
        months=months,
        choices=_choices(month_of(earliest or timezone.now()), months),
        not_itemized=invoices_of(Export(organization, months)).filter(NOT_ITEMIZED).count(),
        as_of=account.as_of if account else None,
        counted_until=settled.first(),
    )


def _choices(earliest: date, months: Months) -> list[date]:
    this_month = month_of(timezone.now())
    first = max(min(earliest, months.first), month_after(this_month, 1 - MOST))
    return sorted({*Months(first, this_month), months.first, months.last}, reverse=True)
