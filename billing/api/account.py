"""Standing, subscriptions, payment methods and billing details."""

import uuid
from datetime import datetime
from enum import StrEnum

from ninja import Schema

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from billing.details import details_of
from billing.methods import Method, MethodState
from billing.selectors.billing_details import account_with_details
from billing.selectors.customer_state import account_state
from billing.selectors.saved_methods import methods_page
from billing.subscription_states import SubscriptionState
from billing.upcoming import NoFigure, Upcoming
from orgs.policy import Permission

endpoints = Endpoints("Billing")


class Standing(StrEnum):
    OK = "ok"
    ATTENTION = "attention"
    TROUBLE = "trouble"


OF_TONE = {"": Standing.OK, "warn": Standing.ATTENTION, "bad": Standing.TROUBLE}


class SumOut(Schema):
    """``amount``: in minor units. ``state``: of the open invoices that it is the sum of."""

    currency: str
    amount: int
    state: str


class ChargeOut(Schema):
    """What is charged on the day of the next charge. ``grows``: a part depends on use, and is counted so far.

    ``by_invoice``: nothing is charged, invoices are sent.
    """

    at: datetime
    amount: int
    currency: str
    grows: bool
    by_invoice: bool


class AccountOut(Schema):
    """``reasons``: why all is not well, as codes of invoices, subscriptions and payment methods.

    ``as_of``: when it was last compared with Stripe.
    """

    edition: str
    standing: Standing
    reasons: list[str]
    unpaid: list[SumOut]
    next_charges: list[ChargeOut]
    as_of: datetime | None


class MethodOut(Schema):
    """A payment method. ``valid_until``: its last day; null where it has none."""

    name: str
    is_card: bool
    state: MethodState
    valid_until: datetime | None


class SavedMethodOut(MethodOut):
    """``id``: null of an older source. ``is_default``: it pays what has nothing of its own.

    ``pays``: something is charged to it.
    """

    id: uuid.UUID | None
    is_default: bool
    pays: bool


class MethodsOut(Schema):
    data: list[SavedMethodOut]
    as_of: datetime | None


class ItemOut(Schema):
    """``unit_amount``: a decimal number in minor units; null where the price has steps."""

    description: str
    quantity: int
    unit_amount: str | None
    metered: bool


class SubscriptionOut(Schema):
    """``next_charge``: null where there is no figure: ``no_figure`` says why. ``pays``: null for nothing."""

    id: uuid.UUID
    state: SubscriptionState
    currency: str
    items: list[ItemOut]
    period_start: datetime | None
    period_end: datetime | None
    trial_end: datetime | None
    ends_at: datetime | None
    by_invoice: bool
    pays: MethodOut | None
    next_charge: ChargeOut | None
    no_figure: NoFigure | None


class SubscriptionsOut(Schema):
    data: list[SubscriptionOut]
    as_of: datetime | None


class AddressOut(Schema):
    """``country``: ISO 3166, two letters. Each is empty where it isn't known."""

    line1: str
    line2: str
    postal_code: str
    city: str
    state: str
    country: str


class TaxIdOut(Schema):
    """``type``: as Stripe names it. ``status``: what Stripe found in the register; empty before."""

    type: str
    value: str
    status: str


class DetailsOut(Schema):
    """What coming invoices say of the organization."""

    name: str
    email: str
    address: AddressOut
    po_number: str
    locale: str
    copies_to: list[str]
    tax_ids: list[TaxIdOut]
    as_of: datetime | None


@endpoints.get("/billing", Needs(Permission.BILLING_VIEW), AccountOut)
def standing(request: ApiRequest) -> AccountOut:
    """Read how the organization stands with its payments, and what comes next."""
    state = account_state(request.organization)
    return AccountOut(
        edition=request.organization.edition_code,
        standing=OF_TONE[state.tone],
        reasons=sorted(state.reasons),
        unpaid=[SumOut(currency=one.currency, amount=one.owed, state=one.state) for one in state.unpaid],
        next_charges=[
            ChargeOut(
                at=charge.at,
                amount=charge.amount,
                currency=charge.currency,
                grows=charge.grows,
                by_invoice=charge.by_invoice,
            )
            for charge in state.next_charges
        ],
        as_of=state.as_of,
    )


@endpoints.get("/billing/subscriptions", Needs(Permission.BILLING_VIEW), SubscriptionsOut)
def subscriptions(request: ApiRequest) -> SubscriptionsOut:
    """List the subscriptions that have not ended."""
    state = account_state(request.organization)
    return SubscriptionsOut(data=[_subscription(one) for one in state.upcoming], as_of=state.as_of)


@endpoints.get("/billing/payment-methods", Needs(Permission.BILLING_VIEW), MethodsOut)
def payment_methods(request: ApiRequest) -> MethodsOut:
    """List what is saved to pay with."""
    page = methods_page(request.organization)
    return MethodsOut(
        data=[
            SavedMethodOut(
                **_method(row.method).model_dump(), id=row.id, is_default=row.is_default, pays=row.pays
            )
            for row in page.rows
        ],
        as_of=page.as_of,
    )


@endpoints.get("/billing/details", Needs(Permission.BILLING_VIEW), DetailsOut)
def details(request: ApiRequest) -> DetailsOut:
    """Read what coming invoices say of the organization."""
    account = account_with_details(request.organization)
    tax_ids = [
        TaxIdOut(type=one["type"], value=one["value"], status=one["status"]) for one in account.tax_ids
    ]
    return DetailsOut(**details_of(account), tax_ids=tax_ids, as_of=account.as_of)


def _subscription(one: Upcoming) -> SubscriptionOut:
    subscription = one.subscription
    return SubscriptionOut(
        id=subscription.pk,
        state=one.state,
        currency=subscription.currency,
        items=[
            ItemOut(
                description=item["description"],
                quantity=item["quantity"],
                unit_amount=item["unit_amount"] or None,
                metered=item["metered"],
            )
            for item in subscription.items
        ],
        period_start=subscription.period_start,
        period_end=subscription.period_end,
        trial_end=subscription.trial_end,
        ends_at=subscription.ends_at,
        by_invoice=one.by_invoice,
        pays=_method(one.pays) if one.pays else None,
        next_charge=_charge(one),
        no_figure=one.no_figure,
    )


def _charge(one: Upcoming) -> ChargeOut | None:
    if one.amount is None or one.at is None:
        return None
    return ChargeOut(
        at=one.at, amount=one.amount, currency=one.currency, grows=one.grows, by_invoice=one.by_invoice
    )


def _method(method: Method) -> MethodOut:
    return MethodOut(
        name=method.name, is_card=method.is_card, state=method.state, valid_until=method.valid_until
    )
