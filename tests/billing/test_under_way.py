"""What is under way at Stripe: the page asks again by itself, and tells what became of it, once."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from billing.models import OperationKind, StripeOperation
from billing.operations.purchase_steps import look
from billing.operations.purchases import start_purchase
from orgs.models import Membership
from tests.billing.factories import PurchaseFactory
from tests.billing.pages import billing_url, text_of
from tests.billing.plans import Customer
from tests.billing.sales import GROWTH, paid_at_stripe, price_id, put_up_for_sale
from tests.billing.test_payments import open_invoice, press, the_button
from tests.billing.told import Told
from tests.billing.world import StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

BY_ITSELF = {"HX-Request": "true"}
LOOK = re.compile(r'href="([^"]*/under-way/[^"]*)"')
WAITS = 'hx-trigger="every 3s"'


def body(answer: HttpResponse) -> str:
    return answer.content.decode()


def page_of(client: Client, membership: Membership) -> str:
    return body(client.get(billing_url(membership.organization)))


def look_in(page: str) -> str:
    (address,) = LOOK.findall(page)
    return str(address).replace("&amp;", "&")


def announced(answer: HttpResponse) -> str:
    (told,) = re.findall(r'id="announcer" role="status">(.*?)</div>', body(answer), re.DOTALL)
    return str(told).strip()


def payment_without_answer(told: Told) -> str:
    """Press while Stripe's answer gets lost. Returns the page."""
    open_invoice(told)
    told.stripe.control.drop(method="POST", path="/v1/invoices/*")
    press(told, the_button(told))
    return page_of(told.browser, told.reader)


@pytest.mark.slow
def test_a_payment_is_asked_for_by_itself_until_it_is_settled(told: Told) -> None:
    page = payment_without_answer(told)
    assert WAITS in page
    look = look_in(page)
    assert told.browser.get(look, headers=BY_ITSELF).status_code == 204
    sweep_everything()
    answer = told.browser.get(look, headers=BY_ITSELF)
    assert answer.status_code == 200
    assert "Due now Nothing" in text_of(answer)
    assert "Waiting for Stripe." not in text_of(answer)
    assert announced(answer) == "Paid $600.00 with Visa ending 4242."
    assert body(answer).count("Paid $600.00 with Visa ending 4242.") == 2


def test_without_script_a_link_looks_again_and_tells_once(told: Told) -> None:
    look = look_in(payment_without_answer(told))
    home = billing_url(told.reader.organization)
    answer = told.browser.get(look)
    assert answer.headers["Location"] == home
    page = text_of(told.browser.get(home))
    assert "Waiting for Stripe." in page
    assert "Stripe has not answered yet." in page
    sweep_everything()
    told.browser.get(look)
    page = told.browser.get(home)
    assert "Paid $600.00 with Visa ending 4242." in text_of(page)
    assert announced(page) == ""
    assert "Paid $600.00 with Visa ending 4242." not in text_of(told.browser.get(home))


def test_after_some_minutes_the_page_asks_no_more_by_itself(told: Told) -> None:
    look = look_in(payment_without_answer(told))
    StripeOperation.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    answer = told.browser.get(look, headers=BY_ITSELF)
    assert answer.status_code == 200
    assert WAITS not in body(answer)
    assert look_in(body(answer)) == look


def test_what_is_not_the_organizations_is_not_told(told: Told, sign_in: SignIn) -> None:
    look = look_in(payment_without_answer(told)).partition("/under-way/")[2]
    sweep_everything()
    other = MembershipFactory(role="admin")
    client = sign_in(other)
    answer = client.get(billing_url(other.organization, f"under-way/{look}&operation=x"), follow=True)
    assert "Paid" not in text_of(answer)


def settled(client: Client, membership: Membership) -> str:
    """What the page says by itself once the sweep has come to the end of what it waits for."""
    page = page_of(client, membership)
    assert WAITS in page
    sweep_everything()
    return announced(client.get(look_in(page), headers=BY_ITSELF))


@pytest.mark.slow
def test_a_change_of_plan_is_told(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    page = customer.get("seats/?seats=5")
    customer.stripe.control.drop(method="POST", path="/v1/subscriptions/*")
    customer.press("seats/?seats=5", page=page)
    assert "The plan is Team Pro with 5 seats now." in settled(customer.browser, customer.reader)


@pytest.mark.slow
def test_a_change_of_plan_that_fails_is_told(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    page = customer.get("seats/?seats=5")
    customer.stripe.control.fail(503, method="POST", path="/v1/subscriptions/*")
    customer.press("seats/?seats=5", page=page)
    customer.stripe.control.refuse_charges(customer.stripe.default_card(customer.account) or "")
    told = settled(customer.browser, customer.reader)
    assert "The payment was declined" in told
    assert "Nothing was charged or changed." in told


@pytest.mark.parametrize(
    ("act", "ends", "sentence"),
    [("cancel", False, "The subscription ends on"), ("keep", True, "The subscription goes on. It renews on")],
)
def test_an_ending_and_a_keeping_are_told(customer: Customer, act: str, ends: bool, sentence: str) -> None:
    customer.buy("enterprise-growth", cancel_at_period_end=ends)
    row = customer.row()
    path = customer.url(f"subscriptions/{row.pk}/{act}/")
    assert row.period_end is not None
    customer.stripe.control.fail(503, count=10)
    customer.browser.post(path, {"shown_end": row.period_end.isoformat()})
    customer.stripe.control.clear_faults()
    assert sentence in settled(customer.browser, customer.reader)


def test_a_purchase_is_told_and_waited_for_once_it_is_paid(
    stripe: StripeWorld, admin: Membership, sign_in: SignIn
) -> None:
    put_up_for_sale(stripe)
    client = sign_in(admin)
    start_purchase(actor=admin, edition_code=GROWTH, shown_price=price_id())
    assert "Waiting for Stripe." not in page_of(client, admin)
    operation = StripeOperation.objects.get(pk=paid_at_stripe(stripe, admin))
    look(operation)
    page = page_of(client, admin)
    assert "This page shows when the subscription has started." in page
    assert "Choose a plan" not in page
    assert settled(client, admin) == "The subscription has started."


def test_a_purchase_whose_page_was_never_made_is_not_waited_for(admin: Membership, sign_in: SignIn) -> None:
    PurchaseFactory(organization=admin.organization, actor_id=admin.user_id, state="pending")
    assert StripeOperation.objects.get(kind=OperationKind.START_SUBSCRIPTION).step == "create"
    assert "Waiting for Stripe." not in page_of(sign_in(admin), admin)
