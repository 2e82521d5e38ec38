"""Every act on money as a person presses it, from the page that offers it to what is told in the end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from orgs.models import Membership
from orgs.policy import Role
from tests.billing.packs import sell_packs
from tests.billing.plans import Customer
from tests.billing.sales import put_up_for_sale
from tests.billing.world import MASTERCARD, sweep_everything
from tests.browser.person import VISA, Person
from tests.browser.portal import Portal
from tests.factories import MembershipFactory, UserFactory

HOME = "/orgs/acme/settings/billing/"


@dataclass(frozen=True)
class Scene:
    """``person``: at the browser, of the organization Acme Robotics, with the ``membership``.

    ``customer``: the organization at Stripe, whose Visa pays. ``visitor``: opens the browser of somebody
    who is not signed in.
    """

    person: Person
    membership: Membership
    customer: Customer
    visitor: Callable[[], Person]

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def portal(self) -> Portal:
        return self.person.portal

    def open(self, rest: str = "") -> None:
        self.page.goto(HOME + rest)

    def button(self, beginning: str) -> Locator:
        """One whose label goes on with a day or an amount."""
        return self.page.get_by_role("button", name=beginning)

    def show_what_is_paid(self) -> None:
        """With script the page shows it by itself."""
        if not self.person.script:
            self.person.press("Show what you pay")
        expect(self.page.locator(".preview")).to_be_visible()

    def add_mastercard(self) -> None:
        """Beside the Visa that pays."""
        customer = self.customer.account.stripe_customer_id
        self.customer.api.payment_methods.attach("pm_card_mastercard", {"customer": customer})
        self.customer.hear()

    def owe(self, amount: int = 60_000) -> None:
        self.customer.stripe.invoice(self.customer.account, amount=amount)
        self.customer.hear()


Act = Callable[[Scene], None]


@dataclass
class Acts:
    """A decorator that keeps each act."""

    all: list[Act] = field(default_factory=list)

    def __call__(self, act: Act) -> Act:
        self.all.append(act)
        return act


act = Acts()


# Invoices


@act
def see_what_becomes_of_a_payment_without_an_answer(scene: Scene) -> None:
    """By itself with script, by a press without it."""
    scene.owe()
    scene.page.clock.install()
    scene.open()
    scene.customer.stripe.control.drop(method="POST", path="/v1/invoices/*")
    scene.person.press("Pay $600.00 with Visa ending 4242")
    waiting = scene.page.locator("#under-way")
    expect(waiting).to_contain_text("Waiting for Stripe.")
    sweep_everything()
    if scene.person.script:
        scene.page.clock.fast_forward(3_000)
        expect(scene.page.locator("#announcer")).to_have_text("Paid $600.00 with Visa ending 4242.")
    else:
        scene.person.follow("Look again")
    expect(scene.person.told).to_have_text("Paid $600.00 with Visa ending 4242.")
    expect(waiting).to_have_count(0)
    expect(scene.person.figure("Due now")).to_have_text("Nothing")


@act
def pay_what_is_owed(scene: Scene) -> None:
    scene.owe()
    scene.open()
    scene.person.press("Pay $600.00 with Visa ending 4242")
    expect(scene.person.told).to_have_text("Paid $600.00 with Visa ending 4242.")
    expect(scene.person.figure("Due now")).to_have_text("Nothing")


@act
def pay_several_invoices_with_one_press(scene: Scene) -> None:
    scene.owe(60_000)
    scene.owe(15_000)
    scene.open()
    expect(scene.page.locator(".due")).to_contain_text("on 2 invoices")
    scene.person.press("Pay $750.00 with Visa ending 4242")
    expect(scene.person.told).to_have_text("Paid $750.00 with Visa ending 4242.")


@act
def pay_an_invoice_on_its_page(scene: Scene) -> None:
    scene.owe()
    scene.open("invoices/")
    scene.page.locator("tbody a").first.click()
    scene.person.press("Pay $600.00 with Visa ending 4242")
    expect(scene.person.told).to_have_text("Paid $600.00 with Visa ending 4242.")
    expect(scene.page.locator(".page-head")).to_contain_text("Paid")


# What pays


@act
def update_the_card(scene: Scene) -> None:
    scene.open()
    scene.person.press("Update card")
    scene.person.enter_card(MASTERCARD)
    expect(scene.person.heading).to_have_text("Confirming your card")
    scene.portal.let_workers_work()
    expect(scene.person.told).to_have_text("The card is saved. It pays the next charge.")
    expect(scene.page.locator("#methods")).to_contain_text("Mastercard ending 4444")


@act
def add_a_payment_method(scene: Scene) -> None:
    scene.open()
    scene.person.follow("All payment methods")
    scene.person.press("Add payment method")
    scene.person.enter_card(MASTERCARD)
    expect(scene.person.heading).to_have_text("Confirming your card")
    scene.portal.let_workers_work()
    expect(scene.person.told).to_have_text("The payment method is saved. What pays stays as it was.")
    expect(scene.person.row("Visa ending 4242")).to_contain_text("Default")
    expect(scene.person.row("Mastercard ending 4444")).not_to_contain_text("Default")


@act
def choose_what_pays(scene: Scene) -> None:
    scene.add_mastercard()
    scene.open("methods/")
    scene.person.press("Actions for Mastercard ending 4444")
    scene.person.press("Make default")
    expect(scene.person.told).to_have_text("Mastercard ending 4444 pays from now on.")
    expect(scene.person.row("Mastercard ending 4444")).to_contain_text("Default")
    expect(scene.person.row("Visa ending 4242")).not_to_contain_text("Default")


@act
def remove_a_payment_method(scene: Scene) -> None:
    scene.owe()
    scene.add_mastercard()
    scene.open("methods/")
    expect(scene.page.get_by_role("button", name="Actions for Visa ending 4242")).to_have_count(0)
    scene.person.press("Actions for Mastercard ending 4444")
    scene.person.follow("Remove payment method")
    scene.person.expect_dialog()
    scene.person.press("Remove payment method")
    expect(scene.person.told).to_have_text("Mastercard ending 4444 was removed.")
    expect(scene.person.row("Mastercard ending 4444")).to_have_count(0)


# Payment links


def make_link(scene: Scene, label: str) -> str:
    """Returns the address, from the clipboard with script."""
    scene.open()
    scene.person.follow("Let somebody else add a card or pay")
    return take_link(scene, label)


def take_link(scene: Scene, label: str) -> str:
    button = scene.button(label)
    button.click()
    scene.person.expect_dialog()
    shown = scene.page.get_by_label("Payment link", exact=True).input_value()
    if scene.person.script:
        expect(scene.page.get_by_role("button", name="Copied")).to_be_visible()
        assert scene.page.evaluate("navigator.clipboard.readText()") == shown
    if scene.person.script:
        scene.page.keyboard.press("Escape")
        expect(button).to_be_focused()
    else:
        scene.person.follow("Done")
    expect(scene.page.locator("#live-links").get_by_role("button", name="Copy link")).to_have_count(1)
    return shown


@act
def let_somebody_else_add_a_card(scene: Scene) -> None:
    link = make_link(scene, "Make card link")
    holder = scene.visitor()
    holder.page.goto(link)
    holder.press("Add card on Stripe")
    holder.enter_card(MASTERCARD)
    expect(holder.heading).to_have_text("Thank you")
    scene.portal.let_workers_work()
    scene.open()
    expect(scene.page.locator("#methods")).to_contain_text("Mastercard ending 4444")


@act
def let_somebody_else_pay_an_invoice(scene: Scene) -> None:
    scene.owe()
    link = make_link(scene, "Make link for invoice")
    assert take_link(scene, "Copy link") == link
    holder = scene.visitor()
    holder.page.goto(link)
    holder.press("Pay $600.00 on Stripe")
    holder.page.get_by_label("Card number").fill(VISA)
    holder.page.get_by_label("Expiry").fill("12 / 40")
    holder.page.get_by_label("CVC").fill("123")
    holder.page.get_by_label("Name on card").fill("Mira Okafor")
    holder.press("Pay $600.00")
    scene.portal.let_workers_work()
    scene.open()
    expect(scene.person.figure("Due now")).to_have_text("Nothing")
    holder.page.goto(link)
    expect(holder.page.locator("main")).to_contain_text("The invoice is not to be paid any more.")
    expect(holder.page.locator("main").get_by_role("button")).to_have_count(0)


@act
def revoke_a_payment_link_that_is_then_asked_for_anew(scene: Scene) -> None:
    scene.owe()
    link = make_link(scene, "Make link for invoice")
    scene.person.follow("Revoke")
    scene.person.expect_dialog()
    scene.person.press("Revoke link")
    expect(scene.person.told).to_have_text("The payment link is revoked. It no longer works.")
    holder = scene.visitor()
    holder.page.goto(link)
    expect(holder.heading).to_have_text("This link no longer works")
    holder.press("Ask for a new link")
    expect(holder.heading).to_have_text("A new link is asked for")
    asked = scene.portal.link_mailed_to(scene.membership.user.email)
    assert asked.endswith("/settings/billing/payment-links/")


# Billing details

DETAILS = {
    "Legal name": "Acme Robotics GmbH",
    "Street and number": "Hauptstr. 1",
    "Building or department": "Accounts payable",
    "Postal code": "10115",
    "City": "Berlin",
    "State or province": "Berlin",
    "PO number": "PO-77",
    "Mail for invoices": "invoices@acme.test",
    "Further mails for invoices": "ledger@acme.test\nteam@lists.acme.test",
}
CHOICES = {"Country": "Germany", "Invoice language": "German"}


@act
def save_billing_details(scene: Scene) -> None:
    scene.open()
    scene.person.follow("Change details")
    for label, value in DETAILS.items():
        scene.page.get_by_label(label).fill(value)
    for label, choice in CHOICES.items():
        scene.page.get_by_label(label).select_option(choice)
    scene.person.press("Save details")
    expect(scene.person.told).to_have_text("The details are saved. The next invoice has them.")
    scene.page.reload()
    for label, value in DETAILS.items():
        expect(scene.page.get_by_label(label)).to_have_value(value)
    for label, choice in CHOICES.items():
        expect(scene.page.get_by_label(label).locator("option:checked")).to_have_text(choice)
    kept = scene.customer.api.customers.retrieve(scene.customer.account.stripe_customer_id)
    assert (kept.name, kept.address.city, kept.address.country) == ("Acme Robotics GmbH", "Berlin", "DE")
    assert (kept.email, list(kept.preferred_locales)) == ("invoices@acme.test", ["de"])


@act
def add_a_tax_id_and_remove_it(scene: Scene) -> None:
    scene.open("details/")
    ids = scene.page.locator("#tax-ids")
    ids.get_by_label("Kind").select_option(value="eu_vat")
    ids.get_by_label("Number").fill("nonsense")
    scene.person.press("Add tax id")
    expect(ids).to_contain_text("This is no number of that kind.")
    ids.get_by_label("Number").fill("DE123456789")
    scene.person.press("Add tax id")
    expect(scene.person.told).to_have_text("The tax id is saved. The next invoice has it.")
    expect(ids).to_contain_text("DE123456789")
    scene.page.get_by_role("link", name="Remove DE123456789").click()
    scene.person.expect_dialog()
    scene.person.press("Remove tax id")
    expect(scene.person.told).to_have_text("The tax id was removed. The next invoice is without it.")
    expect(ids).not_to_contain_text("DE123456789")


# Credits


@act
def buy_credits(scene: Scene) -> None:
    sell_packs(scene.customer)
    scene.open()
    scene.person.follow("Buy credits")
    box = scene.page.get_by_label("Packs", exact=True)
    box.fill("3")
    box.blur()
    scene.show_what_is_paid()
    expect(scene.page.locator(".preview .figure")).to_contain_text("$1,710.00")
    scene.button("Pay $1,710.00 for 3,000,000 credits").click()
    expect(scene.person.told).to_contain_text("3,000,000 credits are bought for $1,710.00.")


# The subscription


def fill_in_seats(scene: Scene, seats: int) -> None:
    scene.open()
    scene.person.follow("Change seats")
    box = scene.page.get_by_label("Seats", exact=True)
    box.fill(str(seats))
    box.blur()
    scene.show_what_is_paid()


@act
def buy_more_seats(scene: Scene) -> None:
    scene.customer.buy("team-pro", 3)
    fill_in_seats(scene, 5)
    expect(scene.page.locator(".preview .figure").last).to_contain_text("$300.00 a month")
    scene.button("change to 5 seats").click()
    expect(scene.person.told).to_contain_text("The plan is Team Pro with 5 seats now. The invoice comes to")
    expect(scene.page.locator("main")).to_contain_text("of 5 taken")


@act
def buy_fewer_seats(scene: Scene) -> None:
    scene.customer.buy("team-pro", 9)
    fill_in_seats(scene, 4)
    expect(scene.page.locator(".preview .figure").first).to_have_text("$0.00")
    scene.button("Change to 4 seats on").click()
    expect(scene.person.told).to_contain_text("The plan changes to Team Pro with 4 seats on")
    expect(scene.page.locator("main")).to_contain_text("of 9 taken")


def choose_edition(scene: Scene, name: str) -> None:
    scene.open()
    scene.person.follow("Change plan")
    scene.page.get_by_role("radio", name=name).check()
    scene.show_what_is_paid()


@act
def upgrade_at_once(scene: Scene) -> None:
    scene.customer.buy("enterprise-growth")
    choose_edition(scene, "Business Critical")
    scene.button("and change to Business Critical").click()
    expect(scene.person.told).to_contain_text("The plan is Business Critical now. The invoice comes to")
    expect(scene.page.locator("main")).to_contain_text("Business Critical, invoiced yearly")


@act
def plan_a_downgrade_and_undo_it(scene: Scene) -> None:
    scene.customer.buy("enterprise-growth")
    for name in ("Bilal Haddad", "Lena Fischer"):
        user = UserFactory(name=name)
        MembershipFactory(organization=scene.membership.organization, role=Role.BILLING_MANAGER, user=user)
    choose_edition(scene, "Team Growth")
    expect(scene.page.locator(".figure").first).to_have_text("$0.00")
    # Who stays is decided by those who may remove billing managers.
    if scene.membership.role == Role.ADMIN:
        scene.page.get_by_role("radio", name="Lena Fischer").check()
    scene.button("Change to Team Growth on").click()
    expect(scene.page.locator(".banner strong")).to_contain_text("Changes to Team Growth on")
    scene.person.follow("Undo")
    scene.person.expect_dialog()
    scene.person.press("Undo change")
    expect(scene.person.told).to_have_text("The change is undone. The plan stays as it is.")
    assert scene.customer.subscription().schedule is None


@act
def cancel_and_keep(scene: Scene) -> None:
    scene.customer.buy("enterprise-growth")
    scene.open()
    scene.person.follow("Cancel subscription")
    scene.person.expect_dialog()
    scene.page.get_by_label("Too expensive").check()
    scene.button("Cancel at the end of the period").click()
    expect(scene.person.told).to_contain_text("The subscription ends on")
    scene.person.follow("Keep subscription")
    scene.person.expect_dialog()
    scene.person.press("Keep subscription")
    expect(scene.person.told).to_contain_text("The subscription goes on. It renews on")
    assert scene.customer.subscription().cancel_at is None


@act
def buy_an_edition(scene: Scene) -> None:
    put_up_for_sale(scene.customer.stripe)
    scene.open()
    scene.person.follow("Choose a plan")
    scene.person.press("Choose Enterprise Growth")
    scene.page.get_by_label("Card number").fill(VISA)
    scene.page.get_by_label("Expiry").fill("12 / 40")
    scene.page.get_by_label("CVC").fill("123")
    scene.page.get_by_label("Name on card").fill("Ada Lindqvist")
    scene.person.press("Subscribe")
    expect(scene.person.heading).to_have_text("Starting the subscription")
    scene.portal.let_workers_work()
    expect(scene.person.told).to_have_text("The subscription has started.")
    expect(scene.page.locator("main")).to_contain_text("Enterprise Growth, invoiced yearly")
