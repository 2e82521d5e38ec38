"""The editions side by side, with what one's own use would cost; and a new organization that chooses one."""

import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing.models import BillingAccount, Price, StripeOperation
from billing.selectors.estimates import Month, credit_cost
from orgs.editions import EDITIONS, Edition
from orgs.models import Membership, Organization
from tests.billing.factories import SubscriptionFactory
from tests.billing.sales import put_up_for_sale
from tests.billing.world import StripeWorld
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.pages import text
from usage.readings import HourlyReading
from usage.services import record_counts

pytestmark = pytest.mark.django_db


def url(membership: Membership) -> str:
    return f"/orgs/{membership.organization.slug}/settings/billing/editions/"


def use_last_month(organization: Organization, resources: int) -> datetime:
    """So many resources for one hour of the last calendar month."""
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    hour = first - timedelta(days=1)
    record_counts(
        organization_id=organization.pk, counts=[HourlyReading(stack="s", hour=hour, resources=resources)]
    )
    return hour


def test_ones_own_use_is_told_at_each_editions_rate(
    billing_manager: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    put_up_for_sale(stripe)
    month = f"{use_last_month(billing_manager.organization, 450_000):%B %Y}"
    page = text(sign_in(billing_manager).get(url(billing_manager)))
    assert f"used 450,000 credits in {month}, by our own count." in page
    assert f"Your use of {month}: about $75.00 at today's rate, beyond the free credits." in page
    left_out = "The credits that the price includes are left out, since the portal has no record of them."
    assert f"Your use of {month}: about $225.00 at today's rate. {left_out}" in page
    assert "150,000 free each month" in page
    assert "Team Pro" not in page


def lines(page: str, edition: str) -> list[str]:
    """The estimate in an edition's card, line by line."""
    card = page.partition(f'aria-labelledby="edition-{edition}"')[2].partition("</section>")[0]
    table = card.partition("Estimate for a month")[2].partition("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_a_month_of_resources_is_estimated_step_by_step_to_the_cent(
    billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(billing_manager).get(url(billing_manager), {"resources": "625", "hours": "720"}))
    assert lines(page, "team-growth") == [
        "625 resources × 720 hours 450,000",
        "Free, of 150,000 −150,000",
        "Credits at $0.00025 each 300,000",
        "About, before tax At today's rate, rounded once to the cent $75.00",
    ]
    assert lines(page, "enterprise-growth") == [
        "625 resources × 720 hours 450,000",
        "Credits at $0.0005 each 450,000",
        "About, before tax Beside the price above; the credits that it includes are not taken off $225.00",
    ]
    assert 'name="resources" value="625"' in page


def test_a_month_within_the_free_credits_costs_nothing_and_adds_up(
    billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(billing_manager).get(url(billing_manager), {"resources": "100"}))
    assert lines(page, "team-growth") == [
        "100 resources × 730 hours 73,000",
        "Free, of 150,000 −73,000",
        "Credits at $0.00025 each 0",
        "About, before tax At today's rate, rounded once to the cent $0.00",
    ]


def test_resources_now_and_an_average_month_are_estimated_where_nobody_says_otherwise(
    billing_manager: Membership, sign_in: SignIn
) -> None:
    client = sign_in(billing_manager)
    assert "Estimate for a month" not in text(client.get(url(billing_manager)))
    use_last_month(billing_manager.organization, 1_001)
    shown = lines(text(client.get(url(billing_manager))), "team-growth")
    # 580,730 credits at $0.00025 are $145.1825.
    assert shown[0] == "1,001 resources × 730 hours 730,730"
    assert shown[-1].endswith("$145.18")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"resources": "-1"}, "greater than or equal to 0"),
        ({"resources": "many"}, "Enter a whole number."),
        ({"resources": "1" * 12}, "less than or equal to 100000000"),
        ({"resources": "1", "hours": "745"}, "less than or equal to 744"),
        ({"resources": "1", "hours": "0"}, "greater than or equal to 672"),
    ],
)
def test_what_is_no_month_is_told_at_its_field(
    asked: dict[str, str], says: str, billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(billing_manager).get(url(billing_manager), asked))
    assert says in page
    assert "Estimate for a month" not in page


@given(
    st.integers(0, 10**8),
    st.integers(672, 744),
    st.sampled_from([e for e in EDITIONS if e.credit_price is not None]),
)
def test_a_cost_is_rounded_once_and_half_up(resources: int, hours: int, edition: Edition) -> None:
    cost = credit_cost(edition, Month(resources, hours).credits)
    assert cost
    exact = max(0, resources * hours - edition.free_credits) * Fraction(cost.price) * 100
    assert cost.amount == math.floor(exact + Fraction(1, 2))


def test_without_use_and_prices_nothing_is_made_up(billing_manager: Membership, sign_in: SignIn) -> None:
    page = text(sign_in(billing_manager).get(url(billing_manager)))
    assert "so there is no use to compare by" in page
    assert "Your use of" not in page
    assert page.count("The price is not known right now.") == 3
    assert "$0.00 " not in page


def test_who_has_a_plan_compares_and_is_not_asked_to_choose(
    billing_manager: Membership, sign_in: SignIn
) -> None:
    client = sign_in(billing_manager)
    assert "Choose a plan" in text(client.get(url(billing_manager)))
    SubscriptionFactory(organization=billing_manager.organization)
    assert "Choose a plan" not in text(client.get(url(billing_manager)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit_amount": "250"}, '<strong>$2.50</strong> a month <span class="sub">plus any tax'),
        ({"unit_amount": "0.5"}, '<strong>$0.005</strong> a month <span class="sub">plus any tax'),
        (
            {"unit_amount": "500", "currency": "jpy"},
            '<strong>¥500</strong> a month <span class="sub">plus any tax',
        ),
        (
            {"unit_amount": "250", "interval_count": 3},
            '<strong>$2.50</strong> every 3 months <span class="sub">plus any tax',
        ),
        (
            {"unit_amount": "250", "tax_behavior": "inclusive"},
            '<strong>$2.50</strong> a month <span class="sub">tax included',
        ),
        ({"unit_amount": ""}, "The price depends on use."),
        ({"unit_amount": "250", "metered": True}, "The price depends on use."),
    ],
)
def test_a_price_is_told_as_it_is(
    fields: dict[str, object], words: str, billing_manager: Membership, sign_in: SignIn
) -> None:
    given = {
        "currency": "usd",
        "interval": "month",
        "stripe_id": "price_1",
        "lookup_key": "team-growth-monthly",
        "fetched_seq": 1,
        "synced_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    Price.objects.create(**{**given, **fields})
    assert words in text(sign_in(billing_manager).get(url(billing_manager)))


def test_a_new_organization_leads_on_to_the_chosen_edition_and_buys_nothing(
    stripe: StripeWorld, sign_in: SignIn
) -> None:
    put_up_for_sale(stripe)
    client = sign_in(MembershipFactory())
    page = text(client.get("/orgs/new/"))
    assert "<strong>$6,000.00</strong> a year" in page
    assert 'name="edition" value="" aria-describedby="terms-none" checked' in page
    answer = client.post("/orgs/new/", {"name": "Ledger", "edition": "enterprise-growth"}, follow=True)
    organization = Organization.objects.get(name="Ledger")
    expected = f"/orgs/{organization.slug}/settings/billing/purchase/?edition=enterprise-growth"
    assert answer.redirect_chain == [(expected, 302)]
    assert "Your choice" in text(answer)
    assert organization.edition_code == "team-growth"
    assert not StripeOperation.objects.exists()
    assert not BillingAccount.objects.exists()


def test_a_new_organization_starts_without_a_plan(sign_in: SignIn) -> None:
    answer = sign_in(MembershipFactory()).post("/orgs/new/", {"name": "Ledger"})
    slug = Organization.objects.get(name="Ledger").slug
    assert answer.headers["Location"] == f"/orgs/{slug}/"


@pytest.mark.parametrize("edition", ["team-pro", "nonsense"])
def test_a_new_organization_chooses_of_what_is_sold(edition: str, sign_in: SignIn) -> None:
    answer = sign_in(MembershipFactory()).post("/orgs/new/", {"name": "Ledger", "edition": edition})
    assert answer.status_code == 422
    assert "Choose one of the plans, or start without one." in text(answer)
    assert not Organization.objects.filter(name="Ledger").exists()
