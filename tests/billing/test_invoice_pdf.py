"""An invoice's PDF comes through us: from Stripe's hosts alone, whole or not at all, and in bounded time."""

import time
from collections.abc import Iterator

import pytest
import requests
import structlog
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from billing import gateway
from billing.gateway import patience, pdf
from billing.models import BillingAccount, Invoice
from orgs.models import Membership
from tests.billing.factories import InvoiceFactory
from tests.billing.file_server import PDF, Answer, FileServer, file_server
from tests.billing.test_missing_scopes import withhold
from tests.billing.world import StripeWorld
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

TRICKLE_SECONDS = 30


@pytest.fixture
def files(settings: LazySettings) -> Iterator[FileServer]:
    with file_server() as server:
        settings.STRIPE_API_BASE = server.url
        server.answers["/pdf"] = Answer(PDF)
        yield server


@pytest.fixture(autouse=True)
def breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the test's own, so that those who wait in vain here keep nobody out elsewhere."""
    monkeypatch.setattr(patience, "_breaker", patience.Breaker())


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def fetch(client: Client, invoice: Invoice) -> HttpResponse:
    return client.get(f"/orgs/{invoice.organization.slug}/settings/billing/invoices/{invoice.pk}/pdf/")


def invoice_of(admin: Membership, **fields: str) -> Invoice:
    invoice: Invoice = InvoiceFactory(organization=admin.organization, **{"pdf_url": "", **fields})
    return invoice


def test_the_file_comes_and_no_address_of_it(
    admin: Membership, client: Client, stripe: StripeWorld, account: BillingAccount
) -> None:
    made = stripe.invoice(account)
    invoice = invoice_of(admin, stripe_id=made.id, number=made.number, pdf_url="https://old.example/expired")
    response = fetch(client, invoice)
    assert response.status_code == 200
    assert response.getvalue().startswith(b"%PDF-")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'attachment; filename="Invoice-{made.number}.pdf"'
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert "Location" not in response
    pages = [
        client.get(f"/orgs/{admin.organization.slug}/settings/billing/{rest}").content.decode()
        for rest in ["", "invoices/", f"invoices/{invoice.pk}/"]
    ]
    assert not any(address in page for address in (invoice.pdf_url, made.invoice_pdf) for page in pages)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ('A/../B"\r\nX: y', '"Invoice-A..BX_y.pdf"'),
        ("Rechnung 7 für Käse", "utf-8''Invoice-Rechnung_7_f%C3%BCr_K%C3%A4se.pdf"),
    ],
)
def test_whatever_the_number_the_file_has_a_safe_name(
    number: str, name: str, admin: Membership, client: Client, files: FileServer
) -> None:
    response = fetch(client, invoice_of(admin, number=number))
    assert response["Content-Disposition"].endswith(name)
    assert response.getvalue() == PDF


def test_while_the_api_fails_the_file_is_at_the_address_that_we_know(
    admin: Membership, client: Client, files: FileServer
) -> None:
    invoice = invoice_of(admin, pdf_url=f"{files.url}/known")
    files.answers |= {f"/v1/invoices/{invoice.stripe_id}": Answer(b"{}", 503), "/known": Answer(PDF)}
    assert fetch(client, invoice).getvalue() == PDF


def test_without_any_address_it_is_explained(admin: Membership, client: Client) -> None:
    invoice = invoice_of(admin)
    response = fetch(client, invoice)
    assert response.status_code == 503
    assert f"The PDF of invoice {invoice.number} can" in response.content.decode()


def test_a_missing_scope_is_not_told_as_an_outage(
    admin: Membership, client: Client, stripe: StripeWorld, settings: LazySettings
) -> None:
    withhold(stripe, "rak_invoice_read", path="/v1/invoices/*")
    page = fetch(client, invoice_of(admin, pdf_url="https://files.stripe.com/expired")).content.decode()
    assert f"only support can add it: write to {settings.SUPPORT_EMAIL}." in page
    assert "does not answer" not in page


def test_a_redirect_on_the_same_host_is_followed(
    admin: Membership, client: Client, files: FileServer
) -> None:
    files.answers |= {"/pdf": Answer(status=302, location="/file"), "/file": Answer(PDF)}
    assert fetch(client, invoice_of(admin)).getvalue() == PDF


def test_a_redirect_elsewhere_is_not_followed_and_told_to_staff(
    admin: Membership, client: Client, files: FileServer
) -> None:
    with file_server() as elsewhere, structlog.testing.capture_logs() as logs:
        elsewhere.answers["/pdf"] = Answer(PDF)
        files.answers["/pdf"] = Answer(status=302, location=f"{elsewhere.url}/pdf")
        assert fetch(client, invoice_of(admin)).status_code == 503
        host = elsewhere.url.removeprefix("http://")
    assert not elsewhere.asked
    assert [line["host"] for line in logs if line["event"] == "stripe_pdf_elsewhere"] == [host]


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.stripe.com/invoice.pdf",
        "https://pay.stripe.com.evil.example/invoice.pdf",
        "https://evil.example/pay.stripe.com",
        "https://pay.stripe.com@evil.example/",
        "https://pay.stripe.com:8443/",
        "https://evil.example\\@pay.stripe.com/",
        "//evil.example/",
        "file:///etc/passwd",
    ],
)
def test_only_stripes_hosts_are_asked(
    url: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STRIPE_API_BASE = ""
    monkeypatch.setattr(requests, "get", lambda *_args, **_options: pytest.fail("It was asked."))
    with pytest.raises(gateway.GatewayUnavailable, match="STRIPE_FILE_HOSTS"):
        pdf._fetch(url)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>Sign in</html>"),
        Answer(PDF, status=403),
        Answer(PDF, length=len(PDF) + 1),
        Answer(PDF + b"x" * pdf.LARGEST),
        Answer(status=302, location="/pdf"),
    ],
    ids=["no_pdf", "refused", "broken_off", "too_large", "in_a_circle"],
)
def test_what_is_no_whole_pdf_is_not_passed_on(
    answer: Answer, admin: Membership, client: Client, files: FileServer
) -> None:
    files.answers["/pdf"] = answer
    assert fetch(client, invoice_of(admin)).status_code == 503


@pytest.mark.slow
def test_a_trickle_ends_with_the_persons_patience(
    admin: Membership, client: Client, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 1.0)
    files.answers["/pdf"] = Answer(PDF[:1000], seconds=TRICKLE_SECONDS)
    began = time.monotonic()
    assert fetch(client, invoice_of(admin)).status_code == 503
    assert time.monotonic() - began < TRICKLE_SECONDS / 2


def test_a_trickle_that_nobody_waits_for_any_more_ends_too(
    files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread is one of the few that ask Stripe for people."""
    monkeypatch.setattr(pdf, "PATIENCE_SECONDS", 0.3)
    files.answers["/pdf"] = Answer(PDF[:1000], seconds=TRICKLE_SECONDS)
    began = time.monotonic()
    with pytest.raises(gateway.GatewayUnavailable):
        pdf._fetch(f"{files.url}/pdf")
    assert time.monotonic() - began < TRICKLE_SECONDS / 2
