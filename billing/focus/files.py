"""The three files, piece by piece: each piece by statements of its own, so that a slow reader holds none."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from billing.focus.charges import Charge, charges_of, usage_charge
from billing.focus.columns import Dataset, Row, Value, head_of, lines_of
from billing.focus.items import Category, Item, credit_notes_of, items_of
from billing.focus.months import Months, midnight, month_after
from billing.focus.usage import days_on_demand, invoiced_since, on_demand_of, usage_days
from billing.issuer import issuer_of
from billing.models import BillingAccount, Invoice, InvoiceQuerySet
from credits.models import Ledger, Period
from orgs.currencies import in_major_units
from orgs.models import Organization
from orgs.rows import beyond

INVOICES_AT_ONCE = 100
ORDER = ("issued_at", "id")
METERS = {Category.USAGE: "Resource hours", Category.PURCHASE: "Purchases"}
# A credit note takes from what is paid, from what was paid, or gives to the balance.
MAY_HAVE_NOTES = ~Q(credited=0) | ~Q(refunded=0) | ~Q(total=F("amount_due"))


@dataclass(frozen=True)
class Export:
    """What was charged to an organization in some months."""

    organization: Organization
    months: Months

    def file(self, dataset: Dataset) -> Iterator[str]:
        """The pieces of a CSV file."""
        yield head_of(dataset)
        for rows in FILES[dataset](self):
            if lines := lines_of(dataset, rows):
                yield lines

    def file_name(self, dataset: Dataset) -> str:
        months = f"{self.months.first:%Y-%m}-{self.months.last:%Y-%m}"
        return f"focus-{dataset.value}-{self.organization.slug}-{months}.csv"

    @cached_property
    def issuer(self) -> str:
        """The same in all rows of all files, which are joined by it."""
        latest = Invoice.objects.for_org(self.organization).issued().only("document").first()
        return issuer_of(latest.document if latest else {"issuer": ""}).name

    @property
    def provider(self) -> str:
        return settings.ISSUER_NAME or settings.PRODUCT_NAME


def cost_and_usage(export: Export) -> Iterator[Iterable[Row]]:
    organization_id = export.organization.pk
    for items in _items(export):
        begins = {item.credits_since for item in items if item.credits_since}
        on_demand = days_on_demand(organization_id, begins)
        yield [_charge_row(export, charge) for item in items for charge in charges_of(item, on_demand)]
    invoiced = invoiced_since(organization_id, export.months.since)
    for month in export.months:
        days = usage_days(organization_id, midnight(month), midnight(month_after(month)))
        told = set(on_demand_of(days, invoiced))
        yield [_charge_row(export, usage_charge(day)) for day in days if day not in told]


def invoice_detail(export: Export) -> Iterator[Iterable[Row]]:
    for items in _items(export):
        yield [_item_row(export, item) for item in items]


def billing_period(export: Export) -> Iterator[Iterable[Row]]:
    """Those that have begun."""
    now = timezone.now()
    final_until = _final_until(export.organization.pk)
    yield [
        _period_row(export, midnight(month), midnight(month_after(month)), now, final_until)
        for month in export.months
        if midnight(month) <= now
    ]


FILES: dict[Dataset, Callable[[Export], Iterator[Iterable[Row]]]] = {
    Dataset.COST_AND_USAGE: cost_and_usage,
    Dataset.INVOICE_DETAIL: invoice_detail,
    Dataset.BILLING_PERIOD: billing_period,
}


def invoices_of(export: Export) -> InvoiceQuerySet:
    """Those of the months, and earlier ones that may have been credited in them."""
    issued = Invoice.objects.for_org(export.organization).issued().filter(issued_at__lt=export.months.until)
    return issued.filter(Q(issued_at__gte=export.months.since) | MAY_HAVE_NOTES)


def _items(export: Export) -> Iterator[list[Item]]:
    """A page of invoices after the other, earliest first. One statement each."""
    found = invoices_of(export).defer("words").order_by(*ORDER)
    page = list(found[:INVOICES_AT_ONCE])
    while page:
        yield [item for invoice in page for item in _items_in(export.months, invoice)]
        last = page[-1]
        page = list(found.filter(beyond((last.issued_at, last.pk), ORDER))[:INVOICES_AT_ONCE])


def _items_in(months: Months, invoice: Invoice) -> Iterator[Item]:
    everything = [*items_of(invoice), *credit_notes_of(invoice)]
    return (item for item in everything if item.on.month in months)


def _final_until(organization_id: uuid.UUID) -> datetime | None:
    """Nothing is added before it any more: Stripe was heard since, usage is closed. None: it isn't known."""
    account = BillingAccount.objects.filter(organization=organization_id).first()
    latest = Period.objects.for_org(organization_id).order_by("starts_at").last()
    ledger = Ledger.objects.filter(organization=organization_id).first()
    closed = ledger.closed_until if ledger else None
    moments = [
        account.as_of if account else timezone.now(),
        closed if latest and (closed is None or closed < latest.ends_at) else timezone.now(),
    ]
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None


def _charge_row(export: Export, charge: Charge) -> Row:
    item, is_sold = charge.item, bool(charge.price_id)
    return {
        **_common(export, charge.billed, charge.currency, midnight(charge.month)),
        "BillingAccountName": export.organization.name,
        "ChargeCategory": charge.kind.category,
        "ChargeClass": "Correction" if charge.corrects else None,
        "ChargeDescription": charge.description,
        "ChargeFrequency": charge.kind.frequency,
        "ChargePeriodEnd": charge.until,
        "ChargePeriodStart": charge.since,
        "ConsumedQuantity": charge.consumed,
        "ConsumedUnit": None if charge.consumed is None else "Resource-Hours",
        "ContractedCost": charge.at_list_price,
        "ContractedUnitPrice": charge.unit_price,
        # What is bought ahead isn't spread over its use: docs/focus.md.
        "EffectiveCost": charge.billed,
        "HostProviderName": export.provider,
        "InvoiceDetailId": item.id if item else None,
        "InvoiceId": item.on.id if item else None,
        "ListCost": charge.at_list_price,
        "ListUnitPrice": charge.unit_price,
        "PricingQuantity": charge.quantity,
        "PricingUnit": charge.unit,
        "ServiceCategory": "Developer Tools",
        "ServiceName": settings.PRODUCT_NAME,
        "ServiceProviderName": export.provider,
        "ServiceSubcategory": "Developer Platforms",
        "SkuId": charge.product,
        "SkuMeter": METERS[charge.kind.category] if charge.product else None,
        "SkuPriceDetails": charge.details if is_sold else None,
        "SkuPriceId": charge.price_id,
        "x_CoveredBy": charge.covered_by,
        "x_InvoiceIssueStatus": item.on.status if item else None,
    }


def _item_row(export: Export, item: Item) -> Row:
    on, line = item.on, item.line or {}
    grain = {"SkuId": line.get("product"), "SkuPriceId": line.get("price"), "x_Item": item.id}
    return {
        **_common(export, in_major_units(item.amount, on.currency), on.currency, midnight(on.month)),
        "ChargeCategory": item.kind.category,
        "InvoiceDetailCreated": on.issued_at,
        "InvoiceDetailDescription": item.description,
        "InvoiceDetailGrain": {name: value for name, value in grain.items() if value},
        "InvoiceDetailId": item.id,
        "InvoiceDetailLastUpdated": on.updated_at,
        "InvoiceId": on.id,
        "InvoiceIssueDate": on.issued_at,
        "InvoiceIssueStatus": on.status,
        "PaymentDueDate": on.due_at,
        "PaymentTerms": on.terms,
        "PurchaseOrderNumber": on.po_number,
        "ReferenceInvoiceId": on.reference,
        "x_IncludedTax": in_major_units(item.included_tax, on.currency) if item.included_tax else None,
    }


def _common(export: Export, billed: Decimal, currency: str, month: datetime) -> dict[str, Value]:
    return {
        "BilledCost": billed,
        "BillingAccountId": str(export.organization.pk),
        "BillingCurrency": currency.upper(),
        "BillingPeriodEnd": midnight(month_after(month.date())),
        "BillingPeriodStart": month,
        "InvoiceIssuerName": export.issuer,
    }


def _period_row(
    export: Export, starts: datetime, ends: datetime, now: datetime, final_until: datetime | None
) -> Row:
    is_closed = final_until is not None and ends <= final_until
    return {
        "BillingPeriodCreated": starts,
        "BillingPeriodEnd": ends,
        "BillingPeriodLastUpdated": ends if is_closed else now,
        "BillingPeriodStart": starts,
        "BillingPeriodStatus": "Closed" if is_closed else "Open",
        "InvoiceIssuerName": export.issuer,
    }
