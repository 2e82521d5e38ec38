"""The mails about money: what happened, by whom, and what to do."""

from datetime import UTC, datetime

import pytest

from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, renderer_of
from tests.billing.factories import InvoiceFactory

pytestmark = pytest.mark.django_db

FAILED = {
    "organization": "Acme & Sons",
    "slug": "acme",
    "invoice": "ACME-0001",
    "invoice_id": "0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11",
    "amount": 5825,
    "currency": "usd",
    "reason": "insufficient_funds",
}
CARD = {
    "organization": "Acme & Sons",
    "slug": "acme",
    "actor": "Mira Okafor",
    "own": False,
    "method_kind": "card",
    "method_brand": "visa",
    "method_last4": "4242",
}


def rendered(kind: str, params: dict[str, object]) -> tuple[str, str, str]:
    mail = renderer_of(kind)(OutgoingEmail(kind=kind, to="a@example.test", params=params))
    return mail.subject, mail.text, mail.html


def of_unpaid_invoice(*, next_attempt_at: datetime | None = None) -> dict[str, object]:
    invoice = InvoiceFactory(status="open", next_attempt_at=next_attempt_at)
    return {**FAILED, "invoice_id": str(invoice.pk)}


def test_a_failed_payment_says_what_happened_when_again_and_what_to_do() -> None:
    failed = of_unpaid_invoice(next_attempt_at=datetime(2026, 12, 4, tzinfo=UTC))
    subject, text, html = rendered("payment_failed", failed)
    assert subject == "A payment of $58.25 for Acme & Sons failed"
    assert (
        "Stripe could not charge $58.25 for invoice ACME-0001 of Acme & Sons: "
        "there was not enough money in the account."
    ) in text
    assert "It tries again on 4 December 2026." in text
    assert "http://testserver/orgs/acme/settings/billing/\n" in text
    assert f"/orgs/acme/settings/billing/invoices/{failed['invoice_id']}/" in text
    assert "Acme &amp; Sons" in html


def test_a_payment_that_failed_for_good_says_so() -> None:
    _subject, text, _html = rendered("payment_failed", of_unpaid_invoice())
    assert "It does not try again by itself." in text


def test_of_an_invoice_that_was_paid_meanwhile_no_mail_says_that_the_payment_failed() -> None:
    invoice = InvoiceFactory(status="paid")
    with pytest.raises(NoLongerNeeded):
        rendered("payment_failed", {**FAILED, "invoice_id": str(invoice.pk)})


def test_a_payment_that_needs_a_person_does_not_read_as_failed() -> None:
    invoice = InvoiceFactory(status="open", payment_status="requires_action")
    subject, text, _html = rendered("confirmation_needed", {**FAILED, "invoice_id": str(invoice.pk)})
    assert subject == "Confirm a payment of $58.25 for Acme & Sons"
    assert "to confirm the payment of $58.25 for invoice ACME-0001 of Acme & Sons." in text
    assert "Until then nothing is charged." in text
    assert f"/orgs/acme/settings/billing/invoices/{invoice.pk}/" in text
    assert "failed" not in subject + text


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "paid", "payment_status": ""},
        {"status": "open", "payment_status": "processing"},
        {"status": "void"},
    ],
)
def test_a_payment_that_somebody_has_confirmed_is_mailed_to_nobody(fields: dict[str, str]) -> None:
    invoice = InvoiceFactory(**{"payment_status": "requires_action", **fields})
    with pytest.raises(NoLongerNeeded):
        rendered("confirmation_needed", {**FAILED, "invoice_id": str(invoice.pk)})


def test_a_new_card_names_its_person_to_others() -> None:
    subject, text, html = rendered("card_updated", CARD)
    assert subject == "Mira Okafor updated the card of Acme & Sons"
    assert "Mira Okafor chose Visa ending 4242. It pays the invoices of Acme & Sons from now on." in text
    assert "Mira Okafor" in html


def test_a_new_card_is_confirmed_to_its_person() -> None:
    subject, text, _html = rendered("card_updated", {**CARD, "own": True})
    assert subject == "You updated the card of Acme & Sons"
    assert "You chose Visa ending 4242. It pays the invoices of Acme & Sons from now on." in text


def test_a_method_without_a_number_is_named_by_its_kind_alone() -> None:
    link = {**CARD, "method_kind": "link", "method_brand": "", "method_last4": ""}
    _subject, text, _html = rendered("card_updated", link)
    assert "Mira Okafor chose Link. It pays" in text
