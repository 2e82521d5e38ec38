"""What FOCUS 1.4 asks of the columns that we write, and a reader of our files.

From the data model and the text of the specification (CC BY 4.0, FinOps Foundation): docs/focus.md says
where. ``!``: not null. Then the type, or the values that are allowed.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

Record = Mapping[str, str | None]

COST_AND_USAGE = """
    BilledCost                            ! Decimal
    BillingAccountId                      ! String
    BillingAccountName                      String
    BillingCurrency                       ! Currency
    BillingPeriodEnd                      ! Date/Time
    BillingPeriodStart                    ! Date/Time
    ChargeCategory                        ! Usage|Purchase|Tax|Credit|Adjustment
    ChargeClass                             Correction
    ChargeDescription                       String
    ChargeFrequency                       ! One-Time|Recurring|Usage-Based
    ChargePeriodEnd                       ! Date/Time
    ChargePeriodStart                     ! Date/Time
    ConsumedQuantity                        Decimal
    ConsumedUnit                            String
    ContractedCost                        ! Decimal
    ContractedUnitPrice                     Price
    EffectiveCost                         ! Decimal
    HostProviderName                        String
    InvoiceDetailId                         String
    InvoiceId                               String
    InvoiceIssuerName                     ! String
    ListCost                              ! Decimal
    ListUnitPrice                           Price
    PricingQuantity                         Decimal
    PricingUnit                             String
    ServiceCategory                       ! Developer Tools
    ServiceName                           ! String
    ServiceProviderName                   ! String
    ServiceSubcategory                    ! Developer Platforms
    SkuId                                   String
    SkuMeter                                String
    SkuPriceDetails                         JSON
    SkuPriceId                              String
"""
INVOICE_DETAIL = """
    BilledCost                            ! Decimal
    BillingAccountId                      ! String
    BillingCurrency                       ! Currency
    BillingPeriodEnd                      ! Date/Time
    BillingPeriodStart                    ! Date/Time
    ChargeCategory                        ! Usage|Purchase|Tax|Credit|Adjustment
    InvoiceDetailCreated                  ! Date/Time
    InvoiceDetailDescription                String
    InvoiceDetailGrain                      JSON
    InvoiceDetailId                       ! String
    InvoiceDetailLastUpdated              ! Date/Time
    InvoiceId                             ! String
    InvoiceIssueDate                        Date/Time
    InvoiceIssueStatus                    ! Open|Issued|Voided
    InvoiceIssuerName                     ! String
    PaymentDueDate                          Date/Time
    PaymentTerms                          ! String
    PurchaseOrderNumber                     String
    ReferenceInvoiceId                    ! String
"""
BILLING_PERIOD = """
    BillingPeriodCreated                  ! Date/Time
    BillingPeriodEnd                      ! Date/Time
    BillingPeriodLastUpdated              ! Date/Time
    BillingPeriodStart                    ! Date/Time
    BillingPeriodStatus                   ! Open|Closed
    InvoiceIssuerName                     ! String
"""
DATASETS = {
    "cost-and-usage": COST_AND_USAGE,
    "invoice-detail": INVOICE_DETAIL,
    "billing-period": BILLING_PERIOD,
}
# NumericFormat, DateTimeFormat, CurrencyFormat.
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
CURRENCY = re.compile(r"[A-Z]{3}")


def columns_of(dataset: str) -> dict[str, tuple[bool, str]]:
    """Of each column of the specification: whether it may be null, and its type or values."""
    found = {}
    for line in DATASETS[dataset].strip().splitlines():
        name, _space, rest = line.strip().partition(" ")
        values = rest.strip()
        found[name] = (not values.startswith("!"), values.removeprefix("!").strip())
    return found


def read(text: str) -> list[dict[str, str | None]]:
    """Nothing between two commas is null."""
    return [
        {name: value or None for name, value in row.items()}
        for row in csv.DictReader(StringIO(text, newline=""))
    ]


def faults_of(dataset: str, records: Iterable[Record]) -> list[str]:
    """What of a file isn't as the specification asks; empty: nothing."""
    found = []
    for number, record in enumerate(records):
        for name, (may_be_null, values) in columns_of(dataset).items():
            value = record[name]
            if value is None:
                found += [] if may_be_null else [f"{number} {name}: null"]
            elif not _is_one_of(value, values):
                found.append(f"{number} {name}: {value}")
        rules = RULES.get(dataset, {})
        found += [f"{number} {rule}" for rule, holds in rules.items() if not holds(record)]
    return found


def _is_one_of(value: str, values: str) -> bool:
    match values:
        case "String":
            return bool(value.strip())
        case "Decimal":
            return bool(NUMBER.fullmatch(value))
        case "Price":
            return bool(NUMBER.fullmatch(value)) and not value.startswith("-")
        case "Date/Time":
            return bool(INSTANT.fullmatch(value)) and bool(datetime.fromisoformat(value).astimezone(UTC))
        case "Currency":
            return bool(CURRENCY.fullmatch(value))
        case "JSON":
            return all(isinstance(one, str) for one in json.loads(value).values())
    return value in values.split("|")


def is_sold(record: Record) -> bool:
    """A use or a purchase, and no correction: it has a price."""
    return record["ChargeCategory"] in {"Usage", "Purchase"} and record["ChargeClass"] is None


def number(record: Record, name: str) -> Decimal:
    return Decimal(record[name] or 0)


def _costs(record: Record, cost: str, price: str) -> bool:
    """Price times quantity, or what is billed."""
    if record[price] is None or record["PricingQuantity"] is None:
        return number(record, cost) == number(record, "BilledCost")
    return number(record, cost) == number(record, price) * number(record, "PricingQuantity")


def _together(record: Record, *names: str) -> bool:
    return len({record[name] is None for name in names}) == 1


RULES = {
    "cost-and-usage": {
        "charge period lasts": lambda one: one["ChargePeriodStart"] < one["ChargePeriodEnd"],
        "billing period lasts": lambda one: one["BillingPeriodStart"] < one["BillingPeriodEnd"],
        "list cost": lambda one: _costs(one, "ListCost", "ListUnitPrice"),
        "contracted cost": lambda one: _costs(one, "ContractedCost", "ContractedUnitPrice"),
        "what is sold has a price": lambda one: (
            not is_sold(one)
            or None not in [one[name] for name in ("SkuId", "SkuPriceId", "ListUnitPrice", "PricingQuantity")]
        ),
        "tax has none": lambda one: (
            one["ChargeCategory"] != "Tax"
            or {one[name] for name in ("SkuId", "SkuPriceId", "ListUnitPrice", "PricingQuantity")} == {None}
        ),
        "prices stand together": lambda one: _together(
            one, "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit"
        ),
        "a meter is of a SKU": lambda one: _together(one, "SkuId", "SkuMeter"),
        "details are of a price": lambda one: one["SkuPriceDetails"] is None or one["SkuPriceId"] is not None,
        "what is used has a quantity": lambda one: (
            (one["ChargeCategory"] == "Usage") is (one["ConsumedQuantity"] is not None)
        ),
        "a quantity has a unit": lambda one: _together(one, "ConsumedQuantity", "ConsumedUnit"),
        "a purchase is not by use": lambda one: (
            one["ChargeCategory"] != "Purchase" or one["ChargeFrequency"] != "Usage-Based"
        ),
        "an item is of an invoice": lambda one: _together(one, "InvoiceId", "InvoiceDetailId"),
    },
    "invoice-detail": {
        "updated once created": lambda one: one["InvoiceDetailCreated"] <= one["InvoiceDetailLastUpdated"],
        "grain": lambda one: all(
            key.startswith("x_") or key in {"SkuId", "SkuPriceId"}
            for key in json.loads(one["InvoiceDetailGrain"] or "{}")
        ),
    },
    "billing-period": {
        "updated once created": lambda one: one["BillingPeriodCreated"] <= one["BillingPeriodLastUpdated"],
    },
}
