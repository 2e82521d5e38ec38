"""What the pages read, one dataclass per page. All of it from the mirror: Stripe down, they still answer."""

import calendar
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.charges import NextCharge, next_charge
from billing.models import (
    Invoice,
    InvoiceQuerySet,
    InvoiceStatus,
    OperationKind,
    StripeOperation,
    Subscription,
)
from invitations.selectors import BillingManagersPanel, billing_managers_panel
from orgs.capacity import limit_for, reserved_for, taken_by
from orgs.editions import Edition, Pricing
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, may
from orgs.rows import fetch_rows
from usage.selectors import ResourcesNow, resource_hours, resource_hours_of, resources_now

LATEST = 5
PAGE_SIZE = 25
# More open invoices than this are told of on the list of invoices.
OPEN_SHOWN = 20
ACCOUNT = """
    SELECT payment_method_id, payment_method_kind, card_brand, card_last4, card_exp_month,
           card_exp_year, synced_at
    FROM billing_billingaccount
    WHERE organization_id = %(organization)s
"""
CURRENT = """
    SELECT id, status, currency, items, period_start, period_end, cancel_at, cancel_at_period_end
    FROM billing_subscription
    WHERE organization_id = %(organization)s
      AND status IN ('active', 'past_due', 'trialing', 'unpaid', 'incomplete', 'paused')
    ORDER BY period_end, created_at, id
"""
# The latest invoices and those to be paid, with what lists and alerts show.
LATEST_AND_OPEN = """
    WITH issued AS NOT MATERIALIZED (
        SELECT id, stripe_id, number, status, currency, total, amount_remaining, attempt_count,
               charged_automatically, next_attempt_at, due_at, created_at
        FROM billing_invoice
        WHERE organization_id = %(organization)s AND status NOT IN ('draft', 'deleted')
    )
    (SELECT * FROM issued ORDER BY created_at DESC, id DESC LIMIT %(latest)s)
    UNION
    (SELECT * FROM issued WHERE status = 'open' ORDER BY created_at DESC, id DESC LIMIT %(open)s)
    ORDER BY created_at DESC, id DESC
"""
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
    failed: list[Invoice]
    open: list[Invoice]
    invoices: list[Invoice]
    managers: BillingManagersPanel
    as_of: datetime | None


def billing_page(membership: Membership) -> BillingPage:
    organization = membership.organization
    edition = organization.edition
    account = next(iter(fetch_rows(AccountRow, ACCOUNT, organization=organization.pk)), None)
    subscriptions = list(Subscription.objects.raw(CURRENT, {"organization": organization.pk}))
    first = subscriptions[0] if subscriptions else None
    latest, unpaid = _latest_and_open(organization)
    used = _credits(organization, edition, first)
    failed = [invoice for invoice in unpaid if invoice.payment_failed]
    return BillingPage(
        edition=edition,
        subscription=first,
        next_charge=next_charge(edition, subscriptions, used.consumed if used else 0),
        credits=used,
        seats=_seats(organization) if edition.per_seat else None,
        resources=resources_now(organization),
        card=card_of(account) if account else None,
        standing=_standing(latest, unpaid, failed),
        failed=failed,
        open=[invoice for invoice in unpaid if not invoice.payment_failed],
        invoices=latest,
        managers=billing_managers_panel(membership),
        as_of=account.synced_at if account else None,
    )


def next_charges(memberships: Iterable[Membership]) -> dict[uuid.UUID, NextCharge]:
    """The next charge of every organization whose billing the person may see, by the organization's id."""
    organizations = [m.organization for m in memberships if may(m, Permission.BILLING_VIEW)]
    ids = [organization.pk for organization in organizations]
    subscriptions: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for subscription in Subscription.objects.current().filter(organization__in=ids):
        subscriptions[subscription.organization_id].append(subscription)
    today = timezone.now().date()
    used = resource_hours_of(ids, today.replace(day=1), today + timedelta(days=1))
    charges = {
        organization.pk: next_charge(
            organization.edition, subscriptions[organization.pk], used.get(organization.pk, 0)
        )
        for organization in organizations
    }
    return {organization_id: charge for organization_id, charge in charges.items() if charge is not None}


def _latest_and_open(organization: Organization) -> tuple[list[Invoice], list[Invoice]]:
    """The latest invoices, and those still to be paid, newest first, in one statement."""
    values = {"organization": organization.pk, "latest": LATEST, "open": OPEN_SHOWN}
    found = list(Invoice.objects.raw(LATEST_AND_OPEN, values))
    return found[:LATEST], [invoice for invoice in found if invoice.status == InvoiceStatus.OPEN]


def _standing(latest: list[Invoice], unpaid: list[Invoice], failed: list[Invoice]) -> Standing:
    if failed:
        return Standing.FAILED
    if unpaid:
        return Standing.OPEN
    return Standing.PAID if latest else Standing.NOTHING


def _credits(
    organization: Organization, edition: Edition, subscription: Subscription | None
) -> Credits | None:
    """Sold by use: those of this calendar month (UTC). Prepaid: those of the billing period."""
    now = timezone.now()
    if edition.pricing is Pricing.USAGE:
        since = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    elif edition.prepaid and subscription is not None and subscription.period_start is not None:
        since = subscription.period_start
    else:
        return None
    tomorrow = now.date() + timedelta(days=1)
    return Credits(
        consumed=resource_hours(organization.pk, since.date(), tomorrow),
        free=edition.free_credits,
        since=since,
    )


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


@dataclass(frozen=True)
class InvoiceListPage:
    """Invoices, newest first, page by key. ``newer``, ``older``: the keys of the neighbor pages, or None."""

    invoices: list[Invoice]
    newer: uuid.UUID | None
    older: uuid.UUID | None


def invoice_list(
    organization: Organization, *, older_than: uuid.UUID | None, newer_than: uuid.UUID | None
) -> InvoiceListPage:
    """The page next to an invoice; the first one where there is none, or the invoice isn't known here."""
    issued = Invoice.objects.for_org(organization).issued().listed()
    key = older_than or newer_than
    edge = issued.only("created_at").filter(pk=key).first() if key else None
    if edge is not None and older_than and (rows := list(_before(issued, edge)[: PAGE_SIZE + 1])):
        return _page(rows[:PAGE_SIZE], has_newer=True, has_older=len(rows) > PAGE_SIZE)
    if edge is not None and newer_than and (rows := list(_after(issued, edge)[: PAGE_SIZE + 1])):
        return _page(rows[:PAGE_SIZE][::-1], has_newer=len(rows) > PAGE_SIZE, has_older=True)
    rows = list(issued[: PAGE_SIZE + 1])
    return _page(rows[:PAGE_SIZE], has_newer=False, has_older=len(rows) > PAGE_SIZE)


def _before(rows: InvoiceQuerySet, edge: Invoice) -> InvoiceQuerySet:
    return rows.filter(Q(created_at__lt=edge.created_at) | Q(created_at=edge.created_at, pk__lt=edge.pk))


def _after(rows: InvoiceQuerySet, edge: Invoice) -> InvoiceQuerySet:
    later = rows.filter(Q(created_at__gt=edge.created_at) | Q(created_at=edge.created_at, pk__gt=edge.pk))
    return later.order_by("created_at", "id")


def _page(rows: list[Invoice], *, has_newer: bool, has_older: bool) -> InvoiceListPage:
    return InvoiceListPage(
        invoices=rows,
        newer=rows[0].pk if rows and has_newer else None,
        older=rows[-1].pk if rows and has_older else None,
    )


def issued_invoice(organization: Organization, invoice_id: uuid.UUID) -> Invoice:
    """One invoice with its lines. Raises Invoice.DoesNotExist, also for a draft or another organization's."""
    invoices = Invoice.objects.for_org(organization).issued()
    return invoices.select_related("organization__billing_account").get(pk=invoice_id)


def own_card_setup(membership: Membership, operation_id: uuid.UUID) -> StripeOperation:
    """A card set-up that this person began. Raises StripeOperation.DoesNotExist."""
    return StripeOperation.objects.for_org(membership.organization_id).get(
        pk=operation_id, kind=OperationKind.SET_UP_CARD, actor_id=membership.user_id
    )
