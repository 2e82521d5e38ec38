"""What of the account at Stripe a deployment rests on: its key's scopes, webhook endpoints and prices.

All raise GatewayUnavailable, GatewayRefused and GatewayForbidden.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import requests
import stripe
from django.conf import settings

from billing.gateway.client import TIMEOUT_SECONDS, call
from billing.gateway.errors import GatewayForbidden, GatewayRefused, GatewayUnavailable
from billing.gateway.reading import credits_of, decimal_text

Probe = Callable[[stripe.StripeClient], object]

PAGE = 100
# The probes name objects that don't exist: allowed or not, they read nothing and change nothing.
NOBODY = "cus_portal_probe"
NOWHERE = "https://portal.invalid/"


@dataclass(frozen=True)
class Scope:
    """A right that a restricted key needs; one to write is one to read, too.

    ``name``: as Stripe's errors and https://dashboard.stripe.com/apikeys/create name it. ``resource``: as the
    dashboard shows it. ``service``: of the client, whose calls need it, as those of the services ``also`` do.
    """

    name: str
    resource: str
    service: str
    probe: Probe
    also: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        return self.name.endswith("_write")


SCOPES = (
    Scope(
        "rak_customer_write",
        "Customers",
        "customers",
        lambda stripe_: stripe_.v1.customers.update(NOBODY, {}),
    ),
    Scope(
        "rak_tax_id_write",
        "Tax IDs",
        "customers.tax_ids",
        lambda stripe_: stripe_.v1.customers.tax_ids.delete(NOBODY, "txi_portal_probe"),
    ),
    Scope(
        "rak_payment_method_write",
        "Payment Methods",
        "payment_methods",
        lambda stripe_: stripe_.v1.payment_methods.detach("pm_portal_probe"),
    ),
    Scope(
        "rak_checkout_session_write",
        "Checkout Sessions",
        "checkout.sessions",
        lambda stripe_: stripe_.v1.checkout.sessions.create(
            {"mode": "setup", "customer": NOBODY, "currency": "usd", "success_url": NOWHERE}
        ),
    ),
    Scope(
        "rak_setup_intent_read",
        "Setup Intents",
        "setup_intents",
        lambda stripe_: stripe_.v1.setup_intents.retrieve("seti_portal_probe"),
    ),
    Scope(
        "rak_subscription_write",
        "Subscriptions",
        "subscriptions",
        lambda stripe_: stripe_.v1.subscriptions.update("sub_portal_probe", {}),
        also=("subscription_schedules",),
    ),
    # A preview is a request of writing to Stripe, though it writes nothing.
    Scope(
        "rak_invoice_write",
        "Invoices",
        "invoices",
        lambda stripe_: stripe_.v1.invoices.create_preview({"customer": NOBODY}),
        also=("invoice_items",),
    ),
    Scope(
        "rak_invoice_payment_read",
        "Invoice Payments",
        "invoice_payments",
        lambda stripe_: stripe_.v1.invoice_payments.list({"limit": 1}),
    ),
    Scope(
        "rak_payment_intent_read",
        "Payment Intents",
        "payment_intents",
        lambda stripe_: stripe_.v1.payment_intents.list({"limit": 1}),
    ),
    Scope(
        "rak_charge_read",
        "Charges",
        "charges",
        lambda stripe_: stripe_.v1.charges.list({"limit": 1}),
    ),
    Scope(
        "rak_credit_note_read",
        "Credit Notes",
        "credit_notes",
        lambda stripe_: stripe_.v1.credit_notes.list({"limit": 1}),
    ),
    Scope(
        "rak_tax_rate_read",
        "Tax Rates",
        "tax_rates",
        lambda stripe_: stripe_.v1.tax_rates.list({"limit": 1}),
    ),
    Scope("rak_plan_read", "Prices", "prices", lambda stripe_: stripe_.v1.prices.list({"limit": 1})),
    Scope(
        "rak_webhook_read",
        "Webhook Endpoints",
        "webhook_endpoints",
        lambda stripe_: stripe_.v1.webhook_endpoints.list({"limit": 1}),
    ),
)


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """``api_version``: empty: the account's own. ``events``: types; ``*`` for all."""

    url: str
    enabled: bool
    events: frozenset[str]
    api_version: str


@dataclass(frozen=True, kw_only=True)
class Price:
    """``interval``: month or year; empty where nothing recurs.

    ``unit_amount``: decimal text in minor units, empty for tiered prices. ``tax_behavior``: inclusive,
    exclusive or unspecified: https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior
    ``credits``: how many prepaid ones a unit brings.
    """

    id: str
    lookup_key: str
    active: bool
    currency: str
    unit_amount: str
    metered: bool
    interval: str
    interval_count: int
    tax_behavior: str
    credits: int


def missing_scopes() -> list[str]:
    """The scopes that the key lacks, by the names that Stripe gives them."""
    return [name for scope in SCOPES for name in _missing(scope)]


def _missing(scope: Scope) -> list[str]:
    try:
        call(scope.probe)
    except GatewayForbidden as error:
        return [error.scope or scope.name]
    except GatewayRefused:
        pass
    return []


def webhook_endpoints() -> list[WebhookEndpoint]:
    found = call(lambda stripe_: list(stripe_.v1.webhook_endpoints.list({"limit": PAGE}).auto_paging_iter()))
    return [
        WebhookEndpoint(
            url=one.url,
            enabled=one.status == "enabled",
            events=frozenset(one.enabled_events),
            api_version=one.api_version or "",
        )
        for one in found
    ]


def prices(lookup_keys: Iterable[str]) -> list[Price]:
    """The prices that carry these keys, active or not: a key is one price's at a time. At most ten keys."""
    found = call(lambda stripe_: stripe_.v1.prices.list({"lookup_keys": list(lookup_keys), "limit": PAGE}))
    return [_price(one.to_dict()) for one in found.data]


def _price(body: dict[str, Any]) -> Price:
    recurring = body.get("recurring") or {}
    return Price(
        id=body["id"],
        lookup_key=body["lookup_key"],
        active=body["active"],
        currency=body["currency"],
        unit_amount=decimal_text(body.get("unit_amount_decimal")),
        metered=recurring.get("usage_type") == "metered",
        interval=recurring.get("interval", ""),
        interval_count=recurring.get("interval_count", 1),
        tax_behavior=body.get("tax_behavior") or "",
        credits=credits_of(body),
    )


def default_api_version() -> str:
    """The account's own, which an answer names if the request names none; the library always names one."""
    base = settings.STRIPE_API_BASE or stripe.DEFAULT_API_BASE
    try:
        answer = requests.get(
            f"{base}/v1/prices?limit=1",
            headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise GatewayUnavailable(type(error).__name__) from error
    return answer.headers.get("Stripe-Version", "")
