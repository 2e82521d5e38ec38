"""How an organization stands with its payments, as support staff see it: what its own page says, and why."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from billing.dashboard import dashboard_url
from billing.freshness import is_outdated
from billing.methods import Method
from billing.models import Invoice, Subscription
from billing.money import format_money
from billing.selectors.accounts import AccountRow, account_of
from billing.selectors.customers import unpaid_sums
from billing.selectors.invoices import InvoiceRow, latest_and_open
from billing.selectors.methods import methods_in_use, troubles_of
from billing.selectors.overview import upcoming_of_account
from billing.selectors.standing import Standing, UnpaidSum, standing_of
from billing.templatetags.invoices import days, state_words
from billing.upcoming import NextCharge, Upcoming, next_charges_of
from orgs.compiled import compiled
from support.links import record_url


@compiled(Subscription)
def _subscriptions(organization: uuid.UUID) -> QuerySet[Subscription, Any]:
    return Subscription.objects.for_org(organization).current().order_by("period_end", "created_at", "id")


@compiled(UnpaidSum)
def _unpaid(organization: uuid.UUID) -> QuerySet[Invoice, Any]:
    return unpaid_sums(Invoice.objects.for_org(organization).open())


class ShownInvoice(NamedTuple):
    """An invoice in words, for ``{% rows %}``."""

    url: str
    number: str
    tone: str
    state: str
    period: str
    amount: str


def _invoice(row: InvoiceRow) -> ShownInvoice:
    return ShownInvoice(
        url=record_url("billing_invoice", row.id),
        number=str(row),
        tone=row.state.tone,
        state=state_words(row),
        period=days(row.billed_from, row.billed_until),
        amount=format_money(row.total, row.currency),
    )


@dataclass(frozen=True)
class Money:
    """``account``: None before anything was asked of Stripe. ``owed``: what has to be paid, by currency.

    ``invoices``: those whose payment failed, then the latest.
    """

    account: AccountRow | None
    standing: Standing
    owed: list[tuple[int, str]]
    owed_since: datetime | None
    upcoming: list[Upcoming]
    next_charges: list[NextCharge]
    invoices: list[ShownInvoice]

    @property
    def comes_to_nothing(self) -> bool:
        """It is known that nothing will be charged; else a missing figure is only not known."""
        return all(one.comes_to_nothing for one in self.upcoming)

    @property
    def pays(self) -> Method | None:
        return self.account.pays if self.account else None

    @property
    def customer_id(self) -> str:
        return (self.account.stripe_customer_id if self.account else "") or ""

    @property
    def customer_url(self) -> str:
        return dashboard_url(self.customer_id)

    @property
    def as_of(self) -> datetime | None:
        return self.account.as_of if self.account else None

    @property
    def is_outdated(self) -> bool:
        return is_outdated(self.as_of)


INVOICES_SHOWN = 5


def money_of(organization_id: uuid.UUID) -> Money:
    """In four statements."""
    account = account_of(organization_id)
    subscriptions = _subscriptions(organization_id)
    latest, unpaid = latest_and_open(organization_id)
    sums = _unpaid(organization_id)
    upcoming = upcoming_of_account(subscriptions, account)
    in_use = methods_in_use(upcoming, account.pays if account else None)
    owed: dict[str, int] = {}
    to_pay = [one for one in sums if one.is_owed]
    for one in to_pay:
        owed[one.currency] = owed.get(one.currency, 0) + one.owed
    failing = [invoice for invoice in unpaid if invoice.state.tone == "bad"]
    shown = [*failing, *(one for one in latest if one not in failing)]
    return Money(
        account=account,
        standing=standing_of(sums, upcoming, troubles_of(upcoming, in_use, told=False)),
        owed=[(amount, currency) for currency, amount in owed.items()],
        owed_since=min((one.since for one in to_pay), default=None),
        upcoming=upcoming,
        next_charges=next_charges_of(upcoming),
        invoices=[_invoice(row) for row in shown[:INVOICES_SHOWN]],
    )
