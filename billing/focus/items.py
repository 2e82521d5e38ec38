"""What stands on an invoice, or on a credit note about one, item by item: together its total, to the cent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from billing.details import PO_NUMBER
from billing.focus.months import midnight, month_of
from billing.models import Invoice, InvoiceStatus
from billing.sums import Part, Row, sums_to_due
from orgs.dates import instant_in

Json = Mapping[str, Any]
DAY = timedelta(days=1)


class Category(StrEnum):
    """ChargeCategory."""

    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


class Frequency(StrEnum):
    """ChargeFrequency."""

    ONE_TIME = "One-Time"
    RECURRING = "Recurring"
    USAGE_BASED = "Usage-Based"


@dataclass(frozen=True)
class Kind:
    """What an item is. ``sku``: of what is sold, where Stripe names no product; empty: nothing is.

    ``corrects``: it changes what an earlier invoice charged.
    """

    category: Category
    frequency: Frequency = Frequency.ONE_TIME
    sku: str = ""
    corrects: bool = False


def on_demand_since(line: Json) -> datetime | None:
    """Where the span begins whose credits on demand the line charges. None: it charges something else."""
    return instant_in(line.get("credits_since"))


CREDITS = "credits"
ON_DEMAND = Kind(Category.USAGE, Frequency.USAGE_BASED, CREDITS)
# The first that fits.
KINDS_OF_LINES: Sequence[tuple[Callable[[Json], bool], Kind]] = (
    (lambda line: on_demand_since(line) is not None, ON_DEMAND),
    (lambda line: line["amount"] < 0, Kind(Category.PURCHASE, sku="item", corrects=True)),
    (lambda line: bool(line["item"]), Kind(Category.PURCHASE, sku="item")),
    (lambda _line: True, Kind(Category.PURCHASE, Frequency.RECURRING, "subscription")),
)
KINDS_OF_PARTS = {
    Part.DISCOUNT: Kind(Category.CREDIT),
    Part.BILLING_CREDITS: Kind(Category.CREDIT),
    Part.SHIPPING: Kind(Category.ADJUSTMENT),
    Part.TAX: Kind(Category.TAX),
    Part.INCLUDED_TAX: Kind(Category.TAX),
    Part.ADJUSTMENT: Kind(Category.ADJUSTMENT),
}
WORDS = {
    Part.DISCOUNT: "Discount",
    Part.BILLING_CREDITS: "Billing credits",
    Part.SHIPPING: "Shipping",
    Part.TAX: "Tax",
    Part.INCLUDED_TAX: "Tax, included in the prices",
    Part.ADJUSTMENT: "Not itemized in the portal's copy of the invoice",
}
CREDIT_NOTE = Kind(Category.CREDIT)
LATE_CREDIT_NOTE = Kind(Category.CREDIT, corrects=True)


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An invoice, or a credit note: ``reference`` is then the invoice that it is about, else itself.

    ``month``: the billing period. ``terms``: until when it is to be paid, in words.
    """

    id: str
    reference: str
    month: date
    currency: str
    status: str
    issued_at: datetime
    updated_at: datetime
    due_at: datetime | None
    terms: str
    po_number: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """``amount``, ``included_tax``: in minor units, with their sign. ``id``: unique on the invoice.

    ``line``: of an invoice's own lines. ``since``, ``until``: what it is for. ``credits_since``: see
    ``on_demand_since``.
    """

    on: Issued
    id: str
    kind: Kind
    description: str
    amount: int
    since: datetime
    until: datetime
    line: Json | None = None
    credits_since: datetime | None = None
    included_tax: int = 0


def items_of(invoice: Invoice) -> Iterator[Item]:
    """Those of the invoice: their amounts add up to its total."""
    on = _issued(invoice)
    for number, line in enumerate(invoice.document["lines"], 1):
        since = midnight(date.fromisoformat(line["period_start"]))
        yield Item(
            on=on,
            id=f"line-{number}",
            kind=next(kind for applies, kind in KINDS_OF_LINES if applies(line)),
            description=line["description"],
            amount=line["amount"],
            since=since,
            until=max(midnight(date.fromisoformat(line["period_end"])), since + DAY),
            line=line,
            credits_since=on_demand_since(line),
        )
    rows = sums_to_due(invoice.document, total=invoice.total, amount_due=invoice.amount_due)
    parts = [row for row in rows if row.part in KINDS_OF_PARTS]
    since, until = _billed(invoice)
    for number, row in enumerate(parts, 1):
        is_included = row.part is Part.INCLUDED_TAX
        yield Item(
            on=on,
            id=f"{row.part.value.replace('_', '-')}-{number}",
            kind=KINDS_OF_PARTS[row.part],
            description=_words(row),
            amount=0 if is_included else row.amount,
            since=since,
            until=until,
            included_tax=row.amount if is_included else 0,
        )


def credit_notes_of(invoice: Invoice) -> Iterator[Item]:
    """Each one as a document of its own, of the month of its date."""
    since, until = _billed(invoice)
    of = str(invoice)
    for number, note in enumerate(invoice.document["credit_notes"], 1):
        day = date.fromisoformat(note["day"])
        on = Issued(
            id=note["number"] or f"{of}-credit-note-{number}",
            reference=of,
            month=month_of(day),
            currency=invoice.currency,
            status=InvoiceIssueStatus.ISSUED,
            issued_at=midnight(day),
            updated_at=max(midnight(day), invoice.synced_at),
            due_at=None,
            terms=Terms.NOTHING_TO_PAY,
            po_number=_po_number(invoice),
        )
        yield Item(
            on=on,
            id="credit-note",
            kind=LATE_CREDIT_NOTE if on.month > month_of(invoice.issued_at) else CREDIT_NOTE,
            description=f"Credit note for {of}",
            amount=-note["amount"],
            since=since,
            until=until,
        )


class InvoiceIssueStatus(StrEnum):
    """Drafts, "Open" in FOCUS, are shown to nobody."""

    ISSUED = "Issued"
    VOIDED = "Voided"


class Terms(StrEnum):
    CHARGED = "Charged automatically"
    ON_RECEIPT = "Due on receipt"
    NOTHING_TO_PAY = "Nothing to pay"


def _issued(invoice: Invoice) -> Issued:
    is_void = invoice.status == InvoiceStatus.VOID
    return Issued(
        id=str(invoice),
        reference=str(invoice),
        month=month_of(invoice.issued_at),
        currency=invoice.currency,
        status=InvoiceIssueStatus.VOIDED if is_void else InvoiceIssueStatus.ISSUED,
        issued_at=invoice.issued_at,
        updated_at=max(invoice.issued_at, invoice.synced_at),
        due_at=invoice.due_at,
        terms=_terms(invoice),
        po_number=_po_number(invoice),
    )


def _terms(invoice: Invoice) -> str:
    if invoice.charged_automatically:
        return Terms.CHARGED
    days = (invoice.due_at - invoice.issued_at).days if invoice.due_at else 0
    return f"Net {days}" if days > 0 else Terms.ON_RECEIPT


def _po_number(invoice: Invoice) -> str:
    fields = invoice.document["fields"]
    return next((one["value"] for one in fields if one["name"] == PO_NUMBER), "")


def _billed(invoice: Invoice) -> tuple[datetime, datetime]:
    """What the invoice as a whole is for; without lines the day of its date."""
    since = midnight(invoice.billed_from or invoice.issued_at.date())
    return since, max(midnight(invoice.billed_until or invoice.issued_at.date()), since + DAY)


def _words(row: Row) -> str:
    named = row.of or {}
    percentage = f" {named['percentage']}%" if named.get("percentage") else ""
    name = f"{named.get('name', '')}{percentage}".strip()
    words = WORDS[row.part]
    return f"{name}{words.removeprefix('Tax')}" if row.part is Part.INCLUDED_TAX and name else name or words
