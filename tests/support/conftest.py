"""Stripe's simulator, for the acts that have work done with it."""

from tests.billing.conftest import stripe, stripe_server

__all__ = ["stripe", "stripe_server"]
