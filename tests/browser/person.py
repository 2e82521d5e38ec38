"""A person at a browser: what people do in the portal, one step each, with and without script."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.portal import Portal
from tests.factories import PASSWORD

VISA = "4242424242424242"
DECLINED = "4000000000000002"
ASKS_FOR_3D_SECURE = "4000002500003155"


@dataclass(frozen=True)
class Person:
    """``script``: whether the browser runs scripts."""

    page: Page
    portal: Portal
    script: bool = True

    # What the person sees

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def told(self) -> Locator:
        """What the page says has just happened."""
        return self.page.locator("#messages .banner p")

    @property
    def navigation(self) -> list[str]:
        return [text.strip() for text in self.page.locator("nav.nav a").all_inner_texts()]

    def figure(self, label: str) -> Locator:
        """A figure of the first screen, by what it counts."""
        fact = self.page.locator("dl.facts > div").filter(has=self.page.get_by_text(label, exact=True))
        return fact.locator(".figure")

    def row(self, text: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=text)

    # What the person does

    def sign_in(self, email: str) -> None:
        self.page.goto("/accounts/login/")
        self.fill_in_sign_in(email)
        expect(self.heading).not_to_have_text("Sign in")

    def fill_in_sign_in(self, email: str) -> None:
        expect(self.heading).to_have_text("Sign in")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign in")

    def open_billing(self, organization: str) -> None:
        """From the list of organizations, by its navigation."""
        self.page.goto("/orgs/")
        self.page.get_by_role("link", name=organization, exact=True).click()
        self.follow("Billing & usage")
        expect(self.heading).to_have_text("Billing & usage")

    def invite_by_mail(self, email: str) -> str:
        """Invite a billing manager. Returns the link in the mail."""
        self.follow("Invite billing manager")
        self.expect_dialog()
        self.page.get_by_label("Email address").fill(email)
        self.press("Send invitation")
        expect(self.told).to_have_text(f"Invitation sent to {email}.")
        return self.portal.link_mailed_to(email)

    def copy_invite_link(self) -> str:
        """Make an invite link. Returns it from the clipboard or, without script, from its field."""
        self.press("Copy billing manager invite link")
        link = self.page.get_by_label("Invite link", exact=True)
        shown = link.input_value()
        self.expect_dialog()
        if self.script:
            expect(self.page.get_by_role("button", name="Copied")).to_be_visible()
            assert self.page.evaluate("navigator.clipboard.readText()") == shown
        else:
            expect(self.page.get_by_role("button", name="Copy", exact=True)).to_have_count(0)
        self.follow("Done")
        expect(link).to_be_hidden()
        return shown

    def create_account(self, *, name: str, email: str = "") -> None:
        """From an invitation to a new account in one form; without ``email``: it is filled in already."""
        self.follow("Create account")
        address = self.page.get_by_label("Email")
        if email:
            address.fill(email)
        else:
            expect(address).not_to_be_editable()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Create account")

    def verify_address(self, email: str) -> None:
        """Open the link that the portal mails to whoever signs up, and sign in."""
        expect(self.heading).to_have_text("Check your email")
        self.page.goto(self.portal.link_mailed_to(email))
        self.press("Verify address")
        self.fill_in_sign_in(email)

    def accept(self) -> None:
        self.press("Accept invitation")
        expect(self.told).to_contain_text("as billing manager")
        expect(self.heading).to_have_text("Billing & usage")

    def enter_card(self, number: str) -> None:
        """Fill in Stripe's page and send it."""
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiry").fill("12 / 40")
        self.page.get_by_label("CVC").fill("123")
        self.page.get_by_label("Name on card").fill("Mira Okafor")
        self.press("Save card")

    def see_card_saved(self, *, last4: str, owed: str) -> None:
        """Back from Stripe: the page waits for the workers, then leads on and asks whether it is to pay."""
        expect(self.heading).to_have_text("Confirming your card")
        self.portal.let_workers_work()
        asked = self.page.locator(".banner.good")
        expect(asked).to_contain_text(f"Saved. Pay the open {owed} with it?")
        expect(self.page.locator("#methods")).to_contain_text(f"ending {last4}")

    def read_invoice(self, number: str) -> None:
        """Open an invoice from the list, and its PDF."""
        self.page.get_by_role("table").get_by_role("link", name=number, exact=True).click()
        expect(self.heading).to_have_text(f"Invoice {number}")
        with self.page.expect_download() as download:
            self.follow("Download PDF")
        assert download.value.suggested_filename == f"Invoice-{number}.pdf"
        assert download.value.path().read_bytes().startswith(b"%PDF-")
        pdf = self.page.get_by_role("link", name="Download PDF").get_attribute("href")
        assert self.page.request.get(str(pdf)).headers["content-type"] == "application/pdf"

    def remove_manager(self, name: str) -> None:
        self.row(name).get_by_role("button", name=f"Actions for {name}").click()
        self.follow("Remove billing manager")
        expect(self.page.get_by_role("heading", name=f"Remove {name} as billing manager?")).to_be_visible()
        self.expect_dialog()
        self.press("Remove billing manager")
        expect(self.told).to_contain_text(f"{name} was removed.")

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def expect_dialog(self) -> None:
        """With script the step happens in a dialog, without it on a page of its own."""
        expect(self.page.get_by_role("dialog")).to_have_count(1 if self.script else 0)
