"""Every kind of mail: other people's words are no links in it, and it looks right in every mail program."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html.parser import HTMLParser
from itertools import product

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from accounts.mails import NOTICES
from accounts.models import User
from invitations.models import Invitation
from orgs.models import AccessRequest, Organization
from orgs.policy import Role
from outbox import registry
from outbox.delivery import _message
from outbox.inert import GAP
from outbox.models import OutgoingEmail
from outbox.registry import RenderedMail, renderer_of
from tests.billing.factories import InvoiceFactory, PaymentMethodFactory
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.hooks.factories import EndpointFactory
from tests.invitations.factories import InvitationFactory
from tests.linkifiers import links, words_and_addresses
from tests.sampling import sampled
from tests.tokens.factories import AccessTokenFactory

pytestmark = pytest.mark.django_db

Params = dict[str, object]


def of_invitation(text: str) -> Params:
    invitation = InvitationFactory(invited_by_name=text)
    Organization.objects.filter(pk=invitation.organization_id).update(name=text, invitation_max_age_days=14)
    Invitation.objects.filter(pk=invitation.pk).update(email="lee@ledger.test")
    return {"invitation_id": str(invitation.pk), "generation": invitation.generation}


def of_person(text: str) -> User:
    user = UserFactory(email="lee@ledger.test", verified=False)
    User.objects.filter(pk=user.pk).update(name=text)
    return user


def of_notice(text: str) -> Params:
    """Its longest: with every address and a browser that nobody knows."""
    addresses = dict.fromkeys(("from_email", "to_email", "deleted_email"), text)
    at = "2026-11-25T10:02:00+00:00"
    return {"notice": "account/email/email_changed", "at": at, "ip": "", "user_agent": text, **addresses}


def of_request(text: str) -> Params:
    organization = OrganizationFactory()
    Organization.objects.filter(pk=organization.pk).update(name=text)
    reader, person = (
        MembershipFactory(organization=organization, role=role) for role in (Role.ADMIN, Role.MEMBER)
    )
    User.objects.filter(pk=reader.user_id).update(email="lee@ledger.test")
    User.objects.filter(pk=person.user_id).update(name=text)
    at = timezone.now()
    AccessRequest.objects.create(membership=person, permission="members.invite", asked_at=at, mail_at=at)
    return {"organization_id": organization.pk, "mail_at": at.isoformat()}


def of_near_last_day(text: str) -> Params:
    person = MembershipFactory(role=Role.BILLING_MANAGER, last_day=date(2027, 3, 31))
    User.objects.filter(pk=person.user_id).update(name=text)
    return {
        "organization_id": person.organization_id,
        "organization": text,
        "slug": "acme",
        "membership_id": str(person.pk),
        "last_day": "2027-03-31",
        "own": False,
    }


def of_near_closing(text: str) -> Params:
    organization = OrganizationFactory(closes_after=date(2027, 3, 31))
    return {
        "organization_id": organization.pk,
        "organization": text,
        "slug": "acme",
        "last_day": "2027-03-31",
    }


def of_surplus(text: str) -> Params:
    invitation = InvitationFactory()
    return {
        "organization_id": invitation.organization_id,
        "organization": text,
        "slug": "acme",
        "invitation_ids": str(invitation.pk),
        "edition": "team-growth",
        "limit": 1,
    }


def of_webhook(text: str) -> Params:
    endpoint = EndpointFactory(off_because="failing")
    reader = MembershipFactory(organization=endpoint.organization, role=Role.ADMIN)
    User.objects.filter(pk=reader.user_id).update(email="lee@ledger.test")
    ids = {"organization_id": endpoint.organization_id, "endpoint_id": str(endpoint.pk)}
    return {**ids, "organization": text, "slug": "acme", "host": "hooks.ledger.test", "because": "failing"}


def in_words(**codes: object) -> Callable[[str], Params]:
    """``codes``: what is no text of somebody's. Each other param that any mail has is the given text."""
    people, things = ("actor", "person", "inviter"), ("organization", "invoice", "token", "program")
    names = (*people, *things, "message", "method_brand")
    return lambda text: {**dict.fromkeys(names, text), "slug": "acme", **codes}


def of_confirmation(text: str) -> Params:
    invoice = InvoiceFactory(status="open", payment_status="requires_action")
    return in_words(invoice_id=str(invoice.pk), amount=5825, currency="usd")(text)


def of_failed_payment(text: str) -> Params:
    invoice = InvoiceFactory(status="open", next_attempt_at=datetime(2026, 12, 4, tzinfo=UTC))
    codes = {"amount": 5825, "currency": "usd", "reason": "insufficient_funds"}
    return in_words(invoice_id=str(invoice.pk), **codes)(text)


def of_issued_invoice(text: str) -> Params:
    invoice = InvoiceFactory(status="open", hosted_url=f"{HOSTED}in_1")
    return in_words(invoice_id=str(invoice.pk), amount=5825, currency="usd")(text)


def of_expiring_method(text: str) -> Params:
    method = PaymentMethodFactory(kind="sepa_debit", brand=text[:50])
    return in_words(method_id=str(method.pk), exp_month=12, exp_year=2040)(text)


def of_expiring_token(text: str) -> Params:
    token = AccessTokenFactory()
    return in_words(token_id=str(token.pk), token_kind="organization", expires="2027-02-24T00:00:00+00:00")(
        text
    )


HOSTED = "https://invoice.stripe.test/"
SAMPLES: dict[str, Callable[[str], Params]] = {
    "role_changed": in_words(old="member", new="billing_manager", granted="billing.view"),
    "access_answered": in_words(permissions="members.invite", granted=False),
    "membership_removed": in_words(role="member"),
    "signed_out": in_words(),
    "admin_asked": in_words(proof="register", reference="HRB 1", ticket="48213", address="lee@ledger.test"),
    "admin_granted": in_words(proof="register", reference="HRB 1", ticket="48213", address="lee@ledger.test"),
    "closing_begun": in_words(last_day="2027-03-31"),
    "closing_undone": in_words(),
    "closing_nears": of_near_closing,
    "organization_closed": in_words(),
    "last_day_nears": of_near_last_day,
    "last_day_passed": in_words(role="billing_viewer", last_day="2027-03-31"),
    "access_requested": of_request,
    "webhook_off": of_webhook,
    "invitation_sent": of_invitation,
    "invitation_accepted": in_words(role="billing_manager", email="lee@ledger.test"),
    "invitation_declined": in_words(role="billing_manager"),
    "invitation_revoked": in_words(role="billing_manager"),
    "invitation_ended": in_words(role="billing_manager", reason="edition"),
    "invitation_asked": in_words(role="billing_manager", email="lee@ledger.test"),
    "surplus_invitations": of_surplus,
    "token_made": in_words(token_kind="personal", expires="2027-02-24T00:00:00+00:00"),
    "token_revoked": in_words(token_kind="personal", expires="2027-02-24T00:00:00+00:00"),
    "program_allowed": in_words(),
    "program_disconnected": in_words(),
    "token_expires": of_expiring_token,
    "card_updated": in_words(own=False, method_kind="sepa_debit", method_last4="4242"),
    "payment_failed": of_failed_payment,
    "confirmation_needed": of_confirmation,
    "plan_changed": in_words(
        own=False,
        outcome="made",
        edition="team-pro",
        seats=5,
        charged=5825,
        period_total=5825,
        currency="usd",
        interval="month",
        day="2026-12-04",
    ),
    "credits_bought": in_words(
        own=False, credits=2_000_000, expires="2027-06-20", invoice="ACME-0003", amount=5825, currency="usd"
    ),
    "credits_expire": in_words(credits=1_200_000, expires="2037-06-20"),
    "subscription_started": in_words(own=False, edition="enterprise-growth"),
    "subscription_ending": in_words(own=False, ends="2027-06-20"),
    "subscription_kept": in_words(own=False, renews="2027-06-20"),
    "invoice_issued": of_issued_invoice,
    "method_expires": of_expiring_method,
    "act_failed": in_words(
        act="change_plan", code="declined", reason="insufficient_funds", asked="2026-12-04"
    ),
    "details_changed": in_words(own=False, role="billing_manager", by_portal=False, parts="name,tax_id"),
    "payment_link_asked": in_words(),
    "threshold_reached": in_words(
        credits_percent=100,
        credits_used=150_000,
        credits_most=150_000,
        budget_percent=80,
        budget_used=5825,
        budget_most=7000,
        ends="2026-12-04",
        stops_at="budget",
    ),
    "card_added_by_link": in_words(method_kind="sepa_debit", method_last4="4242"),
    "account_notice": of_notice,
    "account_already_exists": lambda _text: {},
    "account_unknown": lambda _text: {},
    "account_deleted": lambda _text: {"language": ""},
    "account_email_confirmation": lambda text: {
        "email_address_id": EmailAddress.objects.get(user=of_person(text)).pk
    },
    "account_password_reset": lambda text: {"user_id": str(of_person(text).pk)},
}
WITHOUT_BUTTON = {
    "membership_removed",
    "last_day_passed",
    "organization_closed",
    "invitation_declined",
    "invitation_revoked",
    "invitation_ended",
    "invoice_issued",
}


def kinds() -> Iterator[str]:
    """The portal's; tests have one of their own."""
    for code, kind in registry._kinds.items():
        if not kind.write.__module__.startswith("tests."):
            yield code


def sample(kind: str, text: str = "Mira Okafor") -> OutgoingEmail:
    params = SAMPLES[kind](text)
    organization_id = params.pop("organization_id", None)
    return OutgoingEmail(kind=kind, to="lee@ledger.test", organization_id=organization_id, params=params)


def rendered(kind: str, text: str = "Mira Okafor") -> RenderedMail:
    return renderer_of(kind)(sample(kind, text))


def as_received(mail: RenderedMail) -> EmailMessage:
    email = OutgoingEmail(kind="any", to="lee@ledger.test", message_id="<1@portal.test>")
    raw = _message(email, mail).message().as_bytes()
    return BytesParser(EmailMessage, policy=default).parsebytes(raw)


def test_every_kind_has_a_sample() -> None:
    assert set(kinds()) == set(SAMPLES)


HOSTILE = [
    "evil.example",
    "Account locked. Visit evil-login.com",
    "x@evil.example",
    "例え。テスト",
    "пример。рф",
    "evil．example",
    "mailto:x@evil.example",
    "https://evil.example/login",
    "10.0.0.1",
    "evil.example:8080",
    "[2001:db8::1]",
]


# What the portal writes itself: its addresses and Stripe's, the reader's, a proven one, an amount, a time.
OURS = re.compile(
    rf"{settings.SITE_URL}/\S*|{HOSTED}\S*|{re.escape(settings.SUPPORT_EMAIL)}|lee@ledger\.test|\$\d\d\.\d\d"
    r"|\d\d:\d\d UTC"
)
WITHOUT_OTHERS = {
    "account_deleted",
    "account_already_exists",
    "account_email_confirmation",
    "account_password_reset",
    "account_unknown",
}


@pytest.mark.parametrize(("kind", "text"), sampled(list(product(SAMPLES, HOSTILE)), every=7))
def test_other_peoples_words_are_no_links_in_any_mail(kind: str, text: str) -> None:
    mail = rendered(kind, text)
    words, addresses = words_and_addresses(mail.html)
    assert all(OURS.fullmatch(address.removeprefix("mailto:")) for address in addresses)
    for part in (mail.subject, mail.text, words):
        assert not links(OURS.sub("", part))
    told = text in mail.text.replace(GAP, "")
    assert told is (kind not in WITHOUT_OTHERS), "the words must be there to be judged"


@pytest.mark.parametrize("kind", sampled(list(SAMPLES), every=4))
def test_a_line_break_in_a_name_reaches_no_header(kind: str) -> None:
    received = as_received(rendered(kind, "Acme\r\nBcc: mallory@evil.test\n\nHi"))
    assert received["Bcc"] is None
    assert received["To"] == "lee@ledger.test"
    assert "\n" not in received["Subject"]


class Body(HTMLParser):
    """The mail's elements with the styles they carry; ``preheader``, ``buttons`` and ``texts`` of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.preheader = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][1].get("class") == "preheader" and not self.preheader:
            self.preheader = data.strip()

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _tag, attributes in self.elements if attributes.get("class") == name]


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_mail_carries_its_styles_on_its_elements(kind: str) -> None:
    html = rendered(kind).html
    for tag, attributes in Body(html).elements:
        if "class" in attributes or tag in {"body", "h1", "p", "a", "th", "td"}:
            assert attributes.get("style"), (tag, attributes)
    (kept,) = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    assert "prefers-color-scheme: dark" in kept
    outside_dark_rules = re.sub(
        r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", kept, flags=re.DOTALL
    )
    assert not outside_dark_rules.strip()


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_dark_rule_wins_over_what_was_inlined(kind: str) -> None:
    (kept,) = re.findall(r"<style[^>]*>(.*?)</style>", rendered(kind).html, re.DOTALL)
    declarations = re.findall(r"[\w-]+: [^;{}]+;", kept)
    assert declarations
    assert all("!important" in declaration for declaration in declarations)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_class_has_a_style(kind: str) -> None:
    base = (settings.BASE_DIR / "templates/mail/base.html").read_text()
    for _tag, attributes in Body(rendered(kind).html).elements:
        for name in attributes.get("class", "").split():
            assert f".{name} " in base, name


@pytest.mark.parametrize("kind", SAMPLES)
def test_only_addresses_break_anywhere(kind: str) -> None:
    for _tag, attributes in Body(rendered(kind).html).elements:
        if "break-all" in attributes.get("style", ""):
            assert attributes["class"] == "address"


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_preheader_adds_to_the_subject(kind: str) -> None:
    mail = rendered(kind)
    preheader = Body(mail.html).preheader
    assert preheader
    assert preheader not in mail.subject
    assert mail.subject not in preheader
    assert preheader not in mail.text.splitlines()[:1]


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_mail_has_one_button_and_its_address_in_full(kind: str) -> None:
    mail = rendered(kind)
    body = Body(mail.html)
    buttons = body.with_class("button")
    assert len(buttons) == (0 if kind in WITHOUT_BUTTON else 1)
    for button in buttons:
        words, _addresses = words_and_addresses(mail.html)
        assert button["href"].startswith(settings.SITE_URL + "/")
        assert button["href"] in words
        assert button["href"] in mail.text.split()


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_mail_says_why_one_gets_it_and_whom_to_ask(kind: str) -> None:
    mail = rendered(kind)
    words, addresses = words_and_addresses(mail.html)
    assert f"mailto:{settings.SUPPORT_EMAIL}" in addresses
    for part in (mail.text, words):
        assert part.count("You get this mail because") == 1
        assert f"Questions? Write to {settings.SUPPORT_EMAIL}." in part
        assert "write to us" not in part


@pytest.mark.parametrize("kind", SAMPLES)
def test_inlining_keeps_the_words(kind: str) -> None:
    text = "Zoë & <b>Søn</b> “Ünlü” 👨‍👩‍👧"
    mail = rendered(kind, text)
    assert "{{" not in mail.html + mail.text
    if text in mail.text:
        assert text in words_and_addresses(mail.html)[0]
        assert "<b>" not in mail.html


@pytest.mark.parametrize("notice", NOTICES)
def test_a_security_mail_names_the_browser(notice: str) -> None:
    agent = (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.1 Safari/605.1.15"
    )
    params = {**of_notice("lee@old.test"), "notice": notice, "ip": "192.0.2.7", "user_agent": agent}
    mail = renderer_of("account_notice")(OutgoingEmail(to="lee@ledger.test", params=params))
    for part in (mail.text, words_and_addresses(mail.html)[0]):
        assert "Safari 18 on Mac OS X" in part
        assert "Mozilla" not in part
        assert "25 November 2026, 10:02 UTC" in part.replace("\xa0", " ")
        assert "192.0.2.7" in part


def test_an_unknown_browser_is_cut_short() -> None:
    params = of_notice("x" * 400)
    mail = renderer_of("account_notice")(OutgoingEmail(to="lee@ledger.test", params=params))
    assert max(map(len, re.findall("With the browser: (x+)", mail.text))) == 80
