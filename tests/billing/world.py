"""What tests do at Stripe's side of the wire: make things there, enter cards, deliver events."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from stripe import WebhookSignature

from billing.models import BillingAccount, StripeOperation
from billing.operations.cards import start_card_setup
from billing.tasks import sweep
from orgs.models import Membership, Organization
from stripe_simulator.control import Control

VISA = "4242424242424242"
MASTERCARD = "5555555555554444"
WEBHOOK = "/stripe/webhook/"


@dataclass(frozen=True)
class StripeWorld:
    control: Control
    api: Any

    def account_for(self, organization: Organization, *, synced: bool = True) -> BillingAccount:
        customer = self.api.customers.create({"name": organization.name})
        return BillingAccount.objects.create(
            organization=organization,
            stripe_customer_id=customer.id,
            synced_at=timezone.now() if synced else None,
        )

    def customers(self) -> list[Any]:
        return list(self.api.customers.list({"limit": 100}).data)

    def sessions(self) -> list[Any]:
        return list(self.api.checkout.sessions.list({"limit": 100}).data)

    def default_card(self, account: BillingAccount) -> str | None:
        customer = self.api.customers.retrieve(account.stripe_customer_id)
        default: str | None = customer.invoice_settings.default_payment_method
        return default

    def cards_of(self, account: BillingAccount) -> set[str]:
        found = self.api.customers.payment_methods.list(account.stripe_customer_id)
        return {method.id for method in found.data}

    def attach_default(self, account: BillingAccount, test_method: str = "pm_card_visa") -> str:
        """Give the customer a card that is the default; returns its id."""
        method = self.api.payment_methods.attach(test_method, {"customer": account.stripe_customer_id})
        self.api.customers.update(
            account.stripe_customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return str(method.id)

    def price(self, *, amount: int = 2000, currency: str = "usd", lookup_key: str = "test") -> str:
        product = self.api.products.create({"name": "Test product"})
        made = self.api.prices.create(
            {
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": "month"},
                "product": product.id,
                "lookup_key": lookup_key,
                "nickname": "Test seat",
            }
        )
        return str(made.id)

    def subscribe(self, account: BillingAccount, *, amount: int = 2000, quantity: int = 1) -> Any:
        return self.api.subscriptions.create(
            {
                "customer": account.stripe_customer_id,
                "items": [{"price": self.price(amount=amount), "quantity": quantity}],
            }
        )

    def invoice(self, account: BillingAccount, *, amount: int = 1000, finalize: bool = True) -> Any:
        """An invoice over one item, open if finalized, without charging it."""
        invoice = self.api.invoices.create(
            {"customer": account.stripe_customer_id, "auto_advance": False, "currency": "usd"}
        )
        self.api.invoice_items.create(
            {
                "customer": account.stripe_customer_id,
                "invoice": invoice.id,
                "amount": amount,
                "currency": "usd",
                "description": "Consulting",
            }
        )
        if finalize:
            return self.api.invoices.finalize_invoice(invoice.id, {"auto_advance": False})
        return invoice

    def events(self, *types: str) -> list[dict[str, Any]]:
        """All events so far, the first first; of these types, or of all."""
        found = self.api.events.list({"limit": 100})
        every = [event.to_dict(for_json=True) for event in found.auto_paging_iter()]
        return [event for event in reversed(every) if not types or event["type"] in types]

    def calls(self, method: str, path_start: str) -> list[dict[str, Any]]:
        """The API requests that were made of this kind."""
        return [
            request
            for request in self.control.requests(method=method)
            if request["path"].startswith(path_start)
        ]


def signature(payload: str, *, secret: str | None = None, timestamp: float | None = None) -> str:
    return WebhookSignature.generate_signature_header(
        payload, secret or settings.STRIPE_WEBHOOK_SECRET, timestamp=int(timestamp or time.time())
    )


def deliver(event: dict[str, Any] | str, **signing: Any) -> HttpResponse:
    """Post an event to the webhook as Stripe does."""
    payload = event if isinstance(event, str) else json.dumps(event)
    client = Client(enforce_csrf_checks=True)
    return client.post(
        WEBHOOK,
        data=payload,
        content_type="application/json",
        headers={"Stripe-Signature": signature(payload, **signing)},
    )


def event_of(customer_id: str = "cus_unknown", **fields: Any) -> dict[str, Any]:
    """An event about a customer, as Stripe sends it."""
    return {
        "id": "evt_1",
        "object": "event",
        "type": "customer.updated",
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "created": 1,
        "data": {"object": {"id": customer_id, "object": "customer"}},
        **fields,
    }


def card_url(membership: Membership) -> str:
    return f"/orgs/{membership.organization.slug}/settings/billing/card/"


def operation_in(url: str) -> str:
    """The operation named by the address that Stripe sends the browser to."""
    return parse_qs(urlsplit(url).query)["operation"][0]


def finished_at_stripe(stripe: StripeWorld, actor: Membership, number: str = VISA) -> uuid.UUID:
    """Start a set-up and enter the card; returns the operation, of which the portal knows nothing yet."""
    return uuid.UUID(operation_in(stripe.control.enter_card(start_card_setup(actor=actor), number=number)))


def due_now() -> None:
    StripeOperation.objects.update(next_attempt_at=timezone.now(), leased_until=None)


def sweep_everything() -> None:
    due_now()
    sweep()


def a_life(stripe: StripeWorld, account: BillingAccount) -> None:
    """A subscription that has been renewed, a failed payment, an open invoice and a draft."""
    stripe.attach_default(account)
    stripe.subscribe(account)
    stripe.control.advance(days=32)
    stripe.invoice(account)
    stripe.invoice(account, finalize=False)
