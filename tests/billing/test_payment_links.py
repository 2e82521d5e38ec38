"""Payment links: for somebody without an account, one page of Stripe's and nothing else."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from billing.models import BillingAccount, Invoice, PaymentLink, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.payment_links import (
    LinkEnded,
    make_card_link,
    make_invoice_link,
    open_link,
    revoke_link,
)
from billing.payment_tokens import payment_url
from billing.selectors import payment_link
from invitations.claims import Channel, Claim, mint
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, PaymentLinkFactory
from tests.billing.pages import billing_url, text_of
from tests.billing.world import MASTERCARD, StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_so_far() -> None:
    cache.clear()


@pytest.fixture
def invoice(organization: Organization) -> Invoice:
    return InvoiceFactory(organization=organization, status="open", payment_status="failed")


def path_of(link: PaymentLink) -> str:
    return urlsplit(payment_url(link.pk)).path


def press(link: PaymentLink, **fields: str) -> str:
    """Press the button of the link's page, in a browser of its own. Returns where it leads."""
    answer = Client().post(path_of(link), fields)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def acts() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_a_card_added_by_a_link_pays_and_the_link_is_used_up(
    billing_manager: Membership, stripe: StripeWorld
) -> None:
    link = make_card_link(actor=billing_manager)
    back = stripe.control.enter_card(press(link), number=MASTERCARD)
    assert back == f"{settings.SITE_URL}/pay/thanks/"
    assert "Thank you" in text_of(Client().get("/pay/thanks/"))
    sweep_everything()
    account = BillingAccount.objects.get()
    assert (account.card_last4, stripe.default_card(account)) == ("4444", account.payment_method_id)
    answer = Client().get(path_of(link))
    assert answer.status_code == 410
    assert "A card was added with it already." in text_of(answer)
    assert acts() == [
        "payment_link.made",
        "billing.customer_made",
        "payment_link.opened",
        "card.added_by_link",
    ]
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.to) == ("card_added_by_link", billing_manager.user.email)


def test_pressed_twice_a_card_link_leads_to_one_page_of_stripes(
    billing_manager: Membership, stripe: StripeWorld
) -> None:
    link = make_card_link(actor=billing_manager)
    assert press(link) == press(link)
    assert len(stripe.sessions()) == 1
    assert acts().count("payment_link.opened") == 1


def test_a_links_page_at_stripe_is_not_that_of_its_maker_or_of_another_link(
    billing_manager: Membership, stripe: StripeWorld
) -> None:
    one, other = (make_card_link(actor=billing_manager) for _number in range(2))
    pages = {press(one), press(other), start_card_setup(actor=billing_manager)}
    assert len(pages) == 3


def test_of_two_cards_by_one_link_the_first_is_kept(billing_manager: Membership, stripe: StripeWorld) -> None:
    """The page at Stripe closed before the first was heard of, and a new one was opened."""
    link = make_card_link(actor=billing_manager)
    stripe.control.enter_card(press(link), number=MASTERCARD)
    PaymentLink.objects.update(finished_at=timezone.now())
    sweep_everything()
    account = BillingAccount.objects.get()
    assert stripe.default_card(account) is None
    assert stripe.cards_of(account) == set()
    assert "payment_link.card_refused" in acts()


def test_a_link_to_pay_what_is_being_paid_is_not_among_those_that_work(
    billing_manager: Membership, invoice: Invoice, sign_in: SignIn
) -> None:
    make_invoice_link(actor=billing_manager, invoice_id=invoice.pk)
    assert PaymentLink.objects.live().count() == 1
    Invoice.objects.update(payment_status="processing")
    page = sign_in(billing_manager).get(billing_url(invoice.organization, "payment-links/"))
    assert "No link works now" in text_of(page)
    Invoice.objects.update(payment_status="failed")
    assert PaymentLink.objects.live().count() == 1


def test_a_link_revoked_while_its_holder_types_saves_no_card(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    link = make_card_link(actor=billing_manager)
    page = press(link)
    revoke_link(actor=admin, link_id=link.pk)
    stripe.control.enter_card(page, number=MASTERCARD)
    sweep_everything()
    assert stripe.default_card(BillingAccount.objects.get()) is None
    assert acts()[-1] == "payment_link.card_refused"


def test_a_card_of_a_maker_who_lost_the_role_is_not_saved(
    billing_manager: Membership, stripe: StripeWorld
) -> None:
    link = make_card_link(actor=billing_manager)
    page = press(link)
    Membership.objects.filter(pk=billing_manager.pk).update(role=Role.MEMBER)
    stripe.control.enter_card(page, number=MASTERCARD)
    sweep_everything()
    assert stripe.default_card(BillingAccount.objects.get()) is None


def test_a_link_that_is_copied_again_is_in_the_log(billing_manager: Membership, sign_in: SignIn) -> None:
    link = make_card_link(actor=billing_manager)
    url = billing_url(billing_manager.organization, f"payment-links/{link.pk}/copy/")
    assert payment_url(link.pk) in sign_in(billing_manager).post(url).content.decode()
    event = AuditEvent.objects.get(action="payment_link.copied")
    assert (event.actor_id, event.target_id) == (billing_manager.user_id, str(link.pk))
    assert event.sentence == "copied a payment link to add a card"
    revoke_link(actor=billing_manager, link_id=link.pk)
    assert sign_in(billing_manager).post(url).status_code == 302
    assert acts().count("payment_link.copied") == 1


def test_stripe_down_is_told_and_the_link_still_works(
    billing_manager: Membership, stripe: StripeWorld
) -> None:
    link = make_card_link(actor=billing_manager)
    stripe.control.fail(500, method="POST", path="/v1/checkout/sessions", count=10)
    answer = Client().post(path_of(link))
    assert answer.status_code == 409
    assert "Stripe does not answer right now. Nothing was changed." in text_of(answer)
    assert Client().get(path_of(link)).status_code == 200


def test_the_page_of_a_link_says_what_is_asked_and_names_nobody(admin: Membership, invoice: Invoice) -> None:
    link = make_invoice_link(actor=admin, invoice_id=invoice.pk)
    answer = Client().get(path_of(link))
    page = text_of(answer)
    assert f"Pay $58.25 for {admin.organization.name}" in page
    assert f"Invoice {invoice.number}" in page
    assert admin.user.name not in answer.content.decode()
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert settings.SESSION_COOKIE_NAME not in answer.cookies


def test_opening_a_link_changes_nothing(admin: Membership, invoice: Invoice) -> None:
    links = [make_card_link(actor=admin), make_invoice_link(actor=admin, invoice_id=invoice.pk)]
    before = acts()
    for link in links:
        for method in ("get", "head"):
            assert getattr(Client(), method)(path_of(link)).status_code == 200
        assert PaymentLink.objects.get(pk=link.pk).opened_at is None
    assert acts() == before
    assert not StripeOperation.objects.exists()


def test_an_invoice_link_leads_to_the_invoice_at_stripe(admin: Membership, invoice: Invoice) -> None:
    link = make_invoice_link(actor=admin, invoice_id=invoice.pk)
    for _time in range(2):
        assert press(link, amount="5825") == invoice.hosted_url
    assert acts() == ["payment_link.made", "payment_link.opened"]


@pytest.mark.parametrize("shown", [{}, {"amount": "1"}, {"amount": "x"}])
def test_another_amount_than_was_shown_is_shown_first(
    shown: dict[str, str], admin: Membership, invoice: Invoice
) -> None:
    link = make_invoice_link(actor=admin, invoice_id=invoice.pk)
    answer = Client().post(path_of(link), shown)
    assert answer.status_code == 409
    assert "The amount has changed" in text_of(answer)
    assert acts() == ["payment_link.made"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "paid"}, "The invoice is not to be paid any more."),
        ({"status": "void"}, "The invoice is not to be paid any more."),
        ({"payment_status": "processing"}, "A payment of the invoice is on its way."),
    ],
)
def test_a_link_to_an_invoice_that_is_settled_opens_nothing(
    fields: dict[str, str], told: str, admin: Membership, invoice: Invoice
) -> None:
    link = make_invoice_link(actor=admin, invoice_id=invoice.pk)
    Invoice.objects.update(**fields)
    for answer in (Client().get(path_of(link)), Client().post(path_of(link), {"amount": "5825"})):
        assert answer.status_code == 410
        assert told in text_of(answer)
        assert "Ask for a new link" not in text_of(answer)
    with pytest.raises(Refused):
        make_invoice_link(actor=admin, invoice_id=invoice.pk)


def revoked(link: PaymentLink, maker: Membership) -> None:
    revoke_link(actor=maker, link_id=link.pk)


def expired(link: PaymentLink, _maker: Membership) -> None:
    PaymentLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())


def left(_link: PaymentLink, maker: Membership) -> None:
    Membership.objects.filter(pk=maker.pk).delete()


def shut(_link: PaymentLink, maker: Membership) -> None:
    maker.user.is_active = False
    maker.user.save()


@pytest.mark.parametrize("end", [revoked, expired, left, shut])
def test_a_link_that_has_ended_opens_nothing(end: object, admin: Membership, invoice: Invoice) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    links = [make_card_link(actor=admin), make_invoice_link(actor=admin, invoice_id=invoice.pk)]
    for link in links:
        end(link, admin)  # type: ignore[operator]
    before = acts()
    for link in links:
        assert Client().get(path_of(link)).status_code == 410
        assert Client().post(path_of(link), {"amount": "5825"}).status_code == 410
        with pytest.raises(LinkEnded):
            open_link(payment_link(link.pk))
    assert acts() == before


def test_a_new_one_is_asked_for_once_an_hour(admin: Membership) -> None:
    link = make_card_link(actor=admin)
    ask = f"{path_of(link)}ask/"
    assert "A new link is asked for" in text_of(Client().post(ask))
    assert not OutgoingEmail.objects.exists(), "it still works"
    revoke_link(actor=admin, link_id=link.pk)
    for _time in range(3):
        assert "A new link is asked for" in text_of(Client().post(ask))
    assert OutgoingEmail.objects.get().to == admin.user.email
    PaymentLink.objects.update(asked_at=timezone.now() - timedelta(hours=1, seconds=1))
    Client().post(ask)
    assert OutgoingEmail.objects.count() == 2


def test_a_maker_who_may_no_more_is_not_asked(billing_manager: Membership) -> None:
    link = make_card_link(actor=billing_manager)
    Membership.objects.filter(pk=billing_manager.pk).update(role=Role.MEMBER)
    assert "A new link is asked for" in text_of(Client().post(f"{path_of(link)}ask/"))
    assert not OutgoingEmail.objects.exists()


def test_only_a_whole_link_of_ours_opens_anything(admin: Membership) -> None:
    path = path_of(make_card_link(actor=admin))
    token = path.split("/")[2]
    other_salt = signing.Signer(key=settings.INVITATION_SIGNING_KEYS[0], salt="x", sep=".")
    for wrong in (
        token[:-1],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.split(".")[0],
        other_salt.sign(token.split(".")[0]),
        mint(Claim(admin.pk, 1, Channel.LINK)),
        path_of(PaymentLinkFactory.build()).split("/")[2],
    ):
        for answer in (Client().get(f"/pay/{wrong}/"), Client().post(f"/pay/{wrong}/ask/")):
            assert answer.status_code == 404
            assert "This link is incomplete" in text_of(answer)


def test_no_row_holds_the_token(billing_manager: Membership, stripe: StripeWorld) -> None:
    link = make_card_link(actor=billing_manager)
    press(link)
    token = path_of(link).split("/")[2]
    for model in (PaymentLink, StripeOperation, AuditEvent):
        assert token not in str(list(model.objects.values()))
    assert token.split(".")[1] not in str(stripe.control.requests())


@pytest.mark.slow
def test_the_tries_from_one_network_are_limited() -> None:
    client = Client()
    assert {client.get("/pay/x/").status_code for _time in range(60)} == {404}
    assert client.get("/pay/x/").status_code == 429


@pytest.mark.parametrize("role", [Role.ADMIN, Role.BILLING_MANAGER])
def test_links_are_made_copied_and_revoked_on_their_page(
    role: Role, organization: Organization, invoice: Invoice, sign_in: SignIn
) -> None:
    BillingAccountFactory(organization=organization)
    client = sign_in(MembershipFactory(organization=organization, role=role))
    assert (
        billing_url(organization, "payment-links/") in client.get(billing_url(organization)).content.decode()
    )
    client.post(billing_url(organization, "payment-links/card/"))
    made = client.post(billing_url(organization, f"invoices/{invoice.pk}/link/")).content.decode()
    link = PaymentLink.objects.get(invoice=invoice)
    assert payment_url(link.pk) in made
    page = text_of(client.get(billing_url(organization, "payment-links/")))
    assert f"$58.25 for invoice {invoice.number}" in page
    assert page.count("Not yet Copy link Revoke") == 2
    own = f"payment-links/{link.pk}/"
    assert payment_url(link.pk) in client.post(billing_url(organization, f"{own}copy/")).content.decode()
    assert "Revoke this payment link?" in text_of(client.get(billing_url(organization, f"{own}revoke/")))
    client.post(billing_url(organization, f"{own}revoke/"))
    assert text_of(client.get(billing_url(organization, "payment-links/"))).count("Not yet") == 1
    assert acts() == ["payment_link.made", "payment_link.made", "payment_link.copied", "payment_link.revoked"]
    for act in ("copy/", "revoke/"):
        answer = client.post(billing_url(organization, f"{own}{act}"), follow=True)
        assert "That link works no more already." in text_of(answer)
    assert acts().count("payment_link.revoked") == 1


def test_another_organizations_links_and_invoices_are_not_found(admin: Membership, sign_in: SignIn) -> None:
    foreign = PaymentLinkFactory()
    invoice = InvoiceFactory(organization=foreign.organization, status="open")
    client = sign_in(admin)
    for path in (
        f"payment-links/{foreign.pk}/copy/",
        f"payment-links/{foreign.pk}/revoke/",
        f"invoices/{invoice.pk}/link/",
    ):
        assert client.post(billing_url(admin.organization, path)).status_code == 404
    with pytest.raises(PaymentLink.DoesNotExist):
        revoke_link(actor=admin, link_id=foreign.pk)
    with pytest.raises(Invoice.DoesNotExist):
        make_invoice_link(actor=admin, invoice_id=invoice.pk)
    assert not acts()


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.BILLING_MANAGER, "Let somebody else add a card or pay"),
        (Role.BILLING_VIEWER, "See payment links"),
    ],
)
def test_who_may_make_no_link_is_led_to_those_that_there_are(
    role: Role, words: str, organization: Organization, sign_in: SignIn
) -> None:
    client = sign_in(MembershipFactory(organization=organization, role=role))
    assert words in text_of(client.get(billing_url(organization)))
