"""What comes next on *Billing & usage*, line by line, with our own on-demand credits beside it."""

from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from billing.tasks import settle_credits
from orgs.models import Membership, Organization
from tests.billing.factories import (
    BillingAccountFactory,
    SubscriptionFactory,
    line,
)
from tests.billing.pages import billing_url, text_of
from tests.billing.standings import OWN, preview
from tests.conftest import SignIn
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stripe_is_down(settings: LazySettings) -> None:
    """No page needs Stripe: here nothing answers."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def page_of(client: Client, organization: Organization) -> str:
    return text_of(client.get(billing_url(organization)))


def test_the_next_charge_adds_up_line_by_line(client: Client, organization: Organization) -> None:
    """With a discount, tax, and a balance; each line with its period."""
    BillingAccountFactory(organization=organization)
    tax = {
        "name": "Sales tax",
        "jurisdiction": "New York",
        "percentage": "8.875",
        "inclusive": False,
        "amount": 47_925,
        "taxable": 540_000,
        "reason": "standard_rated",
    }
    known = preview(
        575_925,
        [line("Enterprise Growth", 650_000), line("Unused time on Enterprise", -50_000)],
        total=587_925,
        discounts=[{"name": "Partner, 10%", "amount": 60_000}],
        taxes=[tax],
        starting_balance=-12_000,
    )
    SubscriptionFactory(organization=organization, preview=known)
    page = page_of(client, organization)
    assert "Next charge $5,759.25 on 1 December 2026, tax included" in page
    assert (
        "Enterprise Growth 1 October – 1 November 2026 $6,500.00"
        " Unused time on Enterprise 1 October – 1 November 2026 -$500.00"
        " Subtotal $6,000.00 Discount Partner, 10% -$600.00"
        " Sales tax, New York 8.875% of $5,400.00 $479.25 Total $5,879.25"
        " Applied balance -$120.00"
        " Charged on 1 December 2026 with Visa ending 4242 $5,759.25"
    ) in page


def test_subscriptions_of_the_same_day_are_each_shown_and_summed(
    client: Client, organization: Organization
) -> None:
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, status="paused")
    SubscriptionFactory(organization=organization, preview=preview(5000), pays=OWN)
    SubscriptionFactory(organization=organization, preview=preview(20_000))
    page = page_of(client, organization)
    assert "Next charge $250.00 on 1 December 2026, for 2 subscriptions" in page
    assert "Charged on 1 December 2026 with Mastercard ending 4444 $50.00" in page
    assert "Charged on 1 December 2026 with Visa ending 4242 $200.00" in page
    assert "Nothing is charged while the subscription is paused." in page
    assert "All on 1 December 2026 $250.00" in page
    assert "Paid by Mastercard ending 4444" in page


def test_on_demand_credits_stand_beside_the_next_charge(client: Client, organization: Organization) -> None:
    """The design's vector: 450,000 credits on Team Growth cost $75.00, over the subscription's period."""
    organization.edition_code = "team-growth"
    organization.save()
    start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
    SubscriptionFactory(organization=organization, period_start=start, period_end=start + timedelta(days=30))
    count(organization, start, start - timedelta(hours=1))
    page = page_of(client, organization)
    assert "Next charge $200.00 on 1 December 2026" in page
    assert "On-demand credits about $75.00 by our count, before tax, not in Stripe's figures" in page
    assert "300,000 × $0.00025 $75.00 So far, before tax $75.00" in page
    assert "On-demand credits come on top." in page


def test_credits_are_counted_over_the_period_of_the_editions_own_subscription(
    client: Client, organization: Organization
) -> None:
    organization.edition_code = "team-growth"
    organization.save()
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    items = [{**SubscriptionFactory.build().items[0], "lookup_key": "team-growth-monthly"}]
    for start, fields in ((today - timedelta(days=9), {"items": items}), (today - timedelta(days=1), {})):
        end = start + timedelta(days=30)
        SubscriptionFactory(organization=organization, period_start=start, period_end=end, **fields)
    SubscriptionFactory(organization=organization, period_end=today)
    count(organization, today - timedelta(days=5))
    assert "On demand so far: 300,000 at $0.00025" in page_of(client, organization)


def count(organization: Organization, *hours: datetime) -> None:
    for hour in hours:
        record_counts(
            organization_id=organization.pk,
            counts=[HourlyReading(stack="app", hour=hour, resources=450_000)],
        )
    settle_credits()
