"""The page of limits: what it says and takes, and what *Billing & usage* and the API say of them."""

import pytest
from django.test import Client
from django.utils import timezone

from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.api.program import program_of, told
from tests.billing.pages import billing_url, text_of
from tests.billing.test_limits import use
from tests.conftest import SignIn
from tests.credits.months import DECEMBER, NOVEMBER, NOW
from tests.factories import MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
SHOWN = {"initial-usage_budget": "", "initial-usage_stops": ""}


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory(edition_code="team-growth")


@pytest.fixture
def manager(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)


@pytest.fixture
def page(manager: Membership, sign_in: SignIn) -> Client:
    return sign_in(manager)


def limits_url(organization: Organization) -> str:
    return billing_url(organization, "limits/")


def test_the_page_says_how_far_use_has_come_and_by_how_much_it_can_pass(
    page: Client, organization: Organization, manager: Membership
) -> None:
    page.post(limits_url(organization), {**SHOWN, "usage_budget": "25"})
    use(organization, 190_000)
    text = text_of(page.get(limits_url(organization)))
    assert "Credits 150,000 150,000 100% 50%: " in text
    assert "Budget for credits on demand $10.00 $25.00 40% nothing yet" in text
    assert "two hours are 380,000 credits, or $95.00 on demand" in text


def test_billing_and_usage_says_it_in_a_line_with_the_way_to_the_limits(
    page: Client, organization: Organization
) -> None:
    url = billing_url(organization)
    assert f'href="{limits_url(organization)}"' in page.get(url).content.decode()
    use(organization, 121_000)
    assert "80% of the period's credits are used." in text_of(page.get(url))
    page.post(limits_url(organization), {**SHOWN, "usage_stops": "on"})
    use(organization, 29_000, hour=1)
    for address in (url, limits_url(organization)):
        assert "The period's credits are used up, so the product was told to stop." in text_of(
            page.get(address)
        )


def test_an_edition_without_credits_has_nothing_to_limit(page: Client, organization: Organization) -> None:
    Organization.objects.update(edition_code="team-pro")
    assert "Limits of use" not in text_of(page.get(billing_url(organization)))
    assert "Nothing to limit now" in text_of(page.get(limits_url(organization)))


def test_what_is_saved_is_shown_and_kept_in_cents(page: Client, organization: Organization) -> None:
    answer = page.post(limits_url(organization), {**SHOWN, "usage_budget": "25", "usage_stops": "on"})
    assert answer.status_code == 302
    organization.refresh_from_db()
    assert (organization.usage_budget, organization.usage_stops) == (2500, True)
    shown = page.get(limits_url(organization)).content.decode()
    assert 'name="initial-usage_budget" value="25"' in shown
    page.post(
        limits_url(organization),
        {
            "usage_budget": "",
            "initial-usage_budget": "25",
            "usage_stops": "on",
            "initial-usage_stops": "True",
        },
    )
    organization.refresh_from_db()
    assert (organization.usage_budget, organization.usage_stops) == (None, True)


@pytest.mark.parametrize("budget", ["0", "-1", "12.50", "100000001", "much", "9" * 5000, "NaN"])
def test_a_budget_that_can_not_be_is_refused_with_one_sentence(
    budget: str, page: Client, organization: Organization
) -> None:
    answer = page.post(limits_url(organization), {**SHOWN, "usage_budget": budget})
    assert answer.status_code == 422
    assert text_of(answer).count("Give whole US dollars, from 1 to 100,000,000, or leave this empty.") == 1
    organization.refresh_from_db()
    assert organization.usage_budget is None


@pytest.mark.parametrize("shown", ["30", "NaN", "x", "9" * 5000])
def test_a_form_acts_on_what_its_page_showed(shown: str, page: Client, organization: Organization) -> None:
    Organization.objects.update(usage_budget=5000)
    answer = page.post(limits_url(organization), {"usage_budget": "25", "initial-usage_budget": shown})
    assert answer.status_code == 409
    assert "Somebody else changed the limits meanwhile" in text_of(answer)
    assert 'name="initial-usage_budget" value="50"' in answer.content.decode()
    organization.refresh_from_db()
    assert organization.usage_budget == 5000


def test_who_only_views_sees_the_limits_and_no_form(organization: Organization, sign_in: SignIn) -> None:
    Organization.objects.update(usage_budget=5000, usage_stops=True)
    viewer = sign_in(MembershipFactory(organization=organization, role=Role.BILLING_VIEWER))
    answer = viewer.get(limits_url(organization))
    assert "Budget for a period $50.00 At 100% The product is told to stop" in text_of(answer)
    assert "Save limits" not in text_of(answer)
    assert viewer.post(limits_url(organization), SHOWN).status_code == 403


def test_programs_read_them(organization: Organization, page: Client) -> None:
    page.post(limits_url(organization), {**SHOWN, "usage_budget": "25"})
    use(organization, 75_000)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    read = told(program_of(admin).get("billing/limits"))
    assert (read["budget"], read["currency"], read["stops"], read["usage_stopped"]) == (
        2500,
        "usd",
        False,
        None,
    )
    assert (read["period_start"], read["period_end"]) == (
        NOVEMBER.isoformat().replace("+00:00", "Z"),
        DECEMBER.isoformat().replace("+00:00", "Z"),
    )
    credits_, budget = read["uses"]
    assert {**credits_, "told": [one["percent"] for one in credits_["told"]]} == {
        "limit": "credits",
        "used": 75_000,
        "most": 150_000,
        "percent": 50,
        "told": [50],
    }
    assert budget == {"limit": "budget", "used": 0, "most": 2500, "percent": 0, "told": []}
