"""What a subscription that isn't charged as usual is called, and that no charge is announced for it."""

from collections.abc import Callable

import pytest

from billing.subscription_states import SubscriptionState
from billing.sums import Part
from billing.upcoming import NoFigure
from tests.billing.told import Told

pytestmark = pytest.mark.django_db

DAY = 86_400


def collection_paused(told: Told) -> None:
    told.save()
    told.change(told.subscribe(told.price(5000)), pause_collection={"behavior": "mark_uncollectible"})


def collection_paused_past_a_renewal(told: Told) -> None:
    told.save()
    told.change(told.subscribe(told.price(5000)), pause_collection={"behavior": "keep_as_draft"})
    told.stripe.control.advance(days=31)


def paused_after_a_trial(told: Told) -> None:
    told.subscribe(told.price(5000), trial_period_days=3, trial_settings=at_trial_end("pause"))
    told.stripe.control.advance(days=4)


def trial_that_will_pause(told: Told) -> None:
    told.subscribe(told.price(5000), trial_period_days=7, trial_settings=at_trial_end("pause"))


def trial_that_will_end(told: Told) -> None:
    told.subscribe(told.price(5000), trial_period_days=7, trial_settings=at_trial_end("cancel"))


def at_trial_end(behavior: str) -> dict[str, dict[str, str]]:
    return {"end_behavior": {"missing_payment_method": behavior}}


def never_paid(told: Told) -> None:
    told.subscribe(told.price(5000), payment_behavior="default_incomplete")


def first_payment_refused(told: Told) -> None:
    told.save("pm_card_chargeCustomerFail")
    told.subscribe(told.price(5000), payment_behavior="allow_incomplete")


def ending_with_the_period(told: Told) -> None:
    told.save()
    told.change(told.subscribe(told.price(5000)), cancel_at_period_end=True)


def by_use_alone(told: Told) -> None:
    told.save()
    given = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    metered = {"usage_type": "metered", "meter": told.api.billing.meters.create(given).id}
    told.subscribe(items=[{"price": told.price(10, recurring=metered)}])


STATES: list[tuple[Callable[[Told], None], SubscriptionState, NoFigure]] = [
    (collection_paused, SubscriptionState.COLLECTION_PAUSED, NoFigure.NOT_CHARGED),
    (collection_paused_past_a_renewal, SubscriptionState.COLLECTION_PAUSED, NoFigure.NOT_CHARGED),
    (paused_after_a_trial, SubscriptionState.PAUSED, NoFigure.NOT_CHARGED),
    (trial_that_will_pause, SubscriptionState.TRIAL_PAUSES, NoFigure.NOT_CHARGED),
    (trial_that_will_end, SubscriptionState.TRIAL_ENDS, NoFigure.NOT_CHARGED),
    (never_paid, SubscriptionState.INCOMPLETE, NoFigure.NOT_CHARGED),
    (first_payment_refused, SubscriptionState.INCOMPLETE, NoFigure.NOT_CHARGED),
    (ending_with_the_period, SubscriptionState.ENDING, NoFigure.ENDS),
    (by_use_alone, SubscriptionState.ACTIVE, NoFigure.BY_USE),
]


@pytest.mark.parametrize(("make", "state", "reason"), STATES, ids=[make.__name__ for make, *_ in STATES])
def test_it_has_its_own_words_and_no_figure(
    make: Callable[[Told], None], state: SubscriptionState, reason: NoFigure, told: Told
) -> None:
    make(told)
    (one,) = told.hear().upcoming()
    assert (one.state, one.amount, one.no_figure) == (state, None, reason)
    assert told.charges() == []
    page = told.page()
    assert str(state.label) in page
    assert "Renews" not in page or state is SubscriptionState.ACTIVE


def test_a_trial_that_a_card_saves_is_charged(told: Told) -> None:
    trial_that_will_end(told)
    told.save()
    (one,) = told.hear().upcoming()
    assert (one.state, one.amount) == (SubscriptionState.TRIAL, 5000)
    assert "unless a card is saved" not in told.page()


def test_a_trial_without_a_card_that_is_invoiced_all_the_same_is_announced(told: Told) -> None:
    settings = at_trial_end("create_invoice")
    told.subscribe(told.price(5000), trial_period_days=7, trial_settings=settings)
    (one,) = told.hear().upcoming()
    assert (one.state, one.amount, one.lacks_method) == (SubscriptionState.TRIAL, 5000, True)


def test_a_trial_that_ended_for_want_of_a_card_is_gone(told: Told) -> None:
    trial_that_will_end(told)
    told.stripe.control.advance(days=8)
    assert told.hear().upcoming() == []


def test_a_subscription_that_ends_within_its_period_says_when_and_what_goes_back(told: Told) -> None:
    told.save()
    told.change(told.subscribe(told.price(9000)), cancel_at=told.stripe.control.now() + 10 * DAY)
    (one,) = told.hear().upcoming()
    assert one.state is SubscriptionState.ENDING
    assert one.amount == 0
    assert (Part.TO_BALANCE, 6000) in [(row.part, row.amount) for row in one.rows]
    page = told.page()
    assert "11 June 2026" in page
    assert "Renews" not in page


def test_what_ends_in_the_next_period_is_charged_for_a_part_of_it(told: Told) -> None:
    told.save()
    told.subscribe(told.price(9000), cancel_at=told.stripe.control.now() + 45 * DAY)
    (one,) = told.hear().upcoming()
    assert one.state is SubscriptionState.ENDING
    assert one.amount is not None
    assert 0 < one.amount < 9000


def test_a_charge_of_nothing_hides_no_other(told: Told) -> None:
    """One ends and gives back what is unused; another goes on."""
    told.save()
    told.change(told.subscribe(told.price(9000)), cancel_at=told.stripe.control.now() + 10 * DAY)
    told.subscribe(told.price(20_000))
    assert told.hear().charges() == [(14_000, "usd")]


def test_invoices_that_are_sent_lack_no_card(told: Told) -> None:
    told.subscribe(told.price(5000), collection_method="send_invoice", days_until_due=14)
    (one,) = told.hear().upcoming()
    assert (one.amount, one.lacks_method, one.pays) == (5000, False, None)
    page = told.page()
    assert "Bank transfer" in page or "bank transfer" in page
    assert "No card is saved." not in page


def test_a_metered_price_without_a_card_lacks_one(told: Told) -> None:
    by_use_alone(told)
    told.api.customers.update(told.customer, {"invoice_settings": {"default_payment_method": ""}})
    told.api.payment_methods.detach(told.api.customers.payment_methods.list(told.customer).data[0].id)
    (one,) = told.hear().upcoming()
    assert one.lacks_method
    assert one.at is not None
    assert "1 July 2026" in told.page()


def test_a_preview_whose_lines_stripe_does_not_give_has_no_figure(told: Told) -> None:
    """Six changes of quantity make twelve lines; the first ten add up to nothing."""
    told.save()
    subscription = told.subscribe(told.price(5000))
    for quantity in range(2, 8):
        told.change_item(subscription, quantity=quantity)
    (upcoming,) = told.hear().upcoming()
    assert (upcoming.amount, upcoming.no_figure) == (None, NoFigure.NOT_SAID)
