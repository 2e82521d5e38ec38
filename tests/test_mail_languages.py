"""Every mail speaks its reader's language, whatever the language of those who caused it; rows hold codes."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.template import engines
from django.utils import timezone, translation

from accounts import mails as account_mails
from accounts.models import User
from audit.models import AuditEvent
from billing.closings import closing_version
from billing.limits import Use
from billing.models import BillingAccount, Invoice, StripeOperation, Subscription
from billing.notices import (
    tell_of_bought_credits,
    tell_of_changed_details,
    tell_of_ending_subscription,
    tell_of_expiring_credits,
    tell_of_expiring_method,
    tell_of_failed_act,
    tell_of_failed_payment,
    tell_of_issued_invoice,
    tell_of_kept_subscription,
    tell_of_needed_confirmation,
    tell_of_new_card,
    tell_of_plan_change,
    tell_of_reached_thresholds,
    tell_of_started_subscription,
)
from billing.operations.closing import close_organization
from credits.models import Grant
from credits.selectors import PeriodCredits
from hooks.failing import switch_off
from hooks.models import OffBecause
from invitations import services as invitations
from orgs import dates
from orgs import services as organizations
from orgs.access_requests import refuse_access, request_access
from orgs.account_deletion import delete_account
from orgs.closing import remind_of_closing
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role
from orgs.terms import follow_subscription
from orgs.usage_limits import Limit
from outbox.models import OutgoingEmail
from outbox.registry import RenderedMail, renderer_of
from support.admin_requests import ask_for_admin, grant_admin
from support.models import Proof
from support.principals import staff_in
from tests.billing.factories import PaymentMethodFactory
from tests.factories import MembershipFactory, UserFactory
from tests.hooks.factories import EndpointFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.languages import use_catalogue
from tests.support.factories import StaffSessionFactory
from tests.test_mails import SAMPLES, sample
from tests.tokens.factories import AccessTokenFactory
from tokens import services as tokens

pytestmark = pytest.mark.django_db

FOOT = "No one at our side ever asks for your password."
FOOT_IN_GERMAN = "Niemand bei uns fragt je nach Ihrem Passwort."
GERMAN = {
    FOOT: FOOT_IN_GERMAN,
    "Admin": "Verwalter",
    "Member": "Mitglied",
    "Billing manager": "Rechnungsverwalter",
    "member": "Mitglied",
    "billing manager": "Rechnungsverwalter",
    "invite members": "Mitglieder einladen",
    "legal name": "Firma",
    "change the plan": "den Tarif wechseln",
    "A billing manager": "Ein Rechnungsverwalter",
    "Unknown browser": "Unbekannter Browser",
    "Your email address was changed": "Ihre E-Mail-Adresse wurde geändert",
    "Open Billing & usage": "Abrechnung öffnen",
    "Sign in": "Anmelden",
    "Extract of the commercial register": "Auszug aus dem Handelsregister",
    "Open the webhook": "Webhook öffnen",
}
LABELS = {
    "role_changed": [("Member", "Mitglied"), ("Billing manager", "Rechnungsverwalter")],
    "membership_removed": [("Member", "Mitglied")],
    "signed_out": [("Sign in", "Anmelden")],
    "admin_asked": [("Extract of the commercial register", "Auszug aus dem Handelsregister")],
    "admin_granted": [("Extract of the commercial register", "Auszug aus dem Handelsregister")],
    "webhook_off": [("Open the webhook", "Webhook öffnen")],
    "last_day_nears": [("31 March 2027", "31 März 2027"), ("billing manager", "Rechnungsverwalter")],
    "closing_begun": [("31 March 2027", "31 März 2027")],
    "closing_nears": [("31 March 2027", "31 März 2027")],
    "last_day_passed": [("31 March 2027", "31 März 2027")],
    "access_answered": [("invite members", "Mitglieder einladen")],
    "access_requested": [("invite members", "Mitglieder einladen")],
    "invitation_sent": [("billing manager", "Rechnungsverwalter")],
    "invitation_accepted": [("billing manager", "Rechnungsverwalter")],
    "invitation_declined": [("billing manager", "Rechnungsverwalter")],
    "invitation_revoked": [("billing manager", "Rechnungsverwalter")],
    "invitation_asked": [("billing manager", "Rechnungsverwalter")],
    "invitation_ended": [("billing manager", "Rechnungsverwalter")],
    "surplus_invitations": [("Open Billing & usage", "Abrechnung öffnen")],
    "token_made": [("24 February 2027", "24 Februar 2027")],
    "token_revoked": [("24 February 2027", "24 Februar 2027")],
    "token_expires": [("24 February 2027", "24 Februar 2027")],
    "card_updated": [("Open Billing & usage", "Abrechnung öffnen")],
    "payment_failed": [("$58.25", "58,25 $"), ("4 December 2026", "4 Dezember 2026")],
    "confirmation_needed": [("$58.25", "58,25 $")],
    "plan_changed": [("$58.25", "58,25 $")],
    "credits_bought": [("$58.25", "58,25 $"), ("20 June 2027", "20 Juni 2027")],
    "credits_expire": [("20 June 2037", "20 Juni 2037")],
    "subscription_started": [("Open Billing & usage", "Abrechnung öffnen")],
    "subscription_ending": [("20 June 2027", "20 Juni 2027")],
    "subscription_kept": [("20 June 2027", "20 Juni 2027")],
    "invoice_issued": [("$58.25", "58,25 $")],
    "threshold_reached": [("$58.25", "58,25 $"), ("4 December 2026", "4 Dezember 2026")],
    "act_failed": [("change the plan", "den Tarif wechseln"), ("4 December 2026", "4 Dezember 2026")],
    "details_changed": [("legal name", "Firma"), ("A billing manager", "Ein Rechnungsverwalter")],
    "method_expires": [("31 December 2040", "31 Dezember 2040")],
    "account_notice": [("Your email address was changed", "Ihre E-Mail-Adresse wurde geändert")],
}


@pytest.fixture(autouse=True)
def _german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The portal in two languages; templates keep texts of another test's catalogue otherwise."""
    monkeypatch.setattr(dates, "SEVERAL_LANGUAGES", True)
    loader = engines["django"].engine.template_loaders[0]
    loader.reset()
    with use_catalogue(GERMAN):
        yield
    loader.reset()


def delivered(kind: str, *, caused_in: str, read_in: str) -> RenderedMail:
    with translation.override(caused_in):
        mail = sample(kind)
        User.objects.update_or_create(email=mail.to, defaults={"language": read_in})
        return renderer_of(kind)(mail)


@pytest.mark.parametrize("kind", SAMPLES)
def test_an_english_reader_gets_english(kind: str) -> None:
    mail = delivered(kind, caused_in="de", read_in="en")
    assert '<html lang="en"' in mail.html
    for part in (mail.text, mail.html):
        assert FOOT in part
        assert not [german for german in GERMAN.values() if german in part]
    for english, _german in LABELS.get(kind, []):
        assert english in mail.subject + mail.text


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_german_reader_gets_german(kind: str) -> None:
    mail = delivered(kind, caused_in="en", read_in="de")
    assert '<html lang="de"' in mail.html
    for part in (mail.text, mail.html):
        assert FOOT_IN_GERMAN in part
        assert FOOT not in part
    for _english, german in LABELS.get(kind, []):
        assert german in mail.subject + mail.text


@pytest.mark.parametrize("language", ["", "fr"])
def test_who_has_chosen_no_language_that_there_is_reads_the_sites(language: str) -> None:
    mail = delivered("account_unknown", caused_in="de", read_in=language)
    assert '<html lang="en"' in mail.html


def test_an_address_of_nobodys_gets_the_sites_language() -> None:
    with translation.override("de"):
        mail = renderer_of("account_unknown")(sample("account_unknown"))
    assert '<html lang="en"' in mail.html


def test_every_address_of_a_person_gets_their_language() -> None:
    user = UserFactory(language="de")
    EmailAddress.objects.create(user=user, email="lee@ledger.test")
    mail = renderer_of("account_unknown")(sample("account_unknown"))
    assert '<html lang="de"' in mail.html


def test_who_has_deleted_their_account_reads_of_it_in_their_language() -> None:
    delete_account(user=UserFactory(language="de"), shown=[])
    mail = OutgoingEmail.objects.get()
    assert '<html lang="de"' in renderer_of(mail.kind)(mail).html


@pytest.mark.slow
def test_no_row_holds_a_label(admin: Membership, member: Membership) -> None:
    """Whatever has words or a format in some language is written from codes when the mail goes out."""
    organization = admin.organization
    with translation.override("de"):
        request_access(actor=member, permission=Permission.MEMBERS_INVITE)
        refuse_access(actor=admin, membership_id=member.pk, permission=Permission.MEMBERS_INVITE)
        expires_at = timezone.now() + timedelta(days=30)
        make = {"name": "CI", "scopes": [Permission.MEMBERS_LIST], "expires_at": expires_at}
        token, _secret = tokens.make_token(actor=member, key=uuid4(), of_organization=False, **make)
        tokens.revoke_token(actor=admin, token_id=token.pk)
        AccessTokenFactory(
            organization=organization,
            created_at=timezone.now() - timedelta(days=90),
            expires_at=timezone.now() + timedelta(days=3),
        )
        tokens.warn_of_expiring_tokens()
        organizations.change_role(actor=admin, membership_id=member.pk, role=Role.BILLING_MANAGER)
        organizations.remove_member(actor=admin, membership_id=member.pk)
        for end in ("accept", "decline", "revoke"):
            invitation = invitations.invite_by_mail(
                actor=admin, email=f"{end}@ledger.test", role=Role.BILLING_MANAGER
            )
            if end == "accept":
                invitations.accept(user=UserFactory(email=invitation.email), claim=by_mail(invitation))
            elif end == "decline":
                invitations.decline(claim=by_mail(invitation))
            else:
                invitations.revoke(actor=admin, invitation_id=invitation.pk)
                invitations.ask_for_new(claim=by_mail(invitation))
        for last_day in (timezone.now().date(), timezone.now().date() - timedelta(days=1)):
            MembershipFactory(organization=organization, role=Role.BILLING_VIEWER, last_day=last_day)
        organizations.remind_of_last_days()
        organizations.end_past_last_days()
        InvitationFactory.create_batch(2, organization=organization, inviter=admin)
        follow_subscription(organization, edition_code="team-growth", seats=None)
        invoice = Invoice(
            stripe_id="in_1",
            attempt_count=1,
            amount_remaining=5825,
            currency="usd",
            next_attempt_at=timezone.now(),
        )
        tell_of_failed_payment(organization, invoice)
        tell_of_needed_confirmation(organization, invoice)
        tell_of_new_card(BillingAccount(organization=organization, card_last4="4242"), StripeOperation())
        offer = {
            "new": {"edition": "team-pro", "seats": 5},
            "amount_due": 5825,
            "period_total": 5825,
            "currency": "usd",
            "interval": "month",
            "at": 1_780_272_000,
        }
        tell_of_plan_change(
            organization, StripeOperation(params={"offer": offer}, result={"outcome": "made"})
        )
        subscription = Subscription(period_end=timezone.now(), cancel_at=timezone.now())
        tell_of_started_subscription(organization, StripeOperation(params={"edition": "team-growth"}))
        tell_of_ending_subscription(organization, StripeOperation(), subscription)
        tell_of_kept_subscription(organization, StripeOperation(), subscription)
        account = BillingAccount(organization=organization, copies_to=["list@ledger.test"])
        tell_of_issued_invoice(account, invoice)
        failed = StripeOperation(kind="change_plan", actor_id=admin.user_id)
        tell_of_failed_act(organization, failed, {"code": "refused", "reason": ""})
        event = AuditEvent.objects.filter(organization_id=organization.pk).latest("id")
        tell_of_changed_details(organization, event, ["name", "tax_id"])
        tell_of_expiring_method(organization, PaymentMethodFactory(organization=organization), days=7)
        grant = Grant(credits=2_000_000, expires_at=timezone.now())
        tell_of_bought_credits(organization, StripeOperation(), invoice, grant)
        tell_of_expiring_credits(organization, left=5, expires_at=timezone.now(), days=7)
        now = timezone.now()
        period = PeriodCredits(
            edition_code="team-growth",
            price=Decimal("0.00025"),
            since=now,
            until=now,
            following=None,
            before=None,
            as_of=now,
            settled_until=now,
            grants=[],
            spans=[],
            days=[],
            runs_out_at=None,
            resources=None,
            projection=None,
        )
        tell_of_reached_thresholds(organization, period, [Use(Limit.BUDGET, 5825, 5825)])
        switch_off(EndpointFactory(organization=organization), OffBecause.FAILING)
        asks, grants = (
            staff_in(StaffSessionFactory().pk).within(organization, ticket="7", reason="Proven")
            for _ in range(2)
        )
        organizations.sign_out(actor=asks, membership_id=admin.pk)
        request = ask_for_admin(actor=asks, email="lee@ledger.test", proof=Proof.REGISTER, reference="HRB 1")
        grant_admin(actor=grants, request_id=request.pk)
        close_organization(actor=admin, shown=closing_version(organization))
        Organization.objects.update(closes_after=timezone.now().date() + timedelta(days=7))
        remind_of_closing()
        account_mails.send_plain(
            "account/email/password_changed",
            admin.user.email,
            {"timestamp": timezone.now(), "ip": "192.0.2.7", "user_agent": ""},
        )
    rows = list(OutgoingEmail.objects.all())
    assert {row.kind for row in rows} >= LABELS.keys()
    for row in rows:
        for value in row.params.values():
            assert not [german for german in (*GERMAN.values(), "58,25") if german in str(value)], row.kind
