"""*Billing & usage*, and what other pages tell of it."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from billing.failures import FailedAct, failed_act
from billing.freshness import is_outdated
from billing.invoice_states import InvoiceState
from billing.methods import saved_by
from billing.models import (
    Invoice,
    OperationKind,
    PaymentStatus,
    StripeOperation,
    Subscription,
)
from billing.models.operations import SET_UPS
from billing.parties import party_lines
from billing.paying import charged_customer
from billing.plans import PlannedChange, planned_changes
from billing.selectors.accounts import AccountRow, account_of
from billing.selectors.continuity import billing_warnings
from billing.selectors.estimates import Month
from billing.selectors.invoices import InvoiceRow, latest_and_open
from billing.selectors.methods import (
    Lack,
    MethodTrouble,
    UsedMethod,
    methods_in_use,
    troubles_of,
    used_methods,
)
from billing.selectors.owed import Owed, WhatPays, owed_of
from billing.selectors.seats import Seats, seats_of
from billing.selectors.under_way import UnderWay, under_way_of
from billing.sharing import take_once
from billing.upcoming import NextCharge, Upcoming, next_charges_of, upcoming_of
from credits.charts import CreditsChart, credits_chart
from credits.selectors import PeriodCredits, credits_now
from invitations.selectors import BillingManagersPanel, ContinuityWarning, billing_managers_panel
from orgs.compiled import compiled
from orgs.currencies import in_minor_units
from orgs.editions import CREDIT_CURRENCY, Edition
from orgs.last_days import is_past
from orgs.models import Membership, Organization
from usage.selectors import ResourcesNow


@compiled(Subscription)
def _current_subscriptions(organization: uuid.UUID) -> QuerySet[Subscription, Any]:
    return Subscription.objects.for_org(organization).current().order_by("period_end", "created_at", "id")


@dataclass(frozen=True)
class BillingPage:
    """*Billing & usage*. ``as_of``: when the mirror was last known to be right, None before there is any.

    ``on_their_way``: open invoices whose payment was begun; nobody has to pay them again. ``pays``: what pays
    where a subscription has nothing of its own. ``troubles``: those that a saved card mends, the worst first.
    ``under_way``: what was asked of Stripe and has not been answered.
    ``card_saved``: the person comes from saving the card that pays now.
    ``grace_until``: the day, in UTC, until which support gave more time to pay.
    ``failed``: an act that came to nothing while nobody waited for it.
    ``credits``: None where none are counted, or none are settled yet.
    ``bill_to``: as on coming invoices, a line each. ``warnings``: see ``billing.selectors.continuity``.
    """

    edition: Edition
    owed: Owed | None
    on_their_way: list[InvoiceRow]
    troubles: list[MethodTrouble]
    upcoming: list[Upcoming]
    next_charges: list[NextCharge]
    credits: PeriodCredits | None
    credits_chart: CreditsChart | None
    seats: Seats | None
    resources: ResourcesNow | None
    methods: list[UsedMethod]
    planned: list[PlannedChange]
    invoices: list[InvoiceRow]
    managers: BillingManagersPanel
    under_way: UnderWay
    failed: FailedAct | None
    card_saved: bool
    bill_to: list[str]
    warnings: list[ContinuityWarning]
    as_of: datetime | None
    grace_until: date | None

    @property
    def is_outdated(self) -> bool:
        return is_outdated(self.as_of)

    @property
    def all_by_invoice(self) -> bool:
        """No subscription charges anything by itself: invoices are sent, and paid by bank transfer."""
        return bool(self.upcoming) and all(one.by_invoice for one in self.upcoming)

    @property
    def comes_to_nothing(self) -> bool:
        """It is known that nothing will be charged; else a missing figure is only not known."""
        return all(one.comes_to_nothing for one in self.upcoming)

    @property
    def adds_up(self) -> bool:
        """Whether what comes next takes more than the sentence among the facts."""
        has_figures = bool(self.next_charges) or (self.credits is not None and bool(self.credits.open_cost))
        return has_figures or len(self.upcoming) > 1

    @property
    def counts_credits(self) -> bool:
        return self.credits is not None or self.edition.credit_price is not None

    @property
    def beyond_a_month(self) -> int | None:
        """What a month on demand alone would cost at today's rate, in cents of US dollars."""
        if self.credits is None or self.credits.projection is None:
            return None
        month = Month(self.credits.projection.resources)
        return in_minor_units(month.credits * self.credits.price, CREDIT_CURRENCY)

    @property
    def previewed_at(self) -> datetime | None:
        """When Stripe gave the oldest of the figures of what comes next."""
        told = (one.as_of for one in self.upcoming if one.amount is not None)
        return min(filter(None, told), default=None)

    @property
    def card_leads(self) -> bool:
        """Whether saving a card is what the page asks for first."""
        return self.owed is None and not (self.troubles and self.troubles[0].lack is Lack.EXPIRING)

    @property
    def asks_for_card(self) -> bool:
        """Whether the top of the page already has a button for it."""
        return bool(self.troubles) or (self.owed is not None and self.owed.needs_another_method)


def billing_page(
    membership: Membership, *, card_saved: bool = False, managers_after: str = ""
) -> BillingPage:
    """``managers_after``: see ``billing_managers_panel``."""
    organization = membership.organization
    edition = organization.edition
    account = account_of(organization.pk)
    subscriptions = _current_subscriptions(organization.pk)
    latest, unpaid = latest_and_open(organization.pk)
    period, resources = credits_now(organization.pk)
    pays = account.pays if account else None
    upcoming = upcoming_of_account(subscriptions, account)
    in_use = methods_in_use(upcoming, pays)
    customers = saved_by(account) if account else None
    what_pays = WhatPays(charged_customer(account), subscriptions, customers, just_saved=card_saved)
    owed = owed_of(organization.pk, unpaid, what_pays)
    managers = billing_managers_panel(membership, after=managers_after)
    return BillingPage(
        edition=edition,
        owed=owed,
        on_their_way=[invoice for invoice in unpaid if invoice.state is InvoiceState.ON_ITS_WAY],
        troubles=troubles_of(upcoming, in_use, told=owed is not None and owed.needs_another_method),
        upcoming=upcoming,
        next_charges=next_charges_of(upcoming),
        credits=period,
        credits_chart=credits_chart(period) if period else None,
        seats=seats_of(membership, managers) if edition.per_seat else None,
        resources=resources,
        methods=used_methods(upcoming, pays),
        planned=[change for one in subscriptions for change in planned_changes(one)],
        invoices=latest,
        managers=managers,
        under_way=under_way_of(account.unsettled if account else []),
        failed=failed_act(account.failed) if account and account.failed else None,
        card_saved=card_saved,
        bill_to=party_lines(account.name or organization.name, account.address, []) if account else [],
        warnings=billing_warnings(membership, account),
        as_of=account.as_of if account else None,
        grace_until=account.grace_until if account and not is_past(account.grace_until) else None,
    )


def upcoming_of_account(subscriptions: Iterable[Subscription], account: AccountRow | None) -> list[Upcoming]:
    """What comes next of one customer's subscriptions, in its order."""
    pays = account.pays if account else None
    confirmed_at = account.reconciled_at if account else None
    return take_once(upcoming_of(one, customer_pays=pays, confirmed_at=confirmed_at) for one in subscriptions)


def own_card_setup(membership: Membership, operation_id: uuid.UUID) -> StripeOperation:
    """A card set-up that this person began. Raises StripeOperation.DoesNotExist."""
    return _own(membership, operation_id, SET_UPS)


def own_purchase(membership: Membership, operation_id: uuid.UUID) -> StripeOperation:
    """A purchase that this person began. Raises StripeOperation.DoesNotExist."""
    return _own(membership, operation_id, (OperationKind.START_SUBSCRIPTION,))


def _own(membership: Membership, operation_id: uuid.UUID, kinds: Iterable[OperationKind]) -> StripeOperation:
    return StripeOperation.objects.for_org(membership.organization_id).get(
        pk=operation_id, kind__in=kinds, actor_id=membership.user_id
    )


def is_something_owed(organization: Organization) -> bool:
    unpaid = Invoice.objects.for_org(organization).open()
    return unpaid.exclude(payment_status=PaymentStatus.PROCESSING).exists()
