"""*Billing & usage*, and what other pages tell of it."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from billing.invoice_states import InvoiceState
from billing.methods import Method, MethodState, method_of
from billing.models import BillingAccount, OperationKind, StripeOperation, Subscription
from billing.money import in_minor_units
from billing.selectors.invoices import InvoiceRow, latest_and_open
from billing.upcoming import NextCharge, Upcoming, next_charges_of, upcoming_of
from invitations.selectors import BillingManagersPanel, billing_managers_panel
from orgs.capacity import limit_for, reserved_for, taken_by
from orgs.compiled import compiled
from orgs.editions import Edition, Pricing
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from usage.selectors import ResourcesNow, usage_of_days

# Prices of credits are in US dollars.
CREDIT_CURRENCY = "usd"


class AccountRow(NamedTuple):
    organization: uuid.UUID
    payment_method_id: str
    payment_method_kind: str
    card_brand: str
    card_last4: str
    card_exp_month: int | None
    card_exp_year: int | None
    synced_at: datetime | None
    reconciled_at: datetime | None

    @property
    def pays(self) -> Method | None:
        return method_of(
            {
                "id": self.payment_method_id,
                "kind": self.payment_method_kind,
                "brand": self.card_brand,
                "last4": self.card_last4,
                "exp_month": self.card_exp_month,
                "exp_year": self.card_exp_year,
            }
        )


@compiled(AccountRow)
def _account(organization: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    return BillingAccount.objects.filter(organization=organization).values_list(*AccountRow._fields)


@compiled(AccountRow)
def _accounts_of(person: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    accounts = BillingAccount.objects.filter(organization__memberships__user=person)
    return accounts.values_list(*AccountRow._fields)


@compiled(Subscription)
def _current_subscriptions(organization: uuid.UUID) -> QuerySet[Subscription, Any]:
    return Subscription.objects.for_org(organization).current().order_by("period_end", "created_at", "id")


@compiled(Subscription)
def _current_subscriptions_of(person: uuid.UUID) -> QuerySet[Subscription]:
    return Subscription.objects.current().filter(organization__memberships__user=person)


@dataclass(frozen=True)
class Seats:
    """``taken`` by people, ``reserved`` by pending invitations, ``bought``: all, None when never set."""

    taken: int
    reserved: int
    bought: int | None


@dataclass(frozen=True)
class Credits:
    """Credits consumed since ``since``, in the period until ``until`` where one is known.

    ``free``: promotional ones of that span. ``on_demand``: what those beyond cost so far, in cents of US
    dollars, where the edition sells them by use. It is our own count, not Stripe's.
    """

    consumed: int
    free: int
    since: datetime
    until: datetime | None
    price: Decimal | None

    @property
    def beyond(self) -> int:
        """How many went beyond the free ones, where there are any: they are on demand."""
        return max(0, self.consumed - self.free) if self.free else 0

    @property
    def on_demand(self) -> int | None:
        if self.price is None or not self.free:
            return None
        return in_minor_units(self.beyond * self.price, CREDIT_CURRENCY)


@dataclass(frozen=True)
class Owed:
    """What is owed now, in one currency. ``invoices``: newest first."""

    amount: int
    currency: str
    invoices: list[InvoiceRow]


@dataclass(frozen=True)
class BillingPage:
    """*Billing & usage*. ``as_of``: when the mirror was last known to be right, None before there is any.

    ``on_their_way``: open invoices whose payment was begun; nobody has to pay them again. ``pays``: what pays
    where a subscription has nothing of its own.
    """

    edition: Edition
    owed: list[Owed]
    on_their_way: list[InvoiceRow]
    upcoming: list[Upcoming]
    next_charges: list[NextCharge]
    credits: Credits | None
    seats: Seats | None
    resources: ResourcesNow | None
    pays: Method | None
    invoices: list[InvoiceRow]
    managers: BillingManagersPanel
    as_of: datetime | None

    @property
    def unpaid_trials(self) -> list[Upcoming]:
        """Trials that end for want of something that can pay."""
        return [one for one in self.upcoming if one.state.lacks_method]

    @property
    def expiring(self) -> list[Method]:
        """What pays and soon can't, or can't any more; each once."""
        used = [one.pays for one in self.upcoming if one.state.charges] if self.upcoming else [self.pays]
        by_id = {method.id: method for method in used if method and method.state is not MethodState.GOOD}
        return list(by_id.values())

    @property
    def uncovered(self) -> Upcoming | None:
        """The first charge that nothing pays yet."""
        return next((one for one in self.upcoming if one.at and one.lacks_method), None)


def billing_page(membership: Membership) -> BillingPage:
    organization = membership.organization
    edition = organization.edition
    account = next(iter(_account(organization.pk)), None)
    subscriptions = _current_subscriptions(organization.pk)
    latest, unpaid = latest_and_open(organization.pk)
    span, tomorrow = _credit_span(edition, subscriptions), timezone.now().date() + timedelta(days=1)
    used, resources = usage_of_days(organization.pk, span[0].date() if span else tomorrow, tomorrow)
    pays = account.pays if account else None
    upcoming = _upcoming(subscriptions, account)
    return BillingPage(
        edition=edition,
        owed=_owed(unpaid),
        on_their_way=[invoice for invoice in unpaid if invoice.state is InvoiceState.ON_ITS_WAY],
        upcoming=upcoming,
        next_charges=next_charges_of(upcoming),
        credits=Credits(used, edition.free_credits, *span, edition.credit_price) if span else None,
        seats=_seats(organization) if edition.per_seat else None,
        resources=resources,
        pays=pays,
        invoices=latest,
        managers=billing_managers_panel(membership),
        as_of=account.synced_at if account else None,
    )


def _upcoming(subscriptions: Iterable[Subscription], account: AccountRow | None) -> list[Upcoming]:
    pays = account.pays if account else None
    confirmed_at = account.reconciled_at if account else None
    return [upcoming_of(one, customer_pays=pays, confirmed_at=confirmed_at) for one in subscriptions]


def next_charges(person: uuid.UUID, memberships: Iterable[Membership]) -> dict[uuid.UUID, list[NextCharge]]:
    """The next charges of every organization whose billing the person may see, by the organization's id.

    ``memberships``: the person's own.
    """
    accounts = {account.organization: account for account in _accounts_of(person)}
    subscriptions: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for subscription in _current_subscriptions_of(person):
        subscriptions[subscription.organization_id].append(subscription)
    return {
        pk: next_charges_of(_upcoming(subscriptions[pk], accounts.get(pk)))
        for pk in (one.organization_id for one in memberships if may(one, Permission.BILLING_VIEW))
    }


def _owed(unpaid: list[InvoiceRow]) -> list[Owed]:
    """By currency. Of an invoice that is partly paid, what is left."""
    owed = [invoice for invoice in unpaid if invoice.state.is_owed]
    return [
        Owed(
            amount=sum(invoice.amount_remaining for invoice in owed if invoice.currency == currency),
            currency=currency,
            invoices=[invoice for invoice in owed if invoice.currency == currency],
        )
        for currency in sorted({invoice.currency for invoice in owed})
    ]


def _credit_span(
    edition: Edition, subscriptions: list[Subscription]
) -> tuple[datetime, datetime | None] | None:
    """The span over which credits are counted: the subscription's period (UTC).

    Sold by use without a subscription: the calendar month. Prepaid without one: none.
    """
    if edition.pricing is not Pricing.USAGE and not edition.prepaid:
        return None
    first = next((one for one in subscriptions if one.period_start is not None), None)
    if first is not None and first.period_start is not None:
        return first.period_start, first.period_end
    if edition.prepaid:
        return None
    return timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0), None


def _seats(organization: Organization) -> Seats:
    return Seats(
        taken=taken_by(organization, Role.MEMBER),
        reserved=reserved_for(organization, Role.MEMBER),
        bought=limit_for(organization, Role.MEMBER),
    )


def own_card_setup(membership: Membership, operation_id: uuid.UUID) -> StripeOperation:
    """A card set-up that this person began. Raises StripeOperation.DoesNotExist."""
    return StripeOperation.objects.for_org(membership.organization_id).get(
        pk=operation_id, kind=OperationKind.SET_UP_CARD, actor_id=membership.user_id
    )
