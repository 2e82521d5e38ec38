"""Another edition, other seats: what is shown is what is done, to the cent, and nothing else."""

from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.core import signing
from django.urls import reverse
from structlog.testing import capture_logs

from audit.models import AuditEvent
from billing import gateway
from billing.change_outcomes import Outcome, outcome_of
from billing.models import StripeOperation
from billing.plan_offers import SALT
from billing.tasks import sweep
from orgs.models import Membership
from orgs.policy import StaffRole
from outbox.models import OutgoingEmail
from tests.billing.mishaps import Killed, let_waits_end
from tests.billing.plans import Customer, operation, sealed_in, text_of
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.sampling import sampled
from tests.world import staff_with

pytestmark = pytest.mark.django_db
PLAN, SEATS = "plan/?edition={}", "seats/?seats={}"


def sweep_everything() -> None:
    let_waits_end()
    sweep()


def actions() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="subscription.").order_by("id")
    return [event.action for event in found if event.action != "subscription.changed"]


@pytest.mark.slow
def test_an_upgrade_charges_what_its_page_showed_and_counts_at_once(customer: Customer) -> None:
    customer.buy("enterprise-growth")
    customer.half_of_the_period()
    page = customer.get(PLAN.format("business-critical"))
    told = text_of(page)
    answer = customer.press(PLAN.format("business-critical"), page=page)
    assert (answer.status_code, answer.headers["Location"]) == (302, customer.url(""))
    latest = customer.invoices()[0]
    amount = f"${latest.total / 100:,.2f}"
    assert latest.status == "paid"
    assert f"Today you pay {amount}" in told
    assert f"Pay {amount} and change to Business Critical" in told
    assert "$18,000.00 a year" in told
    assert "VAT" in told
    assert customer.organization.edition_code == "business-critical"
    assert outcome_of(operation()) is Outcome.MADE
    assert "difference" not in operation().result
    assert actions() == ["subscription.change_asked", "subscription.plan_changed"]
    assert f"The plan is Business Critical now. The invoice comes to {amount}." in text_of(customer.get(""))
    (mail,) = OutgoingEmail.objects.filter(kind="plan_changed")
    assert mail.params["charged"] == latest.amount_due


@pytest.mark.slow
def test_more_seats_count_at_once_and_fewer_when_the_period_ends(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    customer.half_of_the_period()
    assert "Pay $60.00 and change to 5 seats" in text_of(customer.get(SEATS.format(5)))
    customer.press(SEATS.format(5))
    assert (customer.organization.seats, customer.invoices()[0].total) == (5, 6000)
    told = text_of(customer.get(SEATS.format(2)))
    assert "Today you pay $0.00" in told
    assert "$120.00 a month" in told
    customer.press(SEATS.format(2))
    assert (customer.organization.seats, len(customer.invoices())) == (5, 2)
    customer.end_of_the_period()
    assert (customer.organization.seats, customer.invoices()[0].total) == (2, 12000)


@pytest.mark.slow
def test_a_downgrade_keeps_all_until_the_period_ends(customer: Customer) -> None:
    customer.buy("business-critical")
    page = customer.get(PLAN.format("enterprise-growth"))
    assert "Today you pay $0.00" in text_of(page)
    assert "$7,200.00 a year" in text_of(page)
    customer.press(PLAN.format("enterprise-growth"), page=page)
    assert outcome_of(operation()) is Outcome.PLANNED
    assert customer.organization.edition_code == "business-critical"
    assert len(customer.invoices()) == 1
    assert "Changes to Enterprise Growth on" in text_of(customer.get(""))
    customer.end_of_the_period()
    assert customer.organization.edition_code == "enterprise-growth"
    assert customer.invoices()[0].total == 720000
    assert "Changes to" not in text_of(customer.get(""))


@pytest.mark.slow
def test_a_planned_change_can_be_undone(customer: Customer) -> None:
    customer.buy("business-critical")
    customer.press(PLAN.format("enterprise-growth"))
    schedule = customer.subscription().schedule
    question = text_of(customer.get(f"plan/undo/?schedule={schedule}"))
    assert "Undo the planned change?" in question
    customer.browser.post(customer.url("plan/undo/"), {"schedule": schedule})
    assert customer.subscription().schedule is None
    told = text_of(customer.get(""))
    assert "The change is undone. The plan stays as it is." in told
    assert "Changes to" not in told
    assert actions()[-2:] == ["subscription.undo_asked", "subscription.change_undone"]
    customer.end_of_the_period()
    assert customer.organization.edition_code == "business-critical"


@pytest.mark.slow
def test_a_change_planned_at_stripe_shows_and_can_be_undone_here(customer: Customer) -> None:
    made = customer.buy("team-pro", 4)
    schedule = customer.api.subscription_schedules.create({"from_subscription": made.id})
    (phase,) = schedule.phases
    same = {"price": customer.prices["team-pro"]}
    customer.api.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{**same, "quantity": 4}],
                    "start_date": phase.start_date,
                    "end_date": phase.end_date,
                },
                {"items": [{**same, "quantity": 2}], "duration": {"interval": "month"}},
            ]
        },
    )
    customer.hear()
    assert "Changes to Team Pro with 2 seats on" in text_of(customer.get(""))
    told = text_of(customer.get(SEATS.format(6)))
    assert "This would count at once, and a change is planned for" in told
    assert "and change to 6 seats" not in told
    customer.browser.post(customer.url("plan/undo/"), {"schedule": schedule.id})
    assert customer.subscription().schedule is None


@pytest.mark.slow
def test_a_planned_change_gives_way_to_another_in_one_press(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.press(SEATS.format(2))
    schedule = customer.subscription().schedule
    page = customer.get(SEATS.format(3))
    told = text_of(page)
    assert "Changes to Team Pro with 2 seats on" in told
    assert "What you choose for the end of the period takes its place." in told
    customer.press(SEATS.format(3), page=page)
    assert outcome_of(operation()) is Outcome.PLANNED
    assert customer.subscription().schedule == schedule
    told = text_of(customer.get(""))
    assert "Changes to Team Pro with 3 seats on" in told
    assert "Changes to Team Pro with 2 seats on" not in told
    customer.end_of_the_period()
    assert (customer.organization.seats, customer.invoices()[0].total) == (3, 18000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "before"),
    sampled(list(product(["subscription", "plan_change", "subscriptions"], [True, False])), every=3),
)
def test_a_process_that_dies_while_a_plan_gives_way_leaves_one_of_the_two(
    name: str, before: bool, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer.buy("team-pro", 4)
    customer.press(SEATS.format(2))
    page, original = customer.get(SEATS.format(3)), getattr(gateway, name)

    def dies(*asked: Any, **given: Any) -> Any:
        if not before:
            original(*asked, **given)
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(gateway, name, dies)
        customer.press(SEATS.format(3), page=page)
    phases = customer.api.subscription_schedules.retrieve(customer.subscription().schedule).phases
    assert [phase["items"][0]["quantity"] for phase in phases] in ([4, 2], [4, 3])
    sweep_everything()
    assert outcome_of(operation()) is Outcome.PLANNED
    customer.end_of_the_period()
    assert customer.organization.seats == 3


@pytest.mark.slow
def test_a_change_that_stripe_refuses_leaves_what_was_planned(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.press(SEATS.format(2))
    page = customer.get(SEATS.format(3))
    refusal = {"error": {"type": "invalid_request_error", "message": "No."}}
    customer.stripe.control.fail(400, body=refusal, method="POST", path="/v1/subscription_schedules/*")
    answer = customer.press(SEATS.format(3), page=page)
    assert "Stripe did not accept the change. Nothing was changed." in text_of(answer.content.decode())
    customer.end_of_the_period()
    assert customer.organization.seats == 2


@pytest.mark.slow
def test_a_schedule_with_nothing_left_to_change_hinders_nobody(customer: Customer) -> None:
    customer.buy("team-pro", 4)
    customer.press(SEATS.format(2))
    customer.end_of_the_period()
    assert customer.subscription().schedule
    customer.press(SEATS.format(3))
    assert (customer.organization.seats, customer.subscription().schedule) == (3, None)


def test_a_declined_payment_changes_nothing_and_says_why(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    card = customer.stripe.default_card(customer.account)
    customer.stripe.control.refuse_charges(str(card), "insufficient_funds")
    answer = customer.press(SEATS.format(5))
    told = text_of(answer.content.decode())
    assert answer.status_code == 422
    assert "there was not enough money in the account. Nothing was charged or changed." in told
    assert (customer.organization.seats, len(customer.invoices())) == (3, 1)
    assert actions() == ["subscription.change_asked"]
    event = AuditEvent.objects.get(action="billing.act_failed")
    assert event.data["outcome"] == {"code": "declined", "reason": "insufficient_funds"}
    assert event.sentence == (
        "asked to change the plan; it was not done, since the payment was declined: "
        "there was not enough money in the account"
    )


@pytest.mark.slow
def test_a_bank_that_asks_for_a_confirmation_leads_to_another_way(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    customer.stripe.attach_default(customer.account, "pm_card_authenticationRequired")
    customer.hear()
    answer = customer.press(SEATS.format(5))
    assert "The bank wants you to confirm the payment" in text_of(answer.content.decode())
    assert (customer.organization.seats, len(customer.invoices())) == (3, 1)


def test_nothing_saved_that_pays_is_told_before_the_press(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    customer.api.payment_methods.detach(customer.stripe.default_card(customer.account))
    customer.hear()
    told = text_of(customer.get(SEATS.format(5)))
    assert "No card is saved that could pay this." in told
    assert "and change to 5 seats" not in told


@pytest.mark.parametrize("name", ["price", "quantity", "currency", "edition", "total", "items"])
def test_what_is_sent_by_hand_gets_nothing(customer: Customer, name: str) -> None:
    customer.buy("team-pro", 3)
    page = customer.get(SEATS.format(4))
    customer.press(SEATS.format(4), page=page, **{name: "1"})
    assert customer.organization.seats == 4


@pytest.mark.parametrize("sealed", ["", "made:up", "forged", "of another person", "too old"])
def test_an_offer_that_was_not_made_to_this_person_lately_gets_nothing(
    customer: Customer, sealed: str, admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer.buy("team-pro", 3)
    offer = sealed_in(customer.get(SEATS.format(4)))
    if sealed == "forged":
        sealed = signing.dumps({**signing.loads(offer, salt=SALT), "quantity": 1}, salt="another")
    elif sealed == "of another person":
        browser = sign_in(admin)
        sealed = sealed_in(browser.get(customer.url(SEATS.format(4))).content.decode())
    elif sealed == "too old":
        sealed = offer
        monkeypatch.setattr("billing.sealing.LIFE", timedelta(seconds=-1))
    answer = customer.browser.post(customer.url(SEATS.format(4)), {"offer": sealed})
    assert answer.status_code == 422
    assert "These amounts are too old to be certain." in text_of(answer.content.decode())
    assert customer.organization.seats == 3
    assert not StripeOperation.objects.filter(kind="change_plan").exists()


@pytest.mark.slow
def test_a_plan_that_changed_since_the_page_was_drawn_is_shown_anew(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    pages = [customer.get(SEATS.format(number)) for number in (5, 6)]
    customer.press(SEATS.format(5), page=pages[0])
    answer = customer.press(SEATS.format(6), page=pages[1])
    told = text_of(answer.content.decode())
    assert answer.status_code == 422
    assert "The plan has changed since you opened this." in told
    assert "and change to 6 seats" in told
    assert customer.organization.seats == 5


@pytest.mark.slow
def test_a_plan_that_changed_at_stripe_unheard_is_not_changed_again(customer: Customer) -> None:
    made = customer.buy("team-pro", 3)
    page = customer.get(SEATS.format(5))
    item = made["items"].data[0].id
    customer.api.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 9}]})
    answer = customer.press(SEATS.format(5), page=page)
    assert "The plan was changed meanwhile." in text_of(answer.content.decode())
    assert customer.organization.seats == 9


@pytest.mark.slow
def test_an_amount_that_changed_since_is_not_charged(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    page = customer.get(SEATS.format(5))
    customer.api.customers.balance_transactions.create(
        customer.account.stripe_customer_id, {"amount": -700, "currency": "usd"}
    )
    answer = customer.press(SEATS.format(5), page=page)
    assert "The amounts have changed meanwhile." in text_of(answer.content.decode())
    assert (customer.organization.seats, len(customer.invoices())) == (3, 1)


@pytest.mark.slow
def test_pressed_twice_is_done_once(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    page = customer.get(SEATS.format(5))
    answers = [customer.press(SEATS.format(5), page=page) for _press in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(customer.invoices()) == 2
    assert StripeOperation.objects.filter(kind="change_plan").count() == 1


def test_seats_are_never_fewer_than_are_in_use(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    MembershipFactory.create_batch(2, organization=customer.account.organization)
    assert "Choose from 2 to 10000 seats." in text_of(customer.get(SEATS.format(1)))
    page = customer.get(SEATS.format(2))
    MembershipFactory(organization=customer.account.organization)
    answer = customer.press(SEATS.format(2), page=page)
    assert "3 seats are in use, so there can't be fewer." in text_of(answer.content.decode())


def test_an_edition_without_seats_has_neither_control_nor_endpoint(customer: Customer) -> None:
    customer.buy("enterprise-growth")
    assert "Change seats" not in text_of(customer.get(""))
    for method in (customer.browser.get, customer.browser.post):
        assert method(customer.url(SEATS.format(5))).status_code == 404


@pytest.mark.slow
def test_an_overdue_payment_comes_first(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    card = customer.stripe.default_card(customer.account)
    customer.stripe.control.refuse_charges(str(card), "insufficient_funds")
    customer.stripe.control.advance(days=33)
    customer.hear()
    for path in (SEATS.format(5), PLAN.format("business-critical")):
        told = text_of(customer.get(path))
        assert "A payment is overdue. Pay it first" in told
        assert "and change to" not in told


def test_what_is_not_sold_any_more_is_not_offered(customer: Customer) -> None:
    customer.buy("team-growth")
    told = text_of(customer.get(PLAN.format("enterprise")))
    assert "Today you pay" not in told
    assert "Enterprise Growth" in told
    assert "Team Pro" not in told


def test_stripe_down_is_said_and_the_plan_still_shown(customer: Customer) -> None:
    customer.buy("team-growth")
    customer.stripe.control.fail(503, count=10)
    told = text_of(customer.get(PLAN.format("business-critical")))
    customer.stripe.control.clear_faults()
    assert "Stripe does not answer right now" in told
    assert "Your plan" in told


@pytest.mark.slow
def test_a_difference_between_preview_and_invoice_is_kept_and_told(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something came between the last look and the change: no more can be ruled out at Stripe."""
    customer.buy("team-pro", 3)
    change = gateway.change_subscription

    def after_a_credit(*asked: Any, **given: Any) -> str:
        customer.api.customers.balance_transactions.create(
            customer.account.stripe_customer_id, {"amount": -700, "currency": "usd"}
        )
        return change(*asked, **given)

    monkeypatch.setattr(gateway, "change_subscription", after_a_credit)
    with capture_logs() as logs:
        customer.press(SEATS.format(5))
    (line,) = [line for line in logs if line["event"] == "preview_differs_from_invoice"]
    assert (line["log_level"], line["accepted"]["amount_due"]) == ("error", 12000)
    assert operation().result["difference"]["amount_due"] == 11300
    listed = staff_with(StaffRole.BILLING_SUPPORT).get(
        reverse("admin:billing_stripeoperation_changelist"), {"differs": "yes"}
    )
    assert "$113.00 ≠ $120.00" in listed.content.decode()
