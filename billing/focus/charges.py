"""Rows of Cost and Usage: what an item of an invoice charges, and what was used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.focus.items import CREDITS, ON_DEMAND, Category, Item, Json, Kind
from billing.focus.months import midnight
from billing.focus.usage import UsageDay
from billing.sums import unit_price_of
from orgs.currencies import in_major_units
from orgs.editions import CREDIT_CURRENCY

DAY = timedelta(days=1)
ROUNDING = Kind(Category.ADJUSTMENT)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """Amounts and prices in major units of ``currency``. ``month``: the billing period.

    ``unit_price``, ``quantity``: of what was sold; None where no price leads to the amount, as in what
    corrects an earlier invoice. ``consumed``: resource hours. ``covered_by``: the kind of credits that
    cover them. ``item``: where it stands on an invoice; None: on none so far.
    """

    kind: Kind
    month: date
    description: str
    currency: str
    billed: Decimal
    since: datetime
    until: datetime
    product: str = ""
    price_id: str = ""
    details: Mapping[str, str] | None = None
    unit: str = ""
    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    consumed: Decimal | None = None
    covered_by: str = ""
    corrects: bool = False
    item: Item | None = None

    @property
    def at_list_price(self) -> Decimal:
        """What it costs without what covers it."""
        if self.unit_price is None or self.quantity is None:
            return self.billed
        return self.unit_price * self.quantity


def charges_of(item: Item, on_demand: Iterable[UsageDay]) -> list[Charge]:
    """Together the item's amount. ``on_demand``: days of credits, those that it charges among them."""
    if item.credits_since is None:
        return [_charge(item)]
    days = [usage_charge(day, item=item) for day in on_demand if day.span_since == item.credits_since]
    # At the exact price of each day; what the item is rounded by, or differs in, is told apart.
    rest = in_major_units(item.amount, item.on.currency) - sum(day.billed for day in days)
    rounding = replace(item, kind=ROUNDING, description="Rounding of credits on demand")
    return [*days, replace(_charge(rounding), billed=rest)] if rest else days


def usage_charge(day: UsageDay, *, item: Item | None = None) -> Charge:
    """Covered by credits it costs nothing; else it stands on ``item``, or on no invoice so far."""
    quantity = Decimal(day.credits)
    price = f"{day.price.normalize():f}"
    return Charge(
        kind=ON_DEMAND,
        month=item.on.month if item else day.month,
        description=f"Credits, {day.covered_by or 'on demand'}",
        currency=CREDIT_CURRENCY,
        billed=Decimal() if day.covered_by else quantity * day.price,
        since=midnight(day.day),
        until=midnight(day.day) + DAY,
        product=CREDITS,
        price_id=f"{CREDITS}-{CREDIT_CURRENCY}-{price}",
        details={"x_Edition": day.edition_code},
        unit="Credits",
        unit_price=day.price,
        quantity=quantity,
        consumed=quantity,
        covered_by=day.covered_by,
        corrects=day.is_late,
        item=item,
    )


def _charge(item: Item) -> Charge:
    kind, line = item.kind, item.line or {}
    billed = in_major_units(item.amount, item.on.currency)
    is_priced = kind.category is Category.PURCHASE and not kind.corrects
    unit_price, quantity = _priced(line, billed, item.on.currency) if is_priced else (None, None)
    return Charge(
        kind=kind,
        month=item.on.month,
        description=item.description,
        currency=item.on.currency,
        billed=billed,
        since=item.since,
        until=item.until,
        product=(line.get("product") or kind.sku) if kind.sku else "",
        price_id=(line.get("price") or kind.sku) if is_priced else "",
        unit="Units" if is_priced else "",
        unit_price=unit_price,
        quantity=quantity,
        corrects=kind.corrects,
        item=item,
    )


def _priced(line: Json, amount: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """The price of one, and how many: of packages, tiers and parts of a period the whole, once."""
    price = unit_price_of(line)
    if price is None or price < 0:
        return amount, Decimal(1)
    return in_major_units(price, currency), Decimal(line["quantity"])
