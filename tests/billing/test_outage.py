"""An hour without Stripe: pages answer and say as of when; afterwards all comes back by itself."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.conf import LazySettings
from django.db.models import F
from django.test import Client

from billing import tasks
from billing.gateway import client as gateway_client
from billing.gateway import pace, patience
from billing.models import BillingAccount, Invoice, StripeEvent, StripeOperation
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.billing.agreement.mirror import assert_all_work_is_finished, assert_mirror_equals_stripe
from tests.billing.test_mirror import deliver_and_handle
from tests.billing.world import StripeWorld, card_url, deliver, finished_at_stripe
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

PAGE_SECONDS = 5.0
BEAT = timedelta(minutes=15)
# A wait that begins at the end of an hour's outage is about as long as the outage was.
BEATS_OF_OUTAGE, BEATS_AFTER = 4, 6

Outage = Callable[[StripeWorld, LazySettings], AbstractContextManager[None]]


@contextmanager
def refused(_stripe: StripeWorld, settings: LazySettings) -> Iterator[None]:
    known, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:1"
    yield
    settings.STRIPE_API_BASE = known


@contextmanager
def hanging(_stripe: StripeWorld, settings: LazySettings) -> Iterator[None]:
    """Connections are taken, and never answered. Here nobody waits as long as in earnest."""
    known = settings.STRIPE_API_BASE
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway_client, "TIMEOUT_SECONDS", 0.05)
        patch.setattr(patience, "PATIENCE_SECONDS", 0.05)
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{silent.getsockname()[1]}"
        yield
        settings.STRIPE_API_BASE = known


@contextmanager
def answering(status: int, stripe: StripeWorld, _settings: LazySettings) -> Iterator[None]:
    stripe.control.fail(status, count=100_000)
    yield
    stripe.control.clear_faults()


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nobody waits before they ask again."""
    monkeypatch.setattr(pace, "WAITS_SECONDS", (0.0,))


def let_beat() -> None:
    """Time passes for rows of work, and workers go round. The beat tells them each minute; this is enough."""
    for rows in (StripeEvent.objects, StripeOperation.objects, BillingAccount.objects):
        rows.update(next_attempt_at=F("next_attempt_at") - BEAT, leased_until=F("leased_until") - BEAT)
    tasks.sweep()
    tasks.reconcile_due()


def as_on_pages(moment: datetime) -> str:
    return f'datetime="{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'


def assert_pages_answer(client: Client, organization: Organization) -> None:
    """Quickly, and with the time of the last word from Stripe."""
    home = f"/orgs/{organization.slug}/settings/billing/"
    invoice = Invoice.objects.issued().latest("created_at")
    last_word = BillingAccount.objects.get(organization=organization).synced_at
    assert last_word is not None
    words = {
        home: as_on_pages(last_word),
        f"{home}invoices/": str(invoice),
        f"{home}invoices/{invoice.pk}/": as_on_pages(invoice.as_of),
    }
    for path, word in words.items():
        began = time.monotonic()
        answer = client.get(path)
        assert time.monotonic() - began < PAGE_SECONDS
        assert answer.status_code == 200
        assert word in answer.content.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(refused, id="refused"),
        pytest.param(hanging, id="hanging", marks=pytest.mark.slow),
        pytest.param(partial(answering, 500), id="500", marks=pytest.mark.slow),
        pytest.param(partial(answering, 429), id="429", marks=pytest.mark.slow),
    ],
)
def test_an_hour_without_stripe_loses_nothing(
    outage: Outage,
    admin: Membership,
    stripe: StripeWorld,
    account: BillingAccount,
    settings: LazySettings,
    sign_in: SignIn,
) -> None:
    stripe.attach_default(account)
    stripe.subscribe(account)
    deliver_and_handle(stripe.events())
    tasks.reconcile_due()
    newcomer = MembershipFactory(role=Role.ADMIN)
    heard = [event["id"] for event in stripe.events()]
    finished_at_stripe(stripe, admin)
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Renamed"})
    stripe.invoice(account, amount=7700)
    for event in stripe.events():
        if event["id"] not in heard:
            assert deliver(event).status_code == 200
    client, newcomers = sign_in(admin), sign_in(newcomer)
    with outage(stripe, settings):
        assert newcomers.post(card_url(newcomer)).status_code == 302
        for _beat in range(BEATS_OF_OUTAGE):
            let_beat()
        assert_pages_answer(client, admin.organization)
        assert StripeEvent.objects.filter(StripeEvent.unfinished).exists()
    for _beat in range(BEATS_AFTER):
        let_beat()
    assert_all_work_is_finished()
    assert_pages_answer(client, admin.organization)
    assert_mirror_equals_stripe(BillingAccount.objects.get(organization=admin.organization))
    assert BillingAccount.objects.get(organization=newcomer.organization).has_customer
    assert len(stripe.customers()) == 2
