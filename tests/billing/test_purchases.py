"""Buying an edition, from the button to the edition, whoever else is at it."""

import re
from typing import Any

import pytest
from django.conf import LazySettings

from audit.models import AuditEvent
from billing import gateway
from billing.mirror.prices import sync_prices
from billing.models import BillingAccount, Invoice, OperationState, StripeOperation, Subscription
from billing.operations.life import resume
from billing.operations.purchases import start_purchase
from billing.purchase_outcomes import PurchaseOutcome, purchase_outcome_of
from billing.webhooks import handle
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Denied, Role
from orgs.services import change_role
from outbox.models import OutgoingEmail
from tests.billing.sales import (
    GROWTH,
    buy,
    paid_at_stripe,
    price_at_stripe,
    price_id,
    purchase_of,
    put_up_for_sale,
)
from tests.billing.world import StripeWorld, deliver, operation_in, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.pages import text
from tests.races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices(stripe: StripeWorld, db: None) -> None:
    put_up_for_sale(stripe)


def url(membership: Membership, page: str = "purchase/") -> str:
    return f"/orgs/{membership.organization.slug}/settings/billing/{page}"


def live(stripe: StripeWorld) -> list[Any]:
    found = stripe.api.subscriptions.list({"status": "all", "limit": 100}).data
    return [one for one in found if one.status not in {"canceled", "incomplete_expired"}]


def subscribe_elsewhere(stripe: StripeWorld) -> Any:
    """Somebody at Stripe's dashboard subscribes the customer to something."""
    account = BillingAccount.objects.get()
    return stripe.api.subscriptions.create(
        {
            "customer": account.stripe_customer_id,
            "items": [{"price": stripe.price()}],
            "collection_method": "send_invoice",
            "days_until_due": 14,
        }
    )


def test_the_button_leads_to_stripe_and_back_to_the_new_edition(
    billing_manager: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    client = sign_in(billing_manager)
    page = client.get(url(billing_manager))
    assert '<strong>$6,000.00</strong> a year <span class="sub">plus any tax' in text(page)
    form = {"edition": GROWTH, "shown_price": price_id()}
    assert (
        re.findall(r'name="shown_price"\s+type="hidden"\s+value="([^"]*)"', page.content.decode())[1]
        == price_id()
    )
    response = client.post(url(billing_manager), form)
    assert response.status_code == 303
    back = stripe.control.enter_card(response["Location"])
    assert back.startswith(f"http://testserver{url(billing_manager, 'purchase/return/')}?operation=")
    assert "Waiting for Stripe" in client.get(back).content.decode()
    resume(operation_in(back))
    shown = text(client.get(back, follow=True))
    assert "The subscription has started." in shown
    assert "Enterprise Growth, invoiced yearly" in shown
    billing_manager.organization.refresh_from_db()
    assert billing_manager.organization.edition_code == GROWTH
    (subscription,) = live(stripe)
    assert Subscription.objects.get().stripe_id == subscription.id
    assert Invoice.objects.get().amount_paid == 600_000


@pytest.mark.slow
def test_a_start_is_audited_once_and_told_to_all_who_may_change_it(
    admin: Membership, billing_manager: Membership, member: Membership, stripe: StripeWorld
) -> None:
    operation_id = paid_at_stripe(stripe, admin)
    for event in stripe.events("customer.subscription.created", "checkout.session.completed"):
        deliver(event)
        handle(event["id"])
    resume(operation_id)
    sweep_everything()
    event = AuditEvent.objects.get(action="subscription.started")
    assert (event.actor_id, event.data) == (admin.user_id, {"edition": GROWTH})
    mails = OutgoingEmail.objects.filter(kind="subscription_started")
    assert {mail.to for mail in mails} == {admin.user.email, billing_manager.user.email}
    assert {mail.to for mail in mails if mail.params["own"]} == {admin.user.email}


def test_a_second_press_leads_to_the_same_page(admin: Membership, stripe: StripeWorld) -> None:
    assert buy(admin) == buy(admin)
    assert len(stripe.sessions()) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_page_stays_open(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    def press(actor: Membership) -> str:
        try:
            return buy(actor)
        except Refused:
            return ""

    at_once(lambda: press(admin), lambda: press(billing_manager))
    assert len([one for one in stripe.sessions() if one.status == "open"]) <= 1
    assert StripeOperation.objects.filter(kind="start_subscription", state="waiting").count() <= 1


def test_who_comes_while_a_page_is_being_made_is_told_so(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, refusals = gateway.create_subscription_session, []

    def made_while_another_presses(**asked: Any) -> Any:
        monkeypatch.setattr(gateway, "create_subscription_session", make)
        for person in (admin, billing_manager):
            with pytest.raises(Refused) as refused:
                buy(person)
            refusals.append(str(refused.value.message))
        return make(**asked)

    monkeypatch.setattr(gateway, "create_subscription_session", made_while_another_presses)
    page = buy(admin)
    assert refusals == ["The payment page is being opened already. Try again in a moment."] * 2
    assert [one.url for one in stripe.sessions()] == [page]


@pytest.mark.parametrize("other_edition", [True, False])
def test_another_page_closes_the_one_that_is_open(
    other_edition: bool, admin: Membership, billing_manager: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    first = buy(admin)
    second = buy(admin, "business-critical") if other_edition else buy(billing_manager)
    assert stripe.control.enter_card(second)
    closed = StripeOperation.objects.get(kind="start_subscription", state="failed")
    assert purchase_outcome_of(closed) == PurchaseOutcome.REPLACED
    assert [one.status for one in stripe.sessions() if one.url is None].count("expired") == 1
    assert first != second
    back = f"{url(admin, 'purchase/return/')}?operation={closed.pk}"
    assert "another one was opened" in text(sign_in(admin).get(back, follow=True))


def test_a_page_that_was_paid_before_it_could_be_closed_is_bought(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    paid_at_stripe(stripe, admin)
    with pytest.raises(Refused, match="There is a subscription already"):
        buy(billing_manager)
    assert len(live(stripe)) == 1
    assert AuditEvent.objects.get(action="subscription.started").actor_id == admin.user_id


def test_nothing_is_sold_to_who_has_a_subscription(
    admin: Membership, stripe: StripeWorld, account: BillingAccount, sign_in: SignIn
) -> None:
    """Stripe has one that the portal doesn't know of yet."""
    subscribe_elsewhere(stripe)
    response = sign_in(admin).post(url(admin), {"edition": GROWTH, "shown_price": price_id()}, follow=True)
    assert "There is a subscription already" in text(response)
    assert not stripe.sessions()
    assert Subscription.objects.count() == 1


def test_a_subscription_that_comes_up_meanwhile_closes_the_page(
    admin: Membership, stripe: StripeWorld
) -> None:
    page = buy(admin)
    subscribe_elsewhere(stripe)
    for event in stripe.events("customer.subscription.created"):
        deliver(event)
        handle(event["id"])
    assert stripe.control.enter_card(page) == ""
    assert purchase_outcome_of(purchase_of(admin.organization_id)) == PurchaseOutcome.TAKEN
    assert len(live(stripe)) == 1


@pytest.mark.slow
def test_a_subscription_that_comes_up_while_the_person_pays_ends_the_second_and_credits_it(
    admin: Membership, stripe: StripeWorld
) -> None:
    page = buy(admin)
    elsewhere = subscribe_elsewhere(stripe)
    resume(operation_in(stripe.control.enter_card(page)))
    operation = purchase_of(admin.organization_id)
    assert purchase_outcome_of(operation) == PurchaseOutcome.TAKEN_LATE
    assert [one.id for one in live(stripe)] == [elsewhere.id]
    assert stripe.api.customers.retrieve(BillingAccount.objects.get().stripe_customer_id).balance == -600_000
    assert AuditEvent.objects.filter(action="subscription.undone").count() == 1
    assert not AuditEvent.objects.filter(action="subscription.started").exists()


def test_a_person_who_lost_the_role_before_paying_finds_the_page_closed(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    page = buy(billing_manager)
    change_role(actor=admin, membership_id=billing_manager.pk, role=Role.MEMBER)
    sweep_everything()
    assert stripe.control.enter_card(page) == ""
    assert purchase_outcome_of(purchase_of(admin.organization_id)) == PurchaseOutcome.NOT_ALLOWED


def test_a_person_who_lost_the_role_while_paying_has_bought_nothing(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld
) -> None:
    operation_id = paid_at_stripe(stripe, billing_manager)
    change_role(actor=admin, membership_id=billing_manager.pk, role=Role.MEMBER)
    resume(operation_id)
    assert purchase_outcome_of(purchase_of(admin.organization_id)) == PurchaseOutcome.NOT_ALLOWED_LATE
    assert not live(stripe)
    admin.organization.refresh_from_db()
    assert admin.organization.edition_code == "team-growth"


def test_a_member_buys_nothing(member: Membership, stripe: StripeWorld) -> None:
    with pytest.raises(Denied):
        buy(member)
    assert not stripe.sessions()


def test_a_price_that_changed_since_shows_the_page_anew(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    shown = price_id()
    price_at_stripe(stripe, enterprise_growth_yearly=7_000_00)
    response = sign_in(admin).post(url(admin), {"edition": GROWTH, "shown_price": shown})
    assert response.status_code == 409
    assert "What is sold has changed. Nothing was bought." in text(response)
    assert "<strong>$7,000.00</strong> a year" in text(response)
    assert not stripe.sessions()


@pytest.mark.parametrize(
    ("edition", "price"),
    [("", ""), ("team-pro", "price_1"), ("enterprise-growth", "price_1"), ("team-growth", "of-growth")],
)
def test_an_edition_or_price_sent_by_hand_gets_nothing(
    edition: str, price: str, admin: Membership, stripe: StripeWorld
) -> None:
    shown = price_id() if price == "of-growth" else price
    with pytest.raises(PageOutdated):
        start_purchase(actor=admin, edition_code=edition, shown_price=shown)
    assert not stripe.sessions()


def test_without_a_price_there_is_no_figure_and_no_button(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    stripe.api.prices.update(price_id(), {"active": False})
    sync_prices()
    page = sign_in(admin).get(url(admin))
    assert "The price is not known right now." in text(page)
    assert "Choose Enterprise Growth" not in text(page)
    assert "Choose Business Critical" in text(page)


@pytest.mark.parametrize("operation", ["", "x", "0b5aa2d1-6f4e-4a3e-9a52-2f4c1b9b8a11"])
def test_a_return_without_a_purchase_of_ones_own_is_not_found(
    operation: str, admin: Membership, sign_in: SignIn
) -> None:
    assert sign_in(admin).get(f"{url(admin, 'purchase/return/')}?operation={operation}").status_code == 404


def test_another_organizations_purchase_is_not_found(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    buy(admin)
    elsewhere = MembershipFactory(user=admin.user, role=Role.ADMIN)
    back = f"{url(elsewhere, 'purchase/return/')}?operation={purchase_of(admin.organization_id).pk}"
    assert sign_in(admin).get(back).status_code == 404


def test_a_page_left_open_too_long_buys_nothing(admin: Membership, stripe: StripeWorld) -> None:
    buy(admin)
    stripe.control.advance(hours=3)
    sweep_everything()
    operation = purchase_of(admin.organization_id)
    assert operation.state == OperationState.FAILED
    assert purchase_outcome_of(operation) == PurchaseOutcome.EXPIRED


def test_where_stripe_works_out_taxes_the_page_sells_with_them(
    admin: Membership, stripe: StripeWorld, account: BillingAccount, settings: LazySettings
) -> None:
    settings.STRIPE_AUTOMATIC_TAX = True
    stripe.api.customers.update(account.stripe_customer_id, {"address": {"country": "DE"}})
    resume(operation_in(stripe.control.enter_card(buy(admin))))
    assert live(stripe)[0].automatic_tax.enabled
    assert Invoice.objects.get().amount_paid > 600_000
