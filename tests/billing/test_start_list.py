"""The list that a billing manager begins with."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from orgs.models import Membership, Organization
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

TITLE = "To begin with"


@pytest.fixture
def client(billing_manager: Membership, sign_in: SignIn) -> Client:
    return sign_in(billing_manager)


def page_of(client: Client, organization: Organization) -> str:
    return text_of(client.get(billing_url(organization))).replace("\N{NO-BREAK SPACE}", " ")


def press(client: Client, organization: Organization, noted: str) -> str:
    """Where the press leads."""
    answer = client.post(billing_url(organization, "start/"), {"looks_at": noted})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_new_billing_manager_reads_what_to_do_first(client: Client, organization: Organization) -> None:
    SubscriptionFactory(organization=organization)
    InvoiceFactory(organization=organization)
    page = page_of(client, organization)
    assert f"{TITLE} 0 of 4 done." in page
    assert "1 Add a card No card is saved. The next charge is on 1 December 2026. Add card" in page
    assert "3 See the next charge What comes on 1 December 2026" in page
    assert "4 Look at the invoices" in page


@pytest.mark.parametrize("subscriptions", [0, 1])
def test_the_card_is_asked_for_once(subscriptions: int, client: Client, organization: Organization) -> None:
    SubscriptionFactory.create_batch(subscriptions, organization=organization)
    html = client.get(billing_url(organization)).content.decode()
    assert html.count(f'action="{billing_url(organization, "card/")}"') == 1
    assert html.count("button primary") == 1
    press(client, organization, "start.hidden")
    html = client.get(billing_url(organization)).content.decode()
    assert html.count(f'action="{billing_url(organization, "card/")}"') == 1
    assert html.count("button primary") == 1


def test_a_card_that_somebody_else_saved_counts(client: Client, organization: Organization) -> None:
    SubscriptionFactory(organization=organization)
    BillingAccountFactory(organization=organization)
    page = page_of(client, organization)
    assert f"{TITLE} 1 of 3 done." in page
    assert "Done Add a card Saved: Visa ending 4242." in page


def test_no_card_is_asked_for_where_invoices_are_sent(client: Client, organization: Organization) -> None:
    SubscriptionFactory(organization=organization, charged_automatically=False)
    assert "None is needed: invoices are paid by bank transfer." in page_of(client, organization)


def test_what_was_looked_at_is_done_and_all_done_ends_the_list(
    client: Client, organization: Organization
) -> None:
    SubscriptionFactory(organization=organization)
    BillingAccountFactory(organization=organization, address={"country": "NL"})
    InvoiceFactory(organization=organization)
    assert press(client, organization, "start.next_charge") == billing_url(organization) + "#next-charge"
    assert f"{TITLE} 3 of 4 done." in page_of(client, organization)
    assert press(client, organization, "start.invoices") == billing_url(organization, "invoices/")
    assert TITLE not in page_of(client, organization)


def test_it_is_hidden_for_the_person_who_hides_it_alone(
    client: Client, organization: Organization, sign_in: SignIn, billing_manager: Membership
) -> None:
    other = MembershipFactory(organization=organization, role=billing_manager.role)
    assert press(client, organization, "start.hidden") == billing_url(organization)
    assert TITLE not in page_of(client, organization)
    assert TITLE in page_of(sign_in(other), organization)


def test_pressed_twice_it_is_noted_once(
    client: Client, organization: Organization, billing_manager: Membership
) -> None:
    for _time in range(2):
        press(client, organization, "start.invoices")
    billing_manager.refresh_from_db()
    assert billing_manager.dismissed == ["start.invoices"]


@pytest.mark.parametrize("noted", ["", "start.nothing", "x" * 5_000, "a\0b"])
def test_nothing_else_can_be_noted(
    noted: str, client: Client, organization: Organization, billing_manager: Membership
) -> None:
    press(client, organization, noted)
    billing_manager.refresh_from_db()
    assert billing_manager.dismissed == []


def test_an_admin_has_no_such_list(admin: Membership, sign_in: SignIn) -> None:
    SubscriptionFactory(organization=admin.organization)
    page = page_of(sign_in(admin), admin.organization)
    assert TITLE not in page
    assert "No card is saved. The next charge is on 1 December 2026. Add card" in page


def test_a_card_that_what_is_owed_asks_for_is_asked_for_there(
    client: Client, organization: Organization
) -> None:
    InvoiceFactory(organization=organization, status="open", payment_status="failed")
    html = client.get(billing_url(organization)).content.decode()
    assert html.count(f'action="{billing_url(organization, "card/")}"') == 1
    assert "1 Add a card No card is saved." in page_of(client, organization)


def test_what_is_owed_leads_the_page(client: Client, organization: Organization) -> None:
    SubscriptionFactory(organization=organization)
    InvoiceFactory(organization=organization, status="open", payment_status="failed")
    html = client.get(billing_url(organization)).content.decode()
    assert html.index('id="due-title"') < html.index('id="start-title"')
    assert html.count("button primary") == 1


def test_a_trial_that_ends_without_a_card_is_told_in_the_list(
    client: Client, organization: Organization
) -> None:
    SubscriptionFactory(
        organization=organization,
        status="trialing",
        trial_without_method="cancel",
        trial_end=datetime(2026, 12, 9, tzinfo=UTC),
    )
    page = page_of(client, organization)
    assert page.count("The subscription ends on 9 December 2026 unless a card is saved.") == 1
