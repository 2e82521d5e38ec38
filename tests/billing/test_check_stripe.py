"""What `manage.py check_stripe` says of an account that lacks something, and of one that lacks nothing."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from stripe.params import WebhookEndpointCreateParams

from billing import gateway
from billing.account_check import EVENTS, INTERVALS
from billing.gateway.account import SCOPES
from billing.webhooks import FOLLOWED
from devstack.paths import ROOT
from orgs.editions import EDITIONS
from tests.billing.test_missing_scopes import withhold
from tests.billing.world import StripeWorld

SITE = "https://billing.example.com"
ENDPOINT = f"{SITE}/stripe/webhook/"


@pytest.fixture
def account(stripe: StripeWorld, settings: LazySettings) -> Iterator[StripeWorld]:
    """An account that lacks nothing."""
    settings.SITE_URL, settings.DEVELOPMENT = SITE, False
    stripe.control.set_webhook_endpoint(ENDPOINT)
    stripe.control.hold_webhooks()
    product = stripe.api.products.create({"name": "Editions"})
    for edition in EDITIONS:
        included = {"metadata": {"credits": "12000000"}} if edition.prepaid else {}
        make_price(stripe, product.id, edition.price_lookup_key, INTERVALS[edition.invoiced], **included)
    yield stripe
    stripe.control.set_webhook_endpoint(None)


def make_price(stripe: StripeWorld, product: str, key: str, interval: str, **fields: Any) -> None:
    stripe.api.prices.create(
        {
            "currency": "usd",
            "unit_amount": 5000,
            "recurring": {"interval": interval},
            "product": product,
            "lookup_key": key,
            "transfer_lookup_key": True,
            **fields,
        }
    )


def endpoint(**fields: Any) -> dict[str, Any]:
    return {
        "id": "we_1",
        "object": "webhook_endpoint",
        "url": ENDPOINT,
        "status": "enabled",
        "enabled_events": list(EVENTS),
        "api_version": gateway.API_VERSION,
        **fields,
    }


def has_endpoints(stripe: StripeWorld, *endpoints: dict[str, Any]) -> None:
    body = {"object": "list", "url": "/v1/webhook_endpoints", "has_more": False, "data": list(endpoints)}
    stripe.control.fail(200, body=body, path="/v1/webhook_endpoints", count=10)


def check() -> tuple[list[str], list[str]]:
    """What is there, and what is missing; the command fails if anything is."""
    out = StringIO()
    failed = False
    try:
        call_command("check_stripe", stdout=out)
    except CommandError:
        failed = True
    lines = out.getvalue().splitlines()
    missing = [line.removeprefix("missing").strip() for line in lines if line.startswith("missing")]
    assert bool(missing) == failed
    return [line.removeprefix("ok").strip() for line in lines if line.startswith("ok")], missing


@pytest.mark.django_db
def test_nothing_is_missing(account: StripeWorld) -> None:
    before = [stripe_object.id for stripe_object in account.customers() + account.sessions()]
    found, missing = check()
    assert missing == []
    assert f"The webhook endpoint {ENDPOINT} gets all {len(EVENTS)} events." in found
    assert f"The key has all {len(SCOPES)} scopes." in found
    assert any(gateway.API_VERSION in line for line in found)
    assert before == [stripe_object.id for stripe_object in account.customers() + account.sessions()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("endpoints", "told"),
    [
        ([], [f"There is no webhook endpoint for {ENDPOINT}."]),
        ([endpoint(url=ENDPOINT.rstrip("/"))], [f"There is no webhook endpoint for {ENDPOINT}."]),
        ([endpoint(status="disabled")], [f"The webhook endpoint {ENDPOINT} is disabled."]),
        (
            [endpoint(api_version="2024-06-20")],
            [f"The webhook endpoint has API version 2024-06-20: make one of {gateway.API_VERSION}."],
        ),
        (
            [endpoint(enabled_events=[event for event in EVENTS if event != "invoice.voided"])],
            ["The webhook endpoint doesn't get the event invoice.voided."],
        ),
        ([endpoint(enabled_events=["*"]), endpoint(status="disabled")], []),
        ([endpoint(status="disabled"), endpoint(api_version=None)], []),
    ],
)
def test_the_webhook_endpoint(endpoints: list[dict[str, Any]], told: list[str], account: StripeWorld) -> None:
    has_endpoints(account, *endpoints)
    assert check()[1] == told


@pytest.mark.django_db
def test_a_machine_that_stripe_cannot_reach_needs_no_endpoint(
    account: StripeWorld, settings: LazySettings
) -> None:
    settings.SITE_URL = "http://127.0.0.1:8000"
    found, missing = check()
    assert missing == []
    assert any("stripe listen --forward-to http://127.0.0.1:8000/stripe/webhook/" in line for line in found)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("rak_customer_write", "POST", "/v1/customers/*"),
        ("rak_tax_id_write", "DELETE", "/v1/customers/*/tax_ids/*"),
        ("rak_payment_method_write", "POST", "/v1/payment_methods/*/detach"),
        ("rak_checkout_session_write", "POST", "/v1/checkout/sessions"),
        ("rak_setup_intent_read", "GET", "/v1/setup_intents/*"),
        ("rak_subscription_write", "POST", "/v1/subscriptions/*"),
        ("rak_invoice_write", "POST", "/v1/invoices/create_preview"),
        ("rak_invoice_payment_read", "GET", "/v1/invoice_payments"),
        ("rak_payment_intent_read", "GET", "/v1/payment_intents"),
        ("rak_charge_read", "GET", "/v1/charges"),
        ("rak_credit_note_read", "GET", "/v1/credit_notes"),
        ("rak_tax_rate_read", "GET", "/v1/tax_rates"),
    ],
)
def test_each_missing_scope_is_named(scope: str, method: str, path: str, account: StripeWorld) -> None:
    withhold(account, scope, method=method, path=path)
    assert check()[1] == [f"The key lacks the scope {scope}."]


@pytest.mark.django_db
def test_what_may_not_be_looked_at_is_said_to_be_so(account: StripeWorld) -> None:
    withhold(account, "rak_webhook_read", path="/v1/webhook_endpoints")
    assert check()[1] == [
        "The key lacks the scope rak_webhook_read.",
        "Not looked at, for want of a scope: Stripe's key lacks the scope rak_webhook_read.",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("interval", "fields", "told"),
    [
        ("year", {}, "is charged every 1 year, not every month."),
        ("month", {"recurring": {"interval": "month", "interval_count": 3}}, "is charged every 3 month"),
        ("month", {"currency": "eur"}, "is in eur, not in usd."),
        ("month", {"active": False}, "is archived."),
    ],
)
def test_a_price_that_is_not_as_its_edition_says(
    interval: str, fields: dict[str, Any], told: str, account: StripeWorld
) -> None:
    product = account.api.products.create({"name": "Other"})
    make_price(account, product.id, "team-pro-seat-monthly", interval, **fields)
    (missing,) = check()[1]
    assert missing.startswith(f"The price team-pro-seat-monthly of Team Pro {told}")


@pytest.mark.django_db
@pytest.mark.parametrize("said", [{}, {"credits": "many"}, {"credits": "0"}])
def test_a_prepaid_price_that_says_no_number_of_credits(said: dict[str, str], account: StripeWorld) -> None:
    product = account.api.products.create({"name": "Other"})
    make_price(account, product.id, "enterprise-growth-yearly", "year", metadata=said)
    assert check()[1] == [
        "The price enterprise-growth-yearly of Enterprise Growth says in its metadata no number of credits:"
        " none are counted."
    ]


@pytest.mark.django_db
def test_a_price_that_is_not_there(account: StripeWorld) -> None:
    product = account.api.products.create({"name": "Other"})
    make_price(account, product.id, "team-pro-seat-monthly", "month")
    account.api.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1,
            "product": product.id,
            "lookup_key": "team-pro-seat-monthly",
            "transfer_lookup_key": True,
        }
    )
    assert check()[1] == [
        "The price team-pro-seat-monthly of Team Pro is charged only once, not every month."
    ]
    account.control.reset()
    assert sum("is missing." in line for line in check()[1]) == len(EDITIONS)


@pytest.mark.django_db
def test_a_live_key_on_a_developers_machine(account: StripeWorld, settings: LazySettings) -> None:
    settings.DEVELOPMENT = True
    settings.STRIPE_SECRET_KEY = "sk_live_by_mistake"
    with pytest.raises(CommandError, match="Invalid API Key"):
        call_command("check_stripe", stdout=(out := StringIO()))
    assert out.getvalue().startswith("missing The key is for live mode")


def test_each_event_is_followed_and_each_that_is_followed_is_one_of_stripes() -> None:
    (known,) = get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    assert set(EVENTS) <= set(get_args(known))
    assert all(event.startswith(FOLLOWED) for event in EVENTS)
    assert all(any(event.startswith(prefix) for event in EVENTS) for prefix in FOLLOWED)


def test_each_call_to_stripe_has_its_scope() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "billing/gateway").glob("*.py"))
    calls = re.findall(
        r"\bstripe_\.v1\.(checkout\.sessions|customers\.tax_ids|\w+)\.(?:\w+\.)*(\w+)\(", sources
    )
    writes = {service: scope.writes for scope in SCOPES for service in (scope.service, *scope.also)}
    assert calls
    assert {service for service, _verb in calls} <= set(writes)
    assert {service for service, verb in calls if verb not in {"retrieve", "list"}} == {
        service for service, needed in writes.items() if needed
    }


def test_the_readme_lists_the_events_and_the_scopes() -> None:
    section = Path(ROOT / "README.md").read_text().partition("## Stripe's side")[2].partition("\n## ")[0]
    table = section.partition("| of | events |")[2].partition("\n\n")[0]
    events = re.findall(r"`([a-z_]+\.[a-z_.]+)`", table)
    assert sorted(events) == sorted(EVENTS)
    rows = re.findall(r"^\| ([\w ]+) \| `(rak_\w+)` \|$", section, re.MULTILINE)
    assert rows == [(scope.resource, scope.name) for scope in SCOPES]
