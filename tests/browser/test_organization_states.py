"""Pages of an organization that take steps to get to, as axe sees them: menus, dialogs, refusals, errors.

Together with test_account_states.py and test_every_page.py these are all pages there are.
"""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import BadRequest
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    OperationKind,
    PaymentStatus,
    StripeOperation,
    Subscription,
)
from invitations.models import Invitation, Reason
from orgs import views
from orgs.dates import day
from orgs.models import Organization
from orgs.policy import Role
from tests.billing.factories import InvoiceFactory
from tests.billing.mishaps import Clock
from tests.billing.plans import Customer
from tests.billing.sales import put_up_for_sale
from tests.browser.conftest import NewPage
from tests.browser.inspection import faults_of
from tests.browser.person import DECLINED, Person
from tests.browser.portal import Portal
from tests.browser.stage import Stage, State, States
from tests.credits.months import settled, terms
from tests.factories import MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.slow

state = States()


# An organization's pages


@state
def navigation_on_a_phone(stage: Stage) -> Page:
    page = stage.admin()
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Members", exact=True)).to_be_visible()
    return page


@state
def account_menu(stage: Stage) -> Page:
    page = stage.admin()
    page.get_by_role("button", name="Own admin").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


@state
def usage_as_table(stage: Stage) -> Page:
    page = stage.admin()
    page.get_by_text("Show as table").click()
    return page


@state
def menu_of_a_member(stage: Stage) -> Page:
    page = stage.admin("settings/members/")
    page.get_by_role("button", name="Actions for Own other", exact=True).click()
    return page


@state
def name_of_a_team_that_is_taken(stage: Stage) -> Page:
    page = stage.admin("settings/teams/")
    page.get_by_role("link", name="Create team").click()
    page.get_by_label("Name").fill("OWN TEAM")
    page.get_by_role("dialog").get_by_role("button", name="Create team").click()
    expect(page.get_by_role("dialog")).to_contain_text("There is a team called Own team already")
    return page


@state
def deletion_of_a_team(stage: Stage) -> Page:
    page = stage.admin(f"settings/teams/{stage.world.own_ids['team_id']}/")
    page.get_by_role("link", name="Delete team").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 person is in it")
    return page


@state
def nobody_chosen_for_a_team(stage: Stage) -> Page:
    page = stage.admin(f"settings/teams/{stage.world.own_ids['team_id']}/people/add/")
    page.get_by_role("button", name="Add people").click()
    expect(page.get_by_text("Choose at least one person.")).to_be_visible()
    return page


@state
def editions_to_choose_from(stage: Stage) -> Page:
    Subscription.objects.all().delete()
    put_up_for_sale(stage.portal.stripe)
    page = stage.admin("settings/billing/purchase/?edition=enterprise-growth")
    expect(page.get_by_role("button", name="Choose Enterprise Growth")).to_be_visible()
    return page


@state
def cancel_dialog(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    page.get_by_role("link", name="Cancel subscription").click()
    expect(page.get_by_role("dialog")).to_contain_text("Why do you cancel?")
    return page


@state
def keep_dialog(stage: Stage) -> Page:
    Subscription.objects.update(cancel_at_period_end=True)
    page = stage.admin("settings/billing/")
    page.get_by_role("link", name="Keep subscription").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its price is")
    return page


@state
def menu_of_an_invitation(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    page.get_by_role("button", name="Actions for the invitation of own.invited@example.test").click()
    return page


@state
def invite_dialog(stage: Stage) -> Page:
    page = stage.admin("settings/members/")
    page.get_by_role("link", name="Invite member").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


@state
def invite_refused(stage: Stage) -> Page:
    page = stage.admin("settings/billing/managers/invite/")
    member = stage.world.memberships[Role.MEMBER].user.email
    page.get_by_label("Email address").fill(f"own.invited@\n{member}\nfresh@ledger.test")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def invitation_asked_for_anew(stage: Stage) -> Page:
    Invitation.objects.filter(organization=stage.world.organization).update(
        asked_for="own.invited@example.test", asked_at=timezone.now()
    )
    page = stage.admin("settings/billing/")
    expect(page.locator("#billing-managers")).to_contain_text("asked for a new one")
    return page


@state
def link_dialog(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy billing manager invite link").click()
    expect(page.get_by_label("Invite link", exact=True)).to_be_visible()
    return page


@state
def link_on_a_page_of_its_own(stage: Stage) -> Page:
    page = stage.admin("settings/members/link/")
    page.get_by_role("button", name="Copy invite link").click()
    expect(page.get_by_label("Invite link", exact=True)).to_be_visible()
    return page


@state
def link_refused(stage: Stage) -> Page:
    page = stage.admin("settings/billing/")
    Organization.objects.filter(pk=stage.world.organization.pk).update(edition_code="team-growth")
    page.get_by_role("button", name="Copy billing manager invite link").click()
    expect(page.get_by_role("dialog")).to_contain_text("No invite link was made")
    return page


@state
def invitation_that_could_not_be_accepted(stage: Stage) -> Page:
    Invitation.objects.filter(organization=stage.world.organization).update(
        last_error=Reason.values[0], last_error_by="Mira Okafor", last_error_at=timezone.now()
    )
    page = stage.admin("settings/billing/")
    expect(page.locator("#billing-managers")).to_contain_text("Mira Okafor could not accept.")
    return page


@state
def new_organization_refused(stage: Stage) -> Page:
    page = stage.admin()
    page.goto("/orgs/new/")
    page.get_by_role("textbox").fill("   ")
    page.get_by_role("button", name="Create organization").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@state
def audit_log_of_one_action(stage: Stage) -> Page:
    return stage.admin("settings/audit/?person=nobody")


# Money


@state
def payment_failed(stage: Stage) -> Page:
    account = BillingAccount.objects.get(organization=stage.world.organization)
    account.card_exp_month, account.card_exp_year = 1, 2026
    account.save()
    Invoice.objects.filter(organization=stage.world.organization).update(
        status=InvoiceStatus.OPEN,
        amount_paid=0,
        amount_remaining=7500,
        attempt_count=1,
        payment_status=PaymentStatus.FAILED,
        failure_code="insufficient_funds",
        charged_automatically=True,
        next_attempt_at=timezone.now() + timedelta(days=2),
    )
    page = stage.admin("settings/billing/")
    expect(page.locator("main")).to_contain_text("The payment failed")
    return page


@state
def invoice_to_pay(stage: Stage) -> Page:
    payment_failed(stage)
    return stage.admin(f"settings/billing/invoices/{stage.world.own_ids['invoice_id']}/")


@state
def payment_under_way(stage: Stage) -> Page:
    payment_failed(stage)
    organization = stage.world.organization
    for invoice in Invoice.objects.for_org(organization):
        StripeOperation.objects.create(
            organization=organization,
            kind=OperationKind.PAY_INVOICE,
            stripe_id=invoice.stripe_id,
            idempotency_key=f"portal-{invoice.pk}",
            actor_id=stage.world.memberships[Role.ADMIN].user_id,
        )
    page = stage.admin("settings/billing/")
    expect(page.locator("#under-way")).to_contain_text("This page shows what becomes of the payment.")
    expect(page.locator(".due")).to_contain_text("is under way.")
    return page


@state
def several_open_invoices(stage: Stage) -> Page:
    payment_failed(stage)
    for currency in ("usd", "eur"):
        InvoiceFactory(
            organization=stage.world.organization, status=InvoiceStatus.OPEN, currency=currency, amount_paid=0
        )
    page = stage.admin("settings/billing/")
    expect(page.locator(".due")).to_contain_text("on 3 invoices")
    return page


@state
def invoice_to_pay_by_bank_transfer(stage: Stage) -> Page:
    Subscription.objects.update(charged_automatically=False)
    Invoice.objects.update(
        status=InvoiceStatus.OPEN,
        amount_paid=0,
        amount_remaining=7500,
        charged_automatically=False,
        hosted_url=f"{stage.portal.stripe.control.url}/i/in_1",
        due_at=timezone.now() + timedelta(days=20),
    )
    page = stage.admin("settings/billing/")
    expect(page.get_by_role("link", name="Show how to pay")).to_be_visible()
    return page


@state
def pdf_missing(stage: Stage) -> Page:
    Invoice.objects.update(pdf_url="")
    page = stage.admin(f"settings/billing/invoices/{stage.world.own_ids['invoice_id']}/pdf/")
    expect(page.get_by_role("heading", level=1)).to_have_text("PDF not available")
    return page


@state
def card_declined_on_the_simulated_page(stage: Stage) -> Page:
    organization = OrganizationFactory()
    membership = MembershipFactory(organization=organization, role=Role.ADMIN)
    page = stage.new_page(user=membership.user)
    page.goto(f"/orgs/{organization.slug}/settings/billing/")
    person = Person(page, stage.portal)
    person.press("Add card")
    person.enter_card(DECLINED)
    expect(page.get_by_role("alert")).to_be_visible()
    return page


# Nothing there yet


def count_credits(stage: Stage) -> datetime:
    """Five days of a month; the first four use what is free. Gives the fifth. The world's hour is later."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=ago) for ago in (6, 5, 4, 3, 2)]
    month = terms(days[0], days[0] + timedelta(days=30), credits=2_800)
    settled(stage.world.organization, dict.fromkeys(days, 700), month)
    return days[-1]


@state
def credits_of_a_period(stage: Stage) -> Page:
    count_credits(stage)
    page = stage.admin("settings/billing/")
    page.get_by_text("Show how this is counted").click()
    expect(page.get_by_text("By the end of the period, about")).to_be_visible()
    return page


@state
def hours_of_a_day(stage: Stage) -> Page:
    last = count_credits(stage)
    page = stage.admin("settings/billing/credits/")
    page.get_by_role("link", name=day(last)).click()
    expect(page.get_by_text("1 × 700")).to_have_count(6)
    return page


@state
def change_of_plan(stage: Stage) -> Page:
    MembershipFactory(organization=stage.world.organization, role=Role.BILLING_MANAGER)
    customer_in(stage).buy("enterprise-growth")
    page = stage.admin("settings/billing/plan/?edition=team-growth")
    expect(page.get_by_role("heading", name="Which billing manager stays?")).to_be_visible()
    return page


@state
def change_of_plan_refused(stage: Stage) -> Page:
    page = change_of_plan(stage)
    page.get_by_role("button", name="Change to Team Growth").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose which billing manager stays")
    return page


@state
def change_of_seats(stage: Stage) -> Page:
    customer_in(stage).buy("team-pro", 9)
    page = stage.admin("settings/billing/seats/?seats=12")
    expect(page.get_by_role("button", name="change to 12 seats")).to_be_visible()
    return page


@state
def undoing_asked(stage: Stage) -> Page:
    page = change_of_plan(stage)
    page.get_by_label("Decide later").check()
    page.get_by_role("button", name="Change to Team Growth").click()
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_role("dialog")).to_contain_text("Undo the planned change?")
    return page


def customer_in(stage: Stage) -> Customer:
    """The organization in place of the account that its world has."""
    organization = stage.world.organization
    BillingAccount.objects.filter(organization=organization).delete()
    account = stage.portal.stripe.account_for(organization)
    stage.portal.stripe.attach_default(account)
    admin = stage.world.memberships[Role.ADMIN]
    return Customer(stage.portal.stripe, account, admin, Clock(), stage.world.clients[Role.ADMIN])


@pytest.mark.parametrize(
    "path", ["", "settings/billing/", "settings/billing/invoices/", "settings/members/", "settings/audit/"]
)
def test_axe_finds_nothing_in_an_empty_organization(path: str, portal: Portal, new_page: NewPage) -> None:
    admin = MembershipFactory(role=Role.ADMIN)
    page = new_page(user=admin.user)
    page.goto(f"/orgs/{admin.organization.slug}/{path}")
    faults = faults_of(page)
    assert not faults, "\n".join(faults)


# Nothing works


def refused_with(error: Exception) -> State:
    def prepare(stage: Stage) -> Page:
        def broken(*_args: object) -> None:
            raise error

        stage.monkeypatch.setattr(views, "roles_page", broken)
        return stage.admin("settings/roles/")

    return prepare


@state
def server_error(stage: Stage) -> Page:
    return refused_with(RuntimeError("broken on purpose"))(stage)


@state
def bad_request(stage: Stage) -> Page:
    return refused_with(BadRequest("bad on purpose"))(stage)


@pytest.mark.parametrize("prepare", state.all, ids=lambda prepare: prepare.__name__)
def test_axe_finds_nothing_in_any_state(prepare: State, stage: Stage) -> None:
    faults = faults_of(prepare(stage))
    assert not faults, "\n".join(faults)
