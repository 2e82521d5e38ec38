"""The columns of each file and how their values are written, by FOCUS 1.4.

In order of their names, those of our own (``x_``) last. What each one means here: ``docs/focus.md``.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO

from orgs.spreadsheets import inert

Value = str | Decimal | datetime | Mapping[str, str] | None
Row = Mapping[str, Value]


class Dataset(StrEnum):
    COST_AND_USAGE = "cost-and-usage"
    INVOICE_DETAIL = "invoice-detail"
    BILLING_PERIOD = "billing-period"


COLUMNS: dict[Dataset, tuple[str, ...]] = {
    Dataset.COST_AND_USAGE: (
        "BilledCost",
        "BillingAccountId",
        "BillingAccountName",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargeClass",
        "ChargeDescription",
        "ChargeFrequency",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "ConsumedQuantity",
        "ConsumedUnit",
        "ContractedCost",
        "ContractedUnitPrice",
        "EffectiveCost",
        "HostProviderName",
        "InvoiceDetailId",
        "InvoiceId",
        "InvoiceIssuerName",
        "ListCost",
        "ListUnitPrice",
        "PricingQuantity",
        "PricingUnit",
        "ServiceCategory",
        "ServiceName",
        "ServiceProviderName",
        "ServiceSubcategory",
        "SkuId",
        "SkuMeter",
        "SkuPriceDetails",
        "SkuPriceId",
        "x_CoveredBy",
        "x_InvoiceIssueStatus",
    ),
    Dataset.INVOICE_DETAIL: (
        "BilledCost",
        "BillingAccountId",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "InvoiceDetailCreated",
        "InvoiceDetailDescription",
        "InvoiceDetailGrain",
        "InvoiceDetailId",
        "InvoiceDetailLastUpdated",
        "InvoiceId",
        "InvoiceIssueDate",
        "InvoiceIssueStatus",
        "InvoiceIssuerName",
        "PaymentDueDate",
        "PaymentTerms",
        "PurchaseOrderNumber",
        "ReferenceInvoiceId",
        "x_IncludedTax",
    ),
    Dataset.BILLING_PERIOD: (
        "BillingPeriodCreated",
        "BillingPeriodEnd",
        "BillingPeriodLastUpdated",
        "BillingPeriodStart",
        "BillingPeriodStatus",
        "InvoiceIssuerName",
    ),
}


def head_of(dataset: Dataset) -> str:
    return _csv([COLUMNS[dataset]])


def lines_of(dataset: Dataset, rows: Iterable[Row]) -> str:
    """Each row has a value, or None, for each column."""
    return _csv(tuple(cell(row[name]) for name in COLUMNS[dataset]) for row in rows)


def cell(value: Value) -> str | None:
    """None is null, which stands as nothing between two commas. A text that a spreadsheet would take for a
    formula gets an apostrophe; numbers stay as they are.
    """
    match value:
        case None | "":
            return None
        case Decimal():
            return _decimal(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case str():
            return inert(value)
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _decimal(value: Decimal) -> str:
    """Without exponent, and without zeros that say nothing."""
    text = format(value or Decimal(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _csv(rows: Iterable[Iterable[str | None]]) -> str:
    """RFC 4180. Only what needs quotes has them: a quoted nothing would be an empty text, and no null."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
