"""How an invoice can be paid now: one rule for what pages offer and for what is asked of Stripe."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from billing.declines import asks_for_another
from billing.invoice_states import InvoiceState
from billing.methods import Method, MethodState
from billing.models import Subscription


class Way(StrEnum):
    """What a page offers. ``NONE``: nothing has to be done now, or nothing can."""

    NONE = "none"
    CHARGE = "charge"
    ANOTHER_METHOD = "another_method"
    CONFIRM = "confirm"
    AT_STRIPE = "at_stripe"


@dataclass(frozen=True)
class Bill:
    """What one press pays: ``amount`` in minor units, for these invoices, with this method."""

    amount: int
    currency: str
    method: Method
    invoices: list[uuid.UUID]


class Payable(Protocol):
    """What of an invoice decides on how it is paid."""

    @property
    def customer_id(self) -> str: ...
    @property
    def charged_automatically(self) -> bool: ...
    @property
    def failure_code(self) -> str: ...
    @property
    def amount_remaining(self) -> int: ...


class WithCustomer(Protocol):
    @property
    def stripe_customer_id(self) -> str | None: ...
    @property
    def customer_deleted(self) -> bool: ...


def charged_customer(account: WithCustomer | None) -> str:
    """The id of the customer whose saved methods can be charged; empty: there is none, or it is deleted."""
    return (account.stripe_customer_id or "") if account and not account.customer_deleted else ""


def saved_for(
    subscription_id: str, current: Iterable[Subscription], customers: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """What pays an invoice of that subscription: its own method while it is current, else the customer's."""
    return next((one.pays for one in current if one.stripe_id == subscription_id and one.pays), customers)


def can_be_charged(invoice: Payable, customer_id: str) -> bool:
    """Whether what is saved could pay it: not one that is sent, or that a former customer left.

    ``customer_id``: of the customer that the saved methods belong to.
    """
    return invoice.charged_automatically and invoice.customer_id == customer_id


def is_payable(invoice: Payable, state: InvoiceState) -> bool:
    """Whether it takes a payment now: not while one is on its way."""
    asked = state.is_owed or state is InvoiceState.WRITTEN_OFF
    return asked and invoice.amount_remaining > 0


def way_to_pay(
    invoice: Payable,
    state: InvoiceState,
    *,
    customer_id: str,
    method: Method | None,
    tried: str,
    just_saved: bool = False,
) -> Way:
    """``customer_id``: whose saved methods can be charged; ``method``: the one that would be.

    ``tried``: the name of what was refused, empty: not known. ``just_saved``: the method is newer than
    whatever was tried.
    """
    if not is_payable(invoice, state):
        return Way.NONE
    if state is InvoiceState.NEEDS_CONFIRMATION and not just_saved:
        return Way.CONFIRM
    if not can_be_charged(invoice, customer_id):
        return Way.AT_STRIPE
    if method is None or method.state is MethodState.EXPIRED:
        return Way.ANOTHER_METHOD
    is_same = not just_saved and tried in {"", method.name}
    if state is InvoiceState.FAILED and is_same and asks_for_another(invoice.failure_code):
        return Way.ANOTHER_METHOD
    return Way.CHARGE
