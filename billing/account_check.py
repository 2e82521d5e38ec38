"""What Stripe's account lacks of what the portal rests on, for those who deploy it.

What is found is told in English, as log lines are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from billing import gateway
from billing.gateway.account import (
    SCOPES,
    Price,
    WebhookEndpoint,
    default_api_version,
    missing_scopes,
    prices,
    webhook_endpoints,
)
from orgs.editions import EDITIONS, Edition, InvoicingFrequency

# The types of events that ``webhooks`` follows, and after which the mirror may be wrong.
EVENTS = (
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "customer.deleted",
    "customer.discount.created",
    "customer.discount.deleted",
    "customer.discount.updated",
    "customer.source.created",
    "customer.source.deleted",
    "customer.source.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "customer.tax_id.created",
    "customer.tax_id.deleted",
    "customer.tax_id.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "invoice_payment.paid",
    "invoiceitem.created",
    "invoiceitem.deleted",
    "payment_intent.processing",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.canceled",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "subscription_schedule.canceled",
    "subscription_schedule.released",
    "subscription_schedule.updated",
)
ALL_EVENTS = "*"
CURRENCY = "usd"
INTERVALS = {InvoicingFrequency.MONTHLY: "month", InvoicingFrequency.YEARLY: "year"}
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Finding:
    """``missing``: the portal won't work as it should until somebody mends it at Stripe."""

    text: str
    missing: bool = True


def findings() -> Iterator[Finding]:
    """All that was looked at. Raises GatewayUnavailable where Stripe doesn't answer, or refuses the key."""
    yield _mode()
    lacking = missing_scopes()
    yield from _scopes(lacking)
    version = default_api_version()
    yield Finding(
        f"The account's own API version is {version}; the portal asks in {gateway.API_VERSION}.", False
    )
    for look in (partial(_endpoint, version), _prices):
        try:
            yield from look()
        except gateway.GatewayForbidden as error:
            yield Finding(f"Not looked at, for want of a scope: {error.message}")


def _mode() -> Finding:
    if settings.STRIPE_SECRET_KEY.startswith("pk_"):
        return Finding("STRIPE_SECRET_KEY is a publishable key: it may read nothing.")
    if gateway.is_live():
        if settings.DEVELOPMENT or _is_local():
            return Finding("The key is for live mode, where this deployment would move real money.")
        return Finding("The key is for live mode.", missing=False)
    return Finding("The key is for test mode: no money moves.", missing=False)


def _is_local() -> bool:
    """Whether this deployment is one that Stripe's events can't reach."""
    return urlsplit(settings.SITE_URL).hostname in LOCAL_HOSTS


def _scopes(lacking: list[str]) -> Iterator[Finding]:
    for name in lacking:
        yield Finding(f"The key lacks the scope {name}.")
    if not lacking:
        yield Finding(f"The key has all {len(SCOPES)} scopes.", missing=False)


def _endpoint(version: str) -> Iterator[Finding]:
    url = f"{settings.SITE_URL}{reverse('stripe_webhook')}"
    own = [endpoint for endpoint in webhook_endpoints() if endpoint.url == url]
    if not own:
        hint = f" Run: stripe listen --forward-to {url}" if _is_local() else ""
        yield Finding(f"There is no webhook endpoint for {url}.{hint}", missing=not _is_local())
        return
    # Several are as good as the best of them: an event that comes twice is kept once.
    yield from min((list(_endpoint_findings(one, version)) for one in own), key=_how_many_missing)


def _how_many_missing(found: list[Finding]) -> int:
    return sum(finding.missing for finding in found)


def _endpoint_findings(endpoint: WebhookEndpoint, default_version: str) -> Iterator[Finding]:
    if not endpoint.enabled:
        yield Finding(f"The webhook endpoint {endpoint.url} is disabled.")
    version = endpoint.api_version or default_version
    if version != gateway.API_VERSION:
        yield Finding(f"The webhook endpoint has API version {version}: make one of {gateway.API_VERSION}.")
    absent = (
        [] if ALL_EVENTS in endpoint.events else [event for event in EVENTS if event not in endpoint.events]
    )
    for event in absent:
        yield Finding(f"The webhook endpoint doesn't get the event {event}.")
    if not absent and endpoint.enabled and version == gateway.API_VERSION:
        yield Finding(f"The webhook endpoint {endpoint.url} gets all {len(EVENTS)} events.", missing=False)


def _prices() -> Iterator[Finding]:
    by_key = {price.lookup_key: price for price in prices(edition.price_lookup_key for edition in EDITIONS)}
    for edition in EDITIONS:
        yield _price_finding(edition, by_key.get(edition.price_lookup_key))


def _price_finding(edition: Edition, price: Price | None) -> Finding:
    name = f"The price {edition.price_lookup_key} of {edition.name}"
    interval = INTERVALS[edition.invoiced]
    if price is None:
        return Finding(f"{name} is missing.")
    if not price.active:
        return Finding(f"{name} is archived.")
    if price.currency != CURRENCY:
        return Finding(f"{name} is in {price.currency}, not in {CURRENCY}.")
    if (price.interval, price.interval_count) != (interval, 1):
        each = f"every {price.interval_count} {price.interval}" if price.interval else "only once"
        return Finding(f"{name} is charged {each}, not every {interval}.")
    if edition.prepaid and not price.credits:
        return Finding(f"{name} says in its metadata no number of credits: none are counted.")
    return Finding(f"{name} is there.", missing=False)
