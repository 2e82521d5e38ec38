"""The Stripe simulator, in this process, empty at the start of each test; and the wire to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe as stripe_library
from django.conf import LazySettings

from billing.models import BillingAccount
from orgs.models import Membership, Organization
from stripe_simulator import server
from stripe_simulator.control import Control
from tests.billing.mishaps import steered
from tests.billing.plans import Customer
from tests.billing.told import Told
from tests.billing.world import StripeWorld
from tests.conftest import SignIn

pytest.register_assert_rewrite("tests.billing.agreement")

API_KEY = "sk_test_of_the_billing_tests"
# A month of 30 days, in UTC.
FIRST_OF_JUNE = 1_780_272_000
WEBHOOK_SECRET = "whsec_of_the_billing_tests"


@pytest.fixture(scope="session")
def stripe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Running]:
    folder: Path = tmp_path_factory.mktemp("stripe")
    running = server.start(folder, api_key=API_KEY)
    yield running
    running.stop()


@pytest.fixture
def stripe(stripe_server: server.Running, settings: LazySettings) -> StripeWorld:
    settings.STRIPE_API_BASE = stripe_server.url
    settings.STRIPE_SECRET_KEY = API_KEY
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    control = Control(stripe_server.url)
    control.reset()
    client = stripe_library.StripeClient(
        API_KEY, base_addresses={"api": stripe_server.url}, max_network_retries=0
    )
    return StripeWorld(control=control, api=client.v1)


@pytest.fixture
def secret(settings: LazySettings) -> str:
    settings.STRIPE_WEBHOOK_SECRET = "whsec_of_these_tests"
    return settings.STRIPE_WEBHOOK_SECRET


@pytest.fixture
def account(organization: Organization, stripe: StripeWorld) -> BillingAccount:
    """The organization's billing account, with a customer at Stripe."""
    return stripe.account_for(organization)


@pytest.fixture
def customer(
    stripe: StripeWorld,
    account: BillingAccount,
    billing_manager: Membership,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Customer]:
    """The organization as a customer with a card, whose plan the billing manager changes."""
    stripe.attach_default(account)
    with steered(monkeypatch) as (_fuse, clock):
        yield Customer(stripe, account, billing_manager, clock, sign_in(billing_manager))


@pytest.fixture
def told(stripe: StripeWorld, account: BillingAccount, billing_manager: Membership, sign_in: SignIn) -> Told:
    """The organization's customer, and the billing manager who reads of it. At Stripe it is June 2026."""
    stripe.control.set_clock(FIRST_OF_JUNE)
    return Told(stripe, account, billing_manager, sign_in(billing_manager))
