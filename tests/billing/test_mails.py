"""The mails about money: what happened, by whom, and what to do."""

import pytest

from outbox.models import OutgoingEmail
from outbox.registry import renderer_of

pytestmark = pytest.mark.django_db

FAILED = {
    "organization": "Acme & Sons",
    "slug": "acme",
    "invoice": "ACME-0001",
    "invoice_id": "0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11",
    "amount": 5825,
    "currency": "usd",
    "next_attempt": "2026-12-04",
}
CARD = {
    "organization": "Acme & Sons",
    "slug": "acme",
    "actor": "Mira Okafor",
    "own": False,
    "last4": "4242",
}


def rendered(kind: str, params: dict[str, object]) -> tuple[str, str, str]:
    mail = renderer_of(kind)(OutgoingEmail(kind=kind, to="a@example.test", params=params))
    return mail.subject, mail.text, mail.html


def test_a_failed_payment_says_what_happened_when_again_and_what_to_do() -> None:
    subject, text, html = rendered("payment_failed", FAILED)
    assert subject == "A payment of $58.25 for Acme & Sons failed"
    assert "Stripe could not charge $58.25 for invoice ACME-0001 of Acme & Sons." in text
    assert "It tries again on 4 December 2026." in text
    assert "http://testserver/orgs/acme/settings/billing/\n" in text
    assert f"/orgs/acme/settings/billing/invoices/{FAILED['invoice_id']}/" in text
    assert "Acme &amp; Sons" in html


def test_a_payment_that_failed_for_good_says_so() -> None:
    _subject, text, _html = rendered("payment_failed", {**FAILED, "next_attempt": None})
    assert "It does not try again by itself." in text


def test_a_new_card_names_its_person_to_others() -> None:
    subject, text, html = rendered("card_updated", CARD)
    assert subject == "Mira Okafor updated the card of Acme & Sons"
    assert "the card that Mira Okafor saved, ending 4242" in text
    assert "Mira Okafor" in html


def test_a_new_card_is_confirmed_to_its_person() -> None:
    subject, text, _html = rendered("card_updated", {**CARD, "own": True})
    assert subject == "You updated the card of Acme & Sons"
    assert "the card that you saved, ending 4242" in text
