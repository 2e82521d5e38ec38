"""A change of plan when Stripe, the process or a role fails on the way: no charge twice, no half change."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from audit.models import AuditEvent
from billing import gateway
from billing.change_outcomes import Outcome, outcome_of
from billing.models import OperationState, StripeOperation
from billing.operations import plan_steps
from billing.operations.plans import accept_offer, undo_change
from billing.tasks import sweep
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Role
from tests.billing.mishaps import Killed, let_waits_end
from tests.billing.plans import Customer, operation, sealed_in, text_of
from tests.races import at_once
from tests.sampling import sampled

pytestmark = pytest.mark.django_db
SUBSCRIPTION = "/v1/subscriptions/*"
MORE, FEWER = "seats/?seats=5", "seats/?seats=2"


def offer(customer: Customer, path: str = MORE) -> str:
    return sealed_in(customer.get(path))


def sweep_everything(times: int = 1) -> None:
    for _time in range(times):
        let_waits_end()
        sweep()


def changed_once(customer: Customer, *, seats: int = 5) -> None:
    assert customer.organization.seats == seats
    assert sorted(invoice.total for invoice in customer.invoices()) == [12000, 18000]
    assert AuditEvent.objects.filter(action="subscription.plan_changed").count() == 1


@pytest.fixture
def bought(customer: Customer) -> Customer:
    customer.buy("team-pro", 3)
    return customer


@pytest.mark.slow
def test_an_answer_lost_after_the_work_charges_once_and_the_page_says_so(bought: Customer) -> None:
    page = bought.get(MORE)
    bought.stripe.control.drop(method="POST", path=SUBSCRIPTION)
    answer = bought.press(MORE, page=page)
    assert answer.headers["Location"] == bought.url("")
    assert "what becomes of the change of the subscription." in text_of(bought.get(""))
    assert "A change is being made." in text_of(bought.get("seats/?seats=7"))
    bought.press(MORE, page=page)
    sweep_everything()
    changed_once(bought)


def test_a_failure_that_stripe_remembers_is_looked_up(bought: Customer) -> None:
    """The work is done, but the key answers 500 for good: https://docs.stripe.com/error-low-level."""
    page = bought.get(MORE)
    bought.stripe.control.fail(500, method="POST", path=SUBSCRIPTION, when="after", stored=True)
    bought.press(MORE, page=page)
    sweep_everything(3)
    changed_once(bought)


def test_what_stripe_did_not_do_within_the_hour_is_given_up(bought: Customer) -> None:
    page = bought.get(MORE)
    bought.stripe.control.fail(503, method="POST", path=SUBSCRIPTION, when="before")
    bought.press(MORE, page=page)
    bought.clock.ahead += timedelta(hours=2)
    sweep_everything()
    assert outcome_of(operation()) is Outcome.TOO_LATE
    assert (bought.organization.seats, len(bought.invoices())) == (3, 1)


@pytest.mark.parametrize("path", ["/v1/subscription_schedules", "/v1/subscription_schedules/*"])
def test_an_answer_about_a_schedule_lost_after_the_work_plans_once(bought: Customer, path: str) -> None:
    page = bought.get(FEWER)
    bought.stripe.control.drop(method="POST", path=path)
    bought.press(FEWER, page=page)
    sweep_everything()
    assert outcome_of(operation()) is Outcome.PLANNED
    schedules = bought.api.subscription_schedules.list({"customer": bought.account.stripe_customer_id}).data
    assert [len(schedule.phases) for schedule in schedules] == [2]
    bought.end_of_the_period()
    assert bought.organization.seats == 2


@pytest.mark.slow
def test_an_undoing_without_an_answer_is_done_in_the_end(bought: Customer) -> None:
    bought.press(FEWER)
    schedule = bought.subscription().schedule
    bought.stripe.control.fail(
        500, method="POST", path="/v1/subscription_schedules/*", when="after", stored=True
    )
    undo_change(actor=bought.reader, schedule_id=schedule)
    sweep_everything(3)
    assert outcome_of(operation()) is Outcome.UNDONE
    assert bought.subscription().schedule is None


def test_a_schedule_that_stripe_refuses_to_plan_is_let_go(bought: Customer) -> None:
    page = bought.get(FEWER)
    refusal = {"error": {"type": "invalid_request_error", "message": "No."}}
    bought.stripe.control.fail(400, body=refusal, method="POST", path="/v1/subscription_schedules/*")
    answer = bought.press(FEWER, page=page)
    assert "Stripe did not accept the change. Nothing was changed." in text_of(answer.content.decode())
    assert bought.subscription().schedule is None


def test_a_role_lost_meanwhile_ends_it(bought: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = offer(bought)
    monkeypatch.setattr("billing.operations.plans.resume", lambda pk: StripeOperation.objects.get(pk=pk))
    accept_offer(actor=bought.reader, sealed=sealed)
    Membership.objects.filter(pk=bought.reader.pk).update(role=Role.MEMBER)
    monkeypatch.undo()
    sweep_everything()
    assert operation().result["outcome"] == Outcome.NOT_ALLOWED
    assert len(bought.invoices()) == 1


def test_what_can_not_be_read_was_made_all_the_same(bought: Customer) -> None:
    page = bought.get(MORE)
    bought.stripe.control.take_scopes("rak_credit_note_read", "rak_invoice_read")
    answer = bought.press(MORE, page=page)
    bought.stripe.control.take_scopes()
    assert answer.status_code == 302
    assert operation().state == OperationState.DONE
    changed_once(bought)


STEPS = [
    (gateway, "subscription"),
    (gateway, "preview_of_change"),
    (gateway, "change_subscription"),
    (gateway, "invoice"),
    (gateway, "subscriptions"),
    (gateway, "begin_schedule"),
    (gateway, "plan_change"),
    (plan_steps, "tell_of_plan_change"),
    (StripeOperation, "write"),
]


@pytest.mark.parametrize(
    ("path", "before", "at"),
    sampled(list(product([MORE, FEWER], [True, False], STEPS)), every=5),
    ids=lambda value: value[1] if isinstance(value, tuple) else str(value),
)
def test_a_process_that_dies_at_any_step_leaves_nothing_twice_and_nothing_undone(
    path: str, before: bool, at: tuple[Any, str], bought: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name = at
    sealed = offer(bought, path)
    original = getattr(place, name)
    deaths = []

    def dies(*arguments: Any, **named: Any) -> Any:
        result = None if before else original(*arguments, **named)
        deaths.append(name)
        if len(deaths) == 1:
            raise Killed
        return original(*arguments, **named) if before else result

    with monkeypatch.context() as patch:
        patch.setattr(place, name, dies)
        try:
            accept_offer(actor=bought.reader, sealed=sealed)
        except Killed:
            accept_offer(actor=bought.reader, sealed=sealed)
        sweep_everything()
    assert operation().state == OperationState.DONE
    if path == MORE:
        changed_once(bought)
    else:
        assert bought.subscription().schedule
        bought.end_of_the_period()
        assert bought.organization.seats == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_change_it_once(bought: Customer, admin: Membership) -> None:
    sealed = [offer(bought), offer(bought, "seats/?seats=7")]
    done = at_once(*(lambda one=one: accept_offer(actor=bought.reader, sealed=one) for one in sealed))
    refused = [one for one in done if isinstance(one, PageOutdated | Refused)]
    failed = [one for one in done if isinstance(one, StripeOperation) and one.state == OperationState.FAILED]
    assert len(refused) + len(failed) == 1
    assert len(bought.invoices()) == 2
    assert bought.organization.seats in {5, 7}
