"""*Billing & usage* and the invoices: what they say, to whom, and that they say it with Stripe down."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.invoice_states import state_of
from billing.models import Invoice, InvoiceStatus, PaymentStatus, Subscription
from billing.selectors import PAGE_SIZE, InvoiceFilter, billing_page, invoice_list
from orgs.models import Membership, Organization
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from usage.services import HourlyReading, record_counts

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
    """No page needs Stripe: here nothing answers. Tests with the ``stripe`` fixture have one."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


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
    page = text_of(client.get(billing_url(organization)))
    assert "Enterprise Growth, invoiced yearly" in page
    assert "Next charge – no subscription" in page
    assert "No card saved" in page
    assert "Add card" in page
    assert "No invoices yet" in page
    assert "as Stripe had them" not in page


def test_the_first_screen_says_what_comes_next_and_when(client: Client, organization: Organization) -> None:
    organization.edition_code, organization.seats = "team-pro", 12
    organization.save()
    SubscriptionFactory(organization=organization)
    BillingAccountFactory(organization=organization)
    InvoiceFactory(organization=organization)
    page = text_of(client.get(billing_url(organization)))
    assert "Team Pro, invoiced monthly" in page
    assert "Next charge $200.00 on 1 December 2026" in page
    assert "10 × Team Pro seat (at $20.00 / month) $200.00 Subtotal $200.00 Total $200.00" in page
    assert "Billing period 1 November 2026 – 1 December 2026" in page
    assert "Renews on 1 December 2026" in page
    assert "Seats 1 of 12 taken" in page
    assert "Visa ending 4242 Expires 12/2040" in page
    assert "All paid last invoice: $58.25 on 1 November 2026" in page


def test_on_demand_credits_stand_beside_the_next_charge(client: Client, organization: Organization) -> None:
    """The design's vector: 450,000 credits on Team Growth cost $75.00, over the subscription's period."""
    organization.edition_code = "team-growth"
    organization.save()
    start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
    SubscriptionFactory(organization=organization, period_start=start, period_end=start + timedelta(days=365))
    for hour in (start, start - timedelta(hours=1)):
        record_counts(
            organization_id=organization.pk,
            counts=[HourlyReading(stack="app", hour=hour, resources=450_000)],
        )
    page = text_of(client.get(billing_url(organization)))
    assert "Next charge $200.00 on 1 December 2026" in page
    assert "Credits used 450,000 since" in page
    assert "300,000 more were used: about $75.00 before tax, by our count." in page


def test_a_failed_payment_is_told_first_with_what_to_do(client: Client, organization: Organization) -> None:
    BillingAccountFactory(organization=organization)
    invoice = InvoiceFactory(
        organization=organization,
        status="open",
        attempt_count=1,
        payment_status="failed",
        failure_code="insufficient_funds",
        next_attempt_at=datetime(2026, 12, 4, tzinfo=UTC),
    )
    page = text_of(client.get(billing_url(organization)))
    assert (
        f"$58.25 for invoice {invoice.number} could not be charged: "
        "there was not enough money in the account." in page
    )
    assert "Stripe tries again on 4 December 2026" in page
    assert "Payment failed" in page


def test_an_unpaid_invoice_is_told_of_though_newer_ones_are_paid(
    client: Client, organization: Organization
) -> None:
    unpaid = InvoiceFactory(
        organization=organization, status="open", created_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    for _newer in range(6):
        InvoiceFactory(organization=organization)
    page = text_of(client.get(billing_url(organization)))
    assert f"invoice {unpaid.number} is to be paid" in page
    assert "Payments $58.25 to be paid now" in page


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(10, "Visa ending 4242 expires on"), (-40, "Visa ending 4242 expired on")],
)
def test_a_card_that_runs_out_is_told_of(
    days: int, sentence: str, client: Client, organization: Organization
) -> None:
    month = timezone.now() + timedelta(days=days)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    assert sentence in text_of(client.get(billing_url(organization)))


def test_a_missing_card_is_told_of_when_a_charge_is_near(client: Client, organization: Organization) -> None:
    SubscriptionFactory(organization=organization)
    page = text_of(client.get(billing_url(organization)))
    assert "No card is saved. The next charge is on 1 December 2026." in page


@pytest.mark.parametrize(
    ("ends", "day"),
    [
        ({"cancel_at_period_end": True}, "1 December 2026"),
        ({"cancel_at": datetime(2026, 11, 25, tzinfo=UTC)}, "25 November 2026"),
    ],
)
def test_a_subscription_that_ends_is_not_charged_again(
    client: Client, organization: Organization, ends: dict[str, object], day: str
) -> None:
    ending = {**SubscriptionFactory.build().preview, "missing": "invoice_upcoming_none", "document": None}
    SubscriptionFactory(organization=organization, preview=ending, **ends)
    page = text_of(client.get(billing_url(organization)))
    assert f"Ends on {day}" in page
    assert "Next charge None: the subscription ends." in page


def test_members_may_not_open_billing(
    member: Membership, organization: Organization, sign_in: SignIn
) -> None:
    invoice = InvoiceFactory(organization=organization)
    for rest in ["", "invoices/", f"invoices/{invoice.pk}/", f"invoices/{invoice.pk}/pdf/", "card/return/"]:
        assert sign_in(member).get(billing_url(organization, rest)).status_code == 403


def test_billing_managers_see_billing_but_no_mail_address_of_an_admin(
    admin: Membership, billing_manager: Membership, organization: Organization, sign_in: SignIn
) -> None:
    BillingAccountFactory(organization=organization)
    response = sign_in(billing_manager).get(billing_url(organization))
    assert "Visa ending 4242" in text_of(response)
    assert admin.user.email not in response.content.decode()
    assert admin.user.name not in response.content.decode()


def test_another_organizations_invoice_is_not_found(client: Client, organization: Organization) -> None:
    foreign = InvoiceFactory()
    for rest in ["", "pdf/"]:
        assert client.get(billing_url(organization, f"invoices/{foreign.pk}/{rest}")).status_code == 404
    assert foreign.number not in text_of(client.get(billing_url(organization, "invoices/")))


@pytest.mark.parametrize("status", ["draft", "deleted"])
def test_drafts_are_nobodys_business_yet(status: str, client: Client, organization: Organization) -> None:
    draft = InvoiceFactory(organization=organization, status=status)
    assert client.get(billing_url(organization, f"invoices/{draft.pk}/")).status_code == 404
    for rest in ["", "invoices/"]:
        assert draft.number not in text_of(client.get(billing_url(organization, rest)))


@pytest.mark.parametrize("status", InvoiceStatus)
@pytest.mark.parametrize("charged_automatically", [True, False])
@pytest.mark.parametrize("payment_status", PaymentStatus)
def test_lists_and_the_invoice_agree_on_what_is_shown_and_its_state(
    status: InvoiceStatus,
    charged_automatically: bool,
    payment_status: PaymentStatus,
    organization: Organization,
) -> None:
    InvoiceFactory(
        organization=organization,
        status=status,
        charged_automatically=charged_automatically,
        payment_status=payment_status,
        number="",
    )
    listed = invoice_list(organization, InvoiceFilter()).rows
    expected = [(row.pk, str(row), state_of(row)) for row in Invoice.objects.issued()]
    assert [(row.id, str(row), row.state) for row in listed] == expected
    assert bool(expected) is (status not in {InvoiceStatus.DRAFT, InvoiceStatus.DELETED})


def test_without_any_address_the_missing_pdf_is_explained(client: Client, organization: Organization) -> None:
    invoice = InvoiceFactory(organization=organization, pdf_url="")
    response = client.get(billing_url(organization, f"invoices/{invoice.pk}/pdf/"))
    assert response.status_code == 503
    assert f"The PDF of invoice {invoice.number} can't be opened now" in text_of(response)


@pytest.mark.parametrize("edition", ["team-growth", "team-pro", "enterprise-growth"])
@pytest.mark.parametrize("rows", [1, 12])
def test_the_billing_page_takes_few_statements_however_many_rows(
    rows: int,
    edition: str,
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
        InvoiceFactory(organization=organization, status="open" if number % 2 else "paid")
    client = sign_in(admin)
    with django_assert_max_num_queries(EVERY_REQUEST + PAGE_BUDGET):
        assert client.get(billing_url(organization)).status_code == 200


@pytest.mark.parametrize("rows", [1, PAGE_SIZE + 1])
def test_the_invoice_pages_take_two_statements_however_many_rows(
    rows: int, admin: Membership, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _row in range(rows):
        InvoiceFactory(organization=admin.organization)
    client = sign_in(admin)
    with django_assert_max_num_queries(EVERY_REQUEST + 2):
        client.get(billing_url(admin.organization, "invoices/"))
    invoice = Invoice.objects.first()
    assert invoice is not None
    with django_assert_max_num_queries(EVERY_REQUEST + 1):
        client.get(billing_url(admin.organization, f"invoices/{invoice.pk}/"))
