"""The organizations of one person as customers: how each stands, and what it is charged next."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import starmap
from typing import Any

from django.db.models import Min, Q, QuerySet, Sum

from billing.invoice_states import STATE_OF_OPEN
from billing.models import BillingAccount, Invoice, Subscription
from billing.selectors.accounts import AccountRow, account_rows
from billing.selectors.methods import methods_in_use, troubles_of
from billing.selectors.overview import upcoming_of_account
from billing.selectors.standing import Standing, UnpaidSum, standing_of
from billing.upcoming import NextCharge, Upcoming, next_charges_of
from orgs.compiled import compiled
from orgs.currencies import in_major_units
from orgs.policy import GRANTS, Permission, Role
from orgs.selectors import MembershipRow

NEVER = datetime.max.replace(tzinfo=UTC)
SEES_BILLING = frozenset(role.value for role in Role if Permission.BILLING_VIEW in GRANTS[role])


def _subscription_rows(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    # Instants that the list has no use for: to read them took most of the time.
    return subscriptions.defer("created_at", "ended_at", "pause_resumes_at", "period_start", "synced_at")


def unpaid_sums(invoices: QuerySet[Invoice]) -> QuerySet[Invoice, Any]:
    """What an ``UnpaidSum`` is made of, so that one long unpaid organization weighs no more than another."""
    by_state = invoices.annotate(state=STATE_OF_OPEN).values("organization", "currency", "state")
    summed = by_state.annotate(
        owed=Sum("amount_remaining"), first_due_at=Min("due_at"), since=Min("issued_at")
    )
    return summed.order_by("organization", "currency", "state").values_list(*UnpaidSum._fields)


def _joined(person: uuid.UUID, since: datetime, until: datetime) -> Q:
    """Of the organizations that a person joined within a time."""
    return Q(
        organization__memberships__user=person,
        organization__memberships__joined_at__gte=since,
        organization__memberships__joined_at__lte=until,
    )


@compiled(AccountRow)
def _accounts_of(person: uuid.UUID, since: datetime, until: datetime) -> QuerySet[BillingAccount, Any]:
    return account_rows(BillingAccount.objects.filter(_joined(person, since, until)))


@compiled(Subscription)
def _subscriptions_of(person: uuid.UUID, since: datetime, until: datetime) -> QuerySet[Subscription]:
    return _subscription_rows(Subscription.objects.current().filter(_joined(person, since, until)))


@compiled(UnpaidSum)
def _unpaid_of(person: uuid.UUID, since: datetime, until: datetime) -> QuerySet[Invoice, Any]:
    return unpaid_sums(Invoice.objects.open().filter(_joined(person, since, until)))


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


def customers_of(person: uuid.UUID, memberships: list[MembershipRow]) -> list[Customer]:
    """The person's organizations, in three statements; ``memberships``: all that they got within a time."""
    if not memberships:
        return []
    joined = [membership.joined_at for membership in memberships]
    within = person, min(joined), max(joined)
    return _customers(memberships, _accounts_of(*within), _subscriptions_of(*within), _unpaid_of(*within))


def customers_among(memberships: list[MembershipRow]) -> list[Customer]:
    """Some organizations of one person, however they were found, in three statements."""
    theirs = [membership.organization for membership in memberships]
    accounts = account_rows(BillingAccount.objects.filter(organization__in=theirs))
    subscriptions = _subscription_rows(Subscription.objects.current().filter(organization__in=theirs))
    unpaid = unpaid_sums(Invoice.objects.open().filter(organization__in=theirs))
    return _customers(memberships, starmap(AccountRow, accounts), subscriptions, starmap(UnpaidSum, unpaid))


def _customers(
    memberships: list[MembershipRow],
    accounts: Iterable[AccountRow],
    subscriptions: Iterable[Subscription],
    unpaid: Iterable[UnpaidSum],
) -> list[Customer]:
    account_by_organization = {account.organization: account for account in accounts}
    current: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        current[subscription.organization_id].append(subscription)
    owed: dict[uuid.UUID, list[UnpaidSum]] = defaultdict(list)
    for one in unpaid:
        owed[one.organization].append(one)
    return [
        _customer(membership, account_by_organization.get(pk), current.get(pk, []), owed.get(pk, []))
        if membership.role in SEES_BILLING
        else Customer(membership, None, [], [], [], None)
        for membership in memberships
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
