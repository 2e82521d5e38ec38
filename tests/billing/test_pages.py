"""Who may open the pages of billing, and what lists and an invoice agree on."""

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.invoice_states import state_of
from billing.models import Invoice, InvoiceStatus, PaymentStatus
from billing.selectors import PAGE_SIZE, InvoiceFilter, invoice_list
from orgs.models import Membership, Organization
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

# Session, person, organization with membership: what every request reads.
EVERY_REQUEST = 3


@pytest.fixture(autouse=True)
def stripe_is_down(settings: LazySettings) -> None:
    """No page needs Stripe: here nothing answers. Tests with the ``stripe`` fixture have one."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


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


@pytest.mark.parametrize("rows", [1, PAGE_SIZE + 1])
def test_the_invoice_pages_take_few_statements_however_many_rows(
    rows: int, admin: Membership, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _row in range(rows):
        InvoiceFactory(organization=admin.organization)
    client = sign_in(admin)
    with django_assert_max_num_queries(EVERY_REQUEST + 3):
        client.get(billing_url(admin.organization, "invoices/"))
    invoice = Invoice.objects.first()
    assert invoice is not None
    with django_assert_max_num_queries(EVERY_REQUEST + 1):
        client.get(billing_url(admin.organization, f"invoices/{invoice.pk}/"))
