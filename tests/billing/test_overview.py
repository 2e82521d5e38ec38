"""*Billing & usage*: each state at Stripe, what the page says of it, and what it must not say."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.models import Subscription
from billing.selectors import billing_page
from billing.selectors.invoices import OPEN_SHOWN
from orgs.models import Membership, Organization
from tests.billing.factories import (
    BillingAccountFactory,
    InvoiceFactory,
    SubscriptionFactory,
)
from tests.billing.pages import billing_url, text_of
from tests.billing.standings import (
    INVOICES,
    OWN,
    SUBSCRIPTIONS,
    make,
)
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

# Session, person, organization with membership: what every request reads.
EVERY_REQUEST = 3
PAGE_BUDGET = 8
# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
SUBSCRIPTION_STATUSES = [
    "active",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
]


@pytest.fixture(autouse=True)
def stripe_is_down(settings: LazySettings) -> None:
    """No page needs Stripe: here nothing answers."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def body_of(client: Client, organization: Organization) -> str:
    return client.get(billing_url(organization)).content.decode()


def page_of(client: Client, organization: Organization) -> str:
    return text_of(client.get(billing_url(organization)))


@pytest.mark.parametrize("name", [*SUBSCRIPTIONS, *INVOICES])
def test_the_page_says_what_is_so_and_nothing_else(
    name: str, client: Client, organization: Organization
) -> None:
    case = {**SUBSCRIPTIONS, **INVOICES}[name]
    make(case, organization)
    page = page_of(client, organization)
    assert [words for words in case.says if words not in page] == []
    assert [words for words in case.never if words in page] == []


@pytest.mark.parametrize("name", [*SUBSCRIPTIONS, *INVOICES])
def test_a_page_has_one_primary_act_at_most(name: str, client: Client, organization: Organization) -> None:
    make({**SUBSCRIPTIONS, **INVOICES}[name], organization)
    assert body_of(client, organization).count("button primary") <= 1


def test_what_is_owed_comes_before_all_else(client: Client, organization: Organization) -> None:
    make(SUBSCRIPTIONS["past due"], organization)
    page = page_of(client, organization)
    places = [page.index(word) for word in ("Due now", "Pay $", "Next charge", "Plan", "Invoices")]
    assert places == sorted(places)


def test_an_expired_card_asks_for_another_one_once(client: Client, organization: Organization) -> None:
    month = timezone.now() - timedelta(days=40)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    SubscriptionFactory(organization=organization)
    InvoiceFactory(organization=organization, status="open", payment_status="failed")
    body, page = body_of(client, organization), page_of(client, organization)
    assert re.findall(r'<button class="button primary"[^>]*>\s*Use another card', body) != []
    assert page.count("Use another card") == 1
    assert "expired on" not in page


@pytest.mark.parametrize(
    ("days", "sentence", "act"),
    [
        (10, "Visa ending 4242 expires on", "Update card"),
        (-40, "Visa ending 4242 expired on", "Use another card"),
    ],
)
def test_a_card_that_runs_out_is_told_of(
    days: int,
    sentence: str,
    act: str,
    client: Client,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = timezone.now().replace(day=10)
    monkeypatch.setattr(timezone, "now", lambda: day)
    month = day + timedelta(days=days)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    page = page_of(client, organization)
    assert sentence in page
    assert act in page


def test_a_card_that_pays_nothing_is_not_told_of(client: Client, organization: Organization) -> None:
    month = timezone.now() - timedelta(days=40)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    SubscriptionFactory(organization=organization, pays=OWN)
    page = page_of(client, organization)
    assert "Visa ending 4242 expired on" not in page
    assert "Visa ending 4242 Pays no subscription now Expired on" in page


@pytest.mark.parametrize("status", SUBSCRIPTION_STATUSES)
def test_the_page_takes_the_same_subscriptions_for_current_as_everybody_else(
    admin: Membership, status: str
) -> None:
    SubscriptionFactory(organization=admin.organization, status=status)
    is_current = Subscription.objects.for_org(admin.organization).current().exists()
    assert bool(billing_page(admin).upcoming) == is_current


def test_an_organization_that_never_paid_sees_why_everything_is_empty(
    client: Client, organization: Organization
) -> None:
    page = page_of(client, organization)
    assert "Enterprise Growth, invoiced yearly" in page
    assert "Due now Nothing no invoices yet" in page
    assert "Next charge None no subscription" in page
    assert "No card saved" in page
    assert "Add card" in page
    assert "No invoices yet" in page
    assert "as Stripe had them" not in page


def test_an_unpaid_invoice_is_told_of_though_newer_ones_are_paid(
    client: Client, organization: Organization
) -> None:
    unpaid = InvoiceFactory(
        organization=organization, status="open", created_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    for _newer in range(6):
        InvoiceFactory(organization=organization)
    assert f"Due now $58.25 Invoice {unpaid.number}" in page_of(client, organization)


def test_the_sum_of_what_is_owed_is_of_all_invoices(client: Client, organization: Organization) -> None:
    """Also where there are more than the page shows, and without those on their way."""
    for _one in range(OPEN_SHOWN + 3):
        InvoiceFactory(organization=organization, status="open")
    for _one in range(2):
        InvoiceFactory(organization=organization, status="open", payment_status="processing")
    page = page_of(client, organization)
    assert f"Due now $1,339.75 on {OPEN_SHOWN + 3} invoices" in page
    assert "See all invoices" in page


@pytest.mark.parametrize("payment_status", ["", "failed", "processing"])
@pytest.mark.parametrize("edition", ["team-growth", "team-pro", "enterprise-growth"])
@pytest.mark.parametrize("rows", [1, 12, 2 * OPEN_SHOWN + 2])
def test_the_billing_page_takes_few_statements_however_many_rows(
    rows: int,
    edition: str,
    payment_status: str,
    admin: Membership,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    organization = admin.organization
    organization.edition_code, organization.seats = edition, 50
    organization.save()
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization)
    for number in range(rows):
        state = {"status": "open", "payment_status": payment_status} if number % 2 else {}
        InvoiceFactory(organization=organization, **state)
    client = sign_in(admin)
    with django_assert_max_num_queries(EVERY_REQUEST + PAGE_BUDGET):
        assert page_of(client, organization)


@pytest.mark.parametrize(("status", "is_announced"), [("active", True), ("paused", False)])
def test_the_list_of_organizations_announces_what_the_page_announces(
    status: str, is_announced: bool, client: Client, organization: Organization
) -> None:
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, status=status)
    for page in (page_of(client, organization), text_of(client.get(reverse("organizations")))):
        assert ("$200.00 on 1 December 2026" in page) is is_announced


def test_more_people_than_seats_are_told_with_what_to_do(
    client: Client, member: Membership, organization: Organization
) -> None:
    organization.edition_code, organization.seats = "team-pro", 1
    organization.save()
    assert "1 seat is bought and 2 are taken. Remove 1 person" in page_of(client, organization)
