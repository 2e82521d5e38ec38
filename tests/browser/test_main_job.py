"""The main job, from the invitation to the card, the invoice and the good-bye; with and without script."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from stripe import CardError

from billing.models import BillingAccount
from invitations.services import invite_by_mail
from orgs.models import Membership
from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.person import ASKS_FOR_3D_SECURE, DECLINED, VISA, Person
from tests.browser.portal import Portal
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from usage.readings import HourlyReading
from usage.services import record_counts

MIRA = "mira@acme.test"
NewPerson = Callable[[], Person]

with_script_and_slowly_without = pytest.mark.parametrize(
    "script", [pytest.param(True, id="script"), pytest.param(False, id="no-script", marks=pytest.mark.slow)]
)
without_script_and_slowly_with = pytest.mark.parametrize(
    "script", [pytest.param(False, id="no-script"), pytest.param(True, id="script", marks=pytest.mark.slow)]
)


@pytest.fixture
def script() -> bool:
    return True


@pytest.fixture
def new_person(new_page: NewPage, portal: Portal, script: bool) -> NewPerson:
    permissions = ["clipboard-read", "clipboard-write"]
    return lambda: Person(
        new_page(java_script_enabled=script, permissions=permissions), portal=portal, script=script
    )


@pytest.fixture
def acme_admin(portal: Portal) -> Membership:
    """Ada, of an organization with 1,204 resources and an invoice at Stripe, without a card."""
    organization = OrganizationFactory(name="Acme Robotics", slug="acme")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    record_counts(
        organization_id=organization.pk, counts=[HourlyReading(stack="production", hour=hour, resources=1204)]
    )
    account = portal.stripe.account_for(organization)
    portal.stripe.invoice(account, amount=6_789)
    portal.let_workers_work()
    ada = UserFactory(name="Ada Lindqvist", email="ada@acme.test")
    return MembershipFactory(organization=organization, role=Role.ADMIN, user=ada)


@with_script_and_slowly_without
def test_an_admin_invites_a_billing_manager_by_mail_who_pays(
    acme_admin: Membership, new_person: NewPerson
) -> None:
    ada = new_person()
    ada.sign_in("ada@acme.test")
    ada.open_billing("Acme Robotics")
    link = ada.invite_by_mail(MIRA)
    expect(ada.row(MIRA)).to_contain_text("Pending")

    mira = new_person()
    mira.page.goto(link)
    expect(mira.heading).to_have_text("Join Acme Robotics")
    mira.create_account(name="Mira Okafor")
    mira.accept()

    sees_the_figures_and_nothing_else(mira)
    saves_a_card_after_a_declined_one(mira)
    pays_what_is_open(mira)
    reads_an_invoice(mira)

    ada.open_billing("Acme Robotics")
    expect(ada.row("Mira Okafor")).to_contain_text("Accepted")
    accepted = ada.row("Mira Okafor").locator("time").get_attribute("datetime")
    assert str(accepted)[:10] == timezone.now().date().isoformat()
    ada.remove_manager("Mira Okafor")
    expect(ada.row("Mira Okafor")).to_have_count(0)
    is_a_stranger(mira)


def sees_the_figures_and_nothing_else(mira: Person) -> None:
    mira.follow("Dashboard")
    expect(mira.heading).to_have_text("Dashboard")
    expect(mira.figure("Resources now")).to_have_text("1,204")
    expect(mira.figure("Members")).to_have_text("1")
    assert mira.navigation == ["Dashboard", "Billing & usage"]


def saves_a_card_after_a_declined_one(mira: Person) -> None:
    mira.open_billing("Acme Robotics")
    mira.press("Add card")
    mira.enter_card(DECLINED)
    expect(mira.page.get_by_role("alert")).to_have_text("Your card was declined.")
    mira.enter_card(VISA)
    mira.see_card_saved(last4="4242", owed="$67.89")


def pays_what_is_open(mira: Person) -> None:
    mira.press("Pay $67.89 with Visa ending 4242")
    expect(mira.told).to_have_text("Paid $67.89 with Visa ending 4242.")
    expect(mira.figure("Due now")).to_have_text("Nothing")


def reads_an_invoice(mira: Person) -> None:
    newest = mira.portal.stripe.api.invoices.list({"limit": 1}).data[0]
    mira.open_billing("Acme Robotics")
    mira.read_invoice(newest.number)
    expect(mira.page.get_by_role("row", name="Consulting")).to_contain_text("$67.89")


def is_a_stranger(mira: Person) -> None:
    for page in ("/orgs/acme/", "/orgs/acme/settings/billing/"):
        answer = mira.page.goto(page)
        assert answer is not None
        assert answer.status == 404


@without_script_and_slowly_with
@pytest.mark.slow
def test_an_admin_copies_an_invite_link(acme_admin: Membership, new_person: NewPerson) -> None:
    ada = new_person()
    ada.sign_in("ada@acme.test")
    ada.open_billing("Acme Robotics")
    link = ada.copy_invite_link()
    if ada.script:
        expect(ada.row("Anyone with the link")).to_be_visible()

    mira = new_person()
    mira.page.goto(link)
    mira.create_account(name="Mira Okafor", email=MIRA)
    mira.verify_address(MIRA)
    mira.accept()
    sees_the_figures_and_nothing_else(mira)
    ada.open_billing("Acme Robotics")
    expect(ada.row("Mira Okafor")).to_contain_text("Accepted")


@pytest.mark.slow
def test_a_card_with_3d_secure_is_saved_and_pays(acme_admin: Membership, new_person: NewPerson) -> None:
    ada = new_person()
    ada.sign_in("ada@acme.test")
    ada.open_billing("Acme Robotics")
    ada.press("Add card")
    ada.enter_card(ASKS_FOR_3D_SECURE)
    expect(ada.heading).to_have_text("3-D Secure check")
    ada.press("Fail")
    expect(ada.page.get_by_role("alert")).to_contain_text("unable to authenticate")
    ada.enter_card(ASKS_FOR_3D_SECURE)
    ada.press("Complete")
    ada.see_card_saved(last4="3155", owed="$67.89")

    ada.press("Pay $67.89 with Visa ending 3155")
    ada.follow("Answer your bank")
    ada.press("Complete")
    ada.portal.let_workers_work()
    ada.open_billing("Acme Robotics")
    expect(ada.figure("Due now")).to_have_text("Nothing")


@dataclass(frozen=True)
class Counted(Person):
    """Notes what they press."""

    pressed: list[str] = field(default_factory=list)

    def follow(self, name: str) -> None:
        self.pressed.append(name)
        super().follow(name)

    def press(self, name: str) -> None:
        self.pressed.append(name)
        super().press(name)


@pytest.mark.slow
def test_from_the_mail_of_an_invitation_to_a_saved_card_takes_six_presses(
    acme_admin: Membership, new_page: NewPage, portal: Portal
) -> None:
    """For somebody without an account; the link in the mail is the first."""
    invite_by_mail(actor=acme_admin, email=MIRA, role=Role.BILLING_MANAGER)
    mira = Counted(new_page(), portal)
    mira.page.goto(portal.link_mailed_to(MIRA))
    mira.create_account(name="Mira Okafor")
    mira.accept()
    mira.press("Add card")
    mira.enter_card(VISA)
    mira.see_card_saved(last4="4242", owed="$67.89")
    assert len(["link in the mail", *mira.pressed]) == 6, mira.pressed


@pytest.mark.slow
def test_from_the_mail_of_a_failed_payment_to_paid_takes_two_presses(
    acme_admin: Membership, new_page: NewPage, portal: Portal
) -> None:
    """The link in the mail is the first, for somebody who is signed in."""
    account = BillingAccount.objects.get(organization=acme_admin.organization)
    card = portal.stripe.attach_default(account)
    portal.stripe.control.refuse_charges(card, "insufficient_funds")
    with suppress(CardError):
        portal.stripe.api.invoices.pay(portal.stripe.api.invoices.list({"limit": 1}).data[0].id)
    portal.stripe.control.allow_charges(card)

    ada = Person(new_page(user=acme_admin.user), portal)
    ada.page.goto(portal.link_mailed_to("ada@acme.test"))
    expect(ada.page.locator("main")).to_contain_text(
        "Visa ending 4242 could not be charged: there was not enough money in the account."
    )
    ada.press("Pay $67.89 with Visa ending 4242")
    expect(ada.told).to_have_text("Paid $67.89 with Visa ending 4242.")
    expect(ada.figure("Due now")).to_have_text("Nothing")
