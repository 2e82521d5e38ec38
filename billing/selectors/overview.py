"""*Billing & usage*, and what other pages tell of it."""

import calendar
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.charges import NextCharge, next_charge
from billing.models import BillingAccount, OperationKind, StripeOperation, Subscription
from billing.selectors.invoices import InvoiceRow, latest_and_open
from invitations.selectors import BillingManagersPanel, billing_managers_panel
from orgs.capacity import limit_for, reserved_for, taken_by
from orgs.compiled import compiled
from orgs.editions import Edition, Pricing
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from usage.selectors import ResourcesNow, resource_hours_of, usage_of_days

EXPIRES_SOON = timedelta(days=45)


class CardState(StrEnum):
    GOOD = "good"
    EXPIRING = "expiring"
    EXPIRED = "expired"


BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


class AccountRow(NamedTuple):
    payment_method_id: str
    payment_method_kind: str
    card_brand: str
    card_last4: str
    card_exp_month: int | None
    card_exp_year: int | None
    synced_at: datetime | None


@compiled(AccountRow)
def _account(organization: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    return BillingAccount.objects.filter(organization=organization).values_list(*AccountRow._fields)


@compiled(Subscription)
def _current_subscriptions(organization: uuid.UUID) -> QuerySet[Subscription, Any]:
    return Subscription.objects.for_org(organization).current().order_by("period_end", "created_at", "id")


@compiled(Subscription)
def _current_subscriptions_of(person: uuid.UUID) -> QuerySet[Subscription]:
    return Subscription.objects.current().filter(organization__memberships__user=person)


@dataclass(frozen=True)
class Card:
    """The default payment method. ``valid_until``: its last day, None where it has none."""

    brand: str
    last4: str
    valid_until: datetime | None
    state: CardState


@dataclass(frozen=True)
class Seats:
    """``taken`` by people, ``reserved`` by pending invitations, ``bought``: all, None when never set."""

    taken: int
    reserved: int
    bought: int | None


@dataclass(frozen=True)
class Credits:
    """Credits consumed since ``since``. ``free``: promotional ones of the same span."""

    consumed: int
    free: int
    since: datetime

    @property
    def beyond(self) -> int:
        """How many went beyond the free ones, where there are any: they are on demand."""
        return max(0, self.consumed - self.free) if self.free else 0


class Standing(StrEnum):
    """Whether something is wrong with payments."""

    PAID = "paid"
    OPEN = "open"
    FAILED = "failed"
    NOTHING = "nothing"

    @property
    def label(self) -> Promise:
        return {
            self.PAID: _("All paid"),
            self.OPEN: _("Payment due"),
            self.FAILED: _("Payment failed"),
            self.NOTHING: _("Nothing to pay"),
        }[self]


@dataclass(frozen=True)
class BillingPage:
    """*Billing & usage*. ``as_of``: when the mirror was last known to be right, None before there is any."""

    edition: Edition
    subscription: Subscription | None
    next_charge: NextCharge | None
    credits: Credits | None
    seats: Seats | None
    resources: ResourcesNow | None
    card: Card | None
    standing: Standing
    failed: list[InvoiceRow]
    open: list[InvoiceRow]
    invoices: list[InvoiceRow]
    managers: BillingManagersPanel
    as_of: datetime | None


def billing_page(membership: Membership) -> BillingPage:
    organization = membership.organization
    edition = organization.edition
    account = next(iter(_account(organization.pk)), None)
    subscriptions = _current_subscriptions(organization.pk)
    first = subscriptions[0] if subscriptions else None
    latest, unpaid = latest_and_open(organization.pk)
    since, tomorrow = _credits_since(edition, first), timezone.now().date() + timedelta(days=1)
    used, resources = usage_of_days(organization.pk, since.date() if since else tomorrow, tomorrow)
    failed = [invoice for invoice in unpaid if invoice.payment_failed]
    return BillingPage(
        edition=edition,
        subscription=first,
        next_charge=next_charge(edition, subscriptions, used),
        credits=Credits(used, edition.free_credits, since) if since else None,
        seats=_seats(organization) if edition.per_seat else None,
        resources=resources,
        card=card_of(account) if account else None,
        standing=_standing(latest, unpaid, failed),
        failed=failed,
        open=[invoice for invoice in unpaid if not invoice.payment_failed],
        invoices=latest,
        managers=billing_managers_panel(membership),
        as_of=account.synced_at if account else None,
    )


def next_charges(person: uuid.UUID, memberships: Iterable[Membership]) -> dict[uuid.UUID, NextCharge]:
    """The next charge of every organization whose billing the person may see, by the organization's id.

    ``memberships``: the person's own.
    """
    subscriptions: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for subscription in _current_subscriptions_of(person):
        subscriptions[subscription.organization_id].append(subscription)
    today = timezone.now().date()
    used = resource_hours_of(person, today.replace(day=1), today + timedelta(days=1))
    charges = {
        organization.pk: next_charge(
            organization.edition, subscriptions[organization.pk], used.get(organization.pk, 0)
        )
        for membership in memberships
        if may(membership, Permission.BILLING_VIEW)
        for organization in [membership.organization]
    }
    return {organization_id: charge for organization_id, charge in charges.items() if charge is not None}


def _standing(latest: list[InvoiceRow], unpaid: list[InvoiceRow], failed: list[InvoiceRow]) -> Standing:
    if failed:
        return Standing.FAILED
    if unpaid:
        return Standing.OPEN
    return Standing.PAID if latest else Standing.NOTHING


def _credits_since(edition: Edition, subscription: Subscription | None) -> datetime | None:
    """Sold by use: since the month began (UTC). Prepaid: since the billing period did."""
    if edition.pricing is Pricing.USAGE:
        return timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return subscription.period_start if edition.prepaid and subscription is not None else None


def _seats(organization: Organization) -> Seats:
    return Seats(
        taken=taken_by(organization, Role.MEMBER),
        reserved=reserved_for(organization, Role.MEMBER),
        bought=limit_for(organization, Role.MEMBER),
    )


def card_of(account: AccountRow) -> Card | None:
    """The default payment method as pages name it; None when there is none."""
    if not account.payment_method_id:
        return None
    brand = BRANDS.get(account.card_brand, account.card_brand.title())
    valid_until = None
    if account.card_exp_year and account.card_exp_month:
        last_day = calendar.monthrange(account.card_exp_year, account.card_exp_month)[1]
        valid_until = datetime(
            account.card_exp_year, account.card_exp_month, last_day, 23, 59, 59, tzinfo=UTC
        )
    return Card(
        brand=brand or account.payment_method_kind.replace("_", " ").capitalize(),
        last4=account.card_last4,
        valid_until=valid_until,
        state=_card_state(valid_until),
    )


def _card_state(valid_until: datetime | None) -> CardState:
    if valid_until is None or valid_until > timezone.now() + EXPIRES_SOON:
        return CardState.GOOD
    return CardState.EXPIRING if valid_until > timezone.now() else CardState.EXPIRED


def own_card_setup(membership: Membership, operation_id: uuid.UUID) -> StripeOperation:
    """A card set-up that this person began. Raises StripeOperation.DoesNotExist."""
    return StripeOperation.objects.for_org(membership.organization_id).get(
        pk=operation_id, kind=OperationKind.SET_UP_CARD, actor_id=membership.user_id
    )
