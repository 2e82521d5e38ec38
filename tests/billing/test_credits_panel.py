"""The credits of *Billing & usage*: used, left, until when, what then; each as the ledger has it."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from credits.models import GrantKind
from orgs.models import Membership, Organization
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from tests.credits.months import DAY, DECEMBER, HOUR, NOVEMBER, NOW, OCTOBER, grant, settled, terms

pytestmark = pytest.mark.django_db

LAST_HOUR = NOW.replace(minute=0) - HOUR
YEAR = terms(
    OCTOBER,
    OCTOBER + 365 * DAY,
    edition_code="enterprise-growth",
    credits=4_000_000,
    kind=GrantKind.PAID,
    credit_price=Decimal("0.0005"),
)


@pytest.fixture(autouse=True)
def _in_november_without_stripe(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def on_growth(organization: Organization) -> Organization:
    organization.edition_code = "team-growth"
    organization.save()
    return organization


def panel(client: Client, organization: Organization) -> str:
    """What the page says from the facts to the plan."""
    page = text_of(client.get(billing_url(organization)))
    return page[page.index("Due now") : page.index(" Plan ")]


def test_prepaid_credits_say_what_is_used_and_left_until_when_and_what_then(
    client: Client, organization: Organization
) -> None:
    settled(organization, {OCTOBER: 2_400_000, LAST_HOUR: 500}, YEAR)
    shown = panel(client, organization)
    assert "Credits left 1,599,500 last until about 2 April 2027" in shown
    assert "1 October 2026 – 1 October 2027 · a credit is one resource for one hour" in shown
    assert "2,400,500 of 4,000,000 credits used, 1,599,500 left." in shown
    assert "At today’s rate they last until about 2 April 2027 ." in shown
    assert "60% of the credits used 13% of the period passed" in shown
    # 314 days and 12 hours are still to come.
    assert "By the end of the period about 6,174,500 credits will be used." in shown
    assert "Of them 2,174,500 are on demand: about $1,087.25 before tax." in shown
    assert "After that nothing stops: each credit costs $0.0005." in shown
    assert "about $182.50 for a month of 730 hours, before tax" in shown
    assert "Counted until 20 November 2026, 12:00 UTC" in shown


def test_free_credits_that_are_used_up_say_what_is_on_demand_and_costs(
    client: Client, organization: Organization
) -> None:
    settled(on_growth(organization), {NOVEMBER: 150_000, LAST_HOUR: 40_000}, terms())
    shown = panel(client, organization)
    assert "On-demand credits about $10.00 by our count" in shown
    assert "All 150,000 credits are used." in shown
    assert "On demand so far: 40,000 at $0.00025, $10.00 before tax." in shown
    assert "Nothing stops: each credit on demand costs $0.00025." in shown
    assert "Free credits 1 November – 1 December 2026 150,000 Used of these −150,000 Left 0" in shown
    assert "On demand 40,000 × $0.00025 $10.00" in shown


def test_credits_that_last_to_the_periods_end_name_no_earlier_day(
    client: Client, organization: Organization
) -> None:
    settled(on_growth(organization), {LAST_HOUR: 10}, terms())
    shown = panel(client, organization)
    assert (
        "10 of 150,000 credits used, 149,990 left. At today’s rate they last to the end of the period."
        in (shown)
    )
    assert "on demand: about" not in shown


def test_what_was_counted_long_ago_promises_nothing(client: Client, organization: Organization) -> None:
    settled(on_growth(organization), {NOVEMBER: 10}, terms())
    shown = panel(client, organization)
    assert "Nothing was counted in the last 24 hours" in shown
    assert "today’s rate" not in shown
    assert "Still to come" not in shown


def test_each_grant_has_its_line_and_the_period_before_its_figure(
    client: Client, organization: Organization
) -> None:
    grant(organization, 90, expires_at=NOVEMBER + DAY)
    october = terms(OCTOBER, NOVEMBER, credits=1_000)
    settled(on_growth(organization), {OCTOBER: 700, NOVEMBER: 60, LAST_HOUR: 5}, october, terms(credits=100))
    shown = panel(client, organization)
    assert (
        "Prepaid credits bought 1 – 2 November 2026 90"
        " Free credits 1 November – 1 December 2026 100"
        " Used of these −65 Ended before they were used −30 Left 95"
    ) in shown
    assert "The period before 1 October – 1 November 2026 700" in shown
    assert "An hour uses 85% fewer than in the period before." in shown


def test_before_an_hour_is_settled_the_panel_says_why_it_is_empty(
    client: Client, organization: Organization
) -> None:
    shown = panel(client, organization)
    assert "No credits counted yet An hour is counted once it is over" in shown
    assert "See each hour" not in shown


@pytest.mark.parametrize(("edition", "counts"), [("team-pro", False), ("enterprise", True)])
def test_an_edition_that_counts_no_credits_says_nothing_of_them(
    edition: str, counts: bool, client: Client, organization: Organization
) -> None:
    organization.edition_code, organization.seats = edition, 10
    organization.save()
    assert ("a credit is one resource for one hour" in panel(client, organization)) == counts


def test_what_is_on_an_invoice_comes_on_top_of_none(client: Client, organization: Organization) -> None:
    """October's part of the year was closed, so that only November's credits are still to be invoiced."""
    year = terms(
        OCTOBER, OCTOBER + 365 * DAY, credits=10, kind=GrantKind.PAID, credit_price=Decimal("0.0005")
    )
    for _again in range(2):
        settled(organization, {OCTOBER: 20_010, NOVEMBER: 6_000}, year)
    shown = panel(client, organization)
    assert "On-demand credits about $3.00 by our count" in shown
    assert "On demand so far: 26,000 at $0.0005, $13.00 before tax." in shown
    assert "1 November – 1 December 2026 6,000 × $0.0005 $3.00 So far, before tax $3.00" in shown


def test_a_period_that_begins_within_an_hour_has_all_its_credits(
    client: Client, organization: Organization
) -> None:
    begins: datetime = NOW.replace(minute=10)
    settled(on_growth(organization), {LAST_HOUR: 10}, terms(begins, DECEMBER))
    shown = panel(client, organization)
    assert "0 of 150,000 credits used, 150,000 left. At today’s rate they last to the end" in shown
