"""The organizations of one person as customers: how each stands, and what it is charged next."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Min, QuerySet, Sum

from billing.invoice_states import STATE_OF_OPEN
from billing.models import BillingAccount, Invoice, Subscription
from billing.money import in_major_units
from billing.selectors.accounts import AccountRow, account_rows
from billing.selectors.methods import methods_in_use, troubles_of
from billing.selectors.overview import upcoming_of_account
from billing.selectors.standing import Standing, UnpaidSum, standing_of
from billing.upcoming import NextCharge, Upcoming, next_charges_of
from orgs.compiled import compiled
from orgs.policy import GRANTS, Permission, Role
from orgs.selectors import MembershipRow, memberships_of

NEVER = datetime.max.replace(tzinfo=UTC)
SEES_BILLING = frozenset(role.value for role in Role if Permission.BILLING_VIEW in GRANTS[role])


@compiled(AccountRow)
def _accounts_of(person: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    accounts = BillingAccount.objects.filter(organization__memberships__user=person)
    return account_rows(accounts)


@compiled(Subscription)
def _current_subscriptions_of(person: uuid.UUID) -> QuerySet[Subscription]:
    found = Subscription.objects.current().filter(organization__memberships__user=person)
    # Instants that the list has no use for: to read them took most of the time.
    return found.defer("created_at", "ended_at", "pause_resumes_at", "period_start", "synced_at")


def unpaid_sums(invoices: QuerySet[Invoice]) -> QuerySet[Invoice, Any]:
    """What an ``UnpaidSum`` is made of, so that one long unpaid organization weighs no more than another."""
    by_state = invoices.annotate(state=STATE_OF_OPEN).values("organization", "currency", "state")
    summed = by_state.annotate(
        owed=Sum("amount_remaining"), first_due_at=Min("due_at"), since=Min("issued_at")
    )
    return summed.order_by("organization", "currency", "state").values_list(*UnpaidSum._fields)


@compiled(UnpaidSum)
def _unpaid_of(person: uuid.UUID) -> QuerySet[Invoice, Any]:
    return unpaid_sums(Invoice.objects.open().filter(organization__memberships__user=person))


@dataclass(frozen=True)
class Customer:
    """An organization with what is known of its money; nothing is where the person may not see it.

    ``as_of``: when the mirror of it was last known to be right.
    """

    membership: MembershipRow
    standing: Standing | None
    upcoming: list[Upcoming]
    charges: list[NextCharge]
    overdue: list[UnpaidSum]
    as_of: datetime | None

    @property
    def next_at(self) -> datetime:
        return min((charge.at for charge in self.charges), default=NEVER)

    @property
    def overdue_amounts(self) -> list[tuple[str, int]]:
        return [(one.currency, one.owed) for one in self.overdue]

    @property
    def overdue_sum(self) -> Decimal:
        """Across currencies: for sorting alone."""
        return sum((in_major_units(one.owed, one.currency) for one in self.overdue), Decimal())

    @property
    def has_unknown_charge(self) -> bool:
        """Something may be charged, and there is no figure of it."""
        return any(one.amount is None and not one.comes_to_nothing for one in self.upcoming)

    @property
    def needs_attention(self) -> bool:
        return self.standing is not None and self.standing.needs_attention


def customers_of(person: uuid.UUID) -> list[Customer]:
    """All of the person's organizations, by name, in four statements."""
    accounts = {account.organization: account for account in _accounts_of(person)}
    subscriptions: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for subscription in _current_subscriptions_of(person):
        subscriptions[subscription.organization_id].append(subscription)
    unpaid: dict[uuid.UUID, list[UnpaidSum]] = defaultdict(list)
    for one in _unpaid_of(person):
        unpaid[one.organization].append(one)
    return [
        _customer(membership, accounts.get(pk), subscriptions.get(pk, []), unpaid.get(pk, []))
        if membership.role in SEES_BILLING
        else Customer(membership, None, [], [], [], None)
        for membership in memberships_of(person)
        for pk in [membership.organization]
    ]


def _customer(
    membership: MembershipRow,
    account: AccountRow | None,
    subscriptions: list[Subscription],
    unpaid: list[UnpaidSum],
) -> Customer:
    upcoming = upcoming_of_account(subscriptions, account)
    in_use = methods_in_use(upcoming, account.pays if account else None)
    return Customer(
        membership=membership,
        standing=standing_of(unpaid, upcoming, troubles_of(upcoming, in_use, told=False)),
        upcoming=upcoming,
        charges=next_charges_of(upcoming),
        overdue=[one for one in unpaid if one.is_overdue],
        as_of=account.as_of if account else None,
    )
