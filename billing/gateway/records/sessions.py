"""Stripe's pages that a person is sent to."""

from dataclasses import dataclass

from billing.gateway.records.methods import PaymentMethod


@dataclass(frozen=True, kw_only=True)
class CardSession:
    """A Checkout session in setup mode.

    ``status``: open, complete or expired. ``setup_status``: of its setup intent; a completed session of a
    bank debit may still be processing. ``url``: of Stripe's page, while it is open. ``payment_method``: what
    can be charged from now on; of an iDEAL or Bancontact payment the SEPA debit that was set up with it.
    """

    id: str
    customer_id: str
    operation_id: str
    status: str
    url: str
    setup_status: str
    payment_method: PaymentMethod | None


@dataclass(frozen=True, kw_only=True)
class SubscriptionSession:
    """A Checkout session in subscription mode.

    ``status``: open, complete or expired. ``url``: of Stripe's page, while it is open. ``subscription_id``,
    ``invoice_id``: what it has started, and its first invoice.
    """

    id: str
    customer_id: str
    operation_id: str
    status: str
    url: str
    subscription_id: str
    invoice_id: str
