"""How subscriptions begin and end."""

from typing import Any

from stripe_simulator.collection import (
    attempt_payment,
    finalize,
    payment_method_for,
    stop_collecting,
    subscription_of,
    void,
    write_off,
)
from stripe_simulator.errors import StripeError
from stripe_simulator.pending import expire_pending, keep_pending, take_effect
from stripe_simulator.phases import begin_phase, end_schedule
from stripe_simulator.prorations import prorate
from stripe_simulator.renewals import bill_ending, bill_items, period_of, renew
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def start_subscription(simulator: Simulator, subscription: Json, *, behavior: str) -> None:
    """Save the subscription and bill its first period, as `payment_behavior` says."""
    automatic = subscription["collection_method"] == "charge_automatically"
    simulator.save(subscription)
    invoice = bill_items(simulator, subscription, subscription["items"]["data"], reason="subscription_create")
    due = automatic and invoice["amount_due"] > 0
    method = payment_method_for(simulator, invoice)
    if due and method is None and behavior != "default_incomplete":
        raise StripeError(
            "This customer has no attached payment source or default payment method. Please consider adding "
            "a default payment method. For more information, visit "
            "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
            code="resource_missing",
        )
    if due:
        subscription["status"] = "incomplete"
    simulator.save(subscription)
    simulator.emit("customer.subscription.created", subscription)
    if not automatic and invoice["amount_due"]:
        return
    finalize(simulator, invoice)
    if not due:
        return
    invoice |= {"auto_advance": False, "next_payment_attempt": None}
    simulator.save(invoice)
    if behavior != "default_incomplete":
        refusal = attempt_payment(simulator, invoice, method)
        if refusal and behavior == "error_if_incomplete":
            raise _incomplete(refusal)


def bill_change(
    simulator: Simulator, before: Json, subscription: Json, items: list[Json], *, behavior: str
) -> None:
    """Bill a changed subscription at once, as `payment_behavior` says. Neither of the two is saved yet."""
    invoice = bill_items(simulator, subscription, items, reason="subscription_update")
    if behavior == "pending_if_incomplete" and invoice["amount_due"] > 0:
        waiting = keep_pending(simulator, before, subscription, invoice)
        collect(simulator, invoice)
        if invoice["status"] != "paid":
            simulator.emit("customer.subscription.updated", waiting, previous={"pending_update": None})
        return
    simulator.save(subscription, "customer.subscription.updated")
    if behavior == "default_incomplete" and subscription["collection_method"] == "charge_automatically":
        finalize(simulator, invoice)
        if invoice["status"] == "open":
            simulator.save({**subscription, "status": "past_due"}, "customer.subscription.updated")
        return
    refusal = collect(simulator, invoice)
    if refusal and behavior == "error_if_incomplete":
        raise _incomplete(refusal)


def collect(simulator: Simulator, invoice: Json) -> StripeError | None:
    """Finalize a draft and, where cards are charged automatically, try to collect it.

    Returns why the payment failed. A subscription whose collection is paused has its invoices voided or
    written off instead.
    """
    finalize(simulator, invoice)
    if invoice["status"] != "open":
        return None
    subscription = subscription_of(simulator, invoice)
    match ((subscription and subscription["pause_collection"]) or {}).get("behavior"):
        case "void":
            void(simulator, invoice)
        case "mark_uncollectible":
            write_off(simulator, invoice)
        case _ if invoice["collection_method"] == "charge_automatically":
            return attempt_payment(simulator, invoice, payment_method_for(simulator, invoice))
    return None


def advance_subscription(simulator: Simulator, subscription: Json) -> None:
    """Do the one thing that has fallen due for a subscription that is billed."""
    now = simulator.clock.now()

    def is_due(moment: int | None) -> bool:
        return moment is not None and moment <= now

    if is_due((subscription["pause_collection"] or {}).get("resumes_at")):
        simulator.save({**subscription, "pause_collection": None}, "customer.subscription.updated")
    elif is_due((subscription["pending_update"] or {}).get("expires_at")):
        invoice = simulator.find("invoice", subscription["latest_invoice"])
        if invoice["status"] == "open":
            void(simulator, invoice)
        expire_pending(simulator, subscription)
    elif is_due(subscription["cancel_at"]):
        end_subscription(simulator, subscription)
        bill_ending(simulator, subscription)
    elif subscription["status"] == "trialing":
        _end_trial(simulator, subscription)
    else:
        begin_phase(simulator, subscription)
        renew(simulator, subscription)


def _end_trial(simulator: Simulator, subscription: Json) -> None:
    """Bill what begins after the trial, or do what was asked for if nothing can pay it."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    sends = subscription["collection_method"] == "send_invoice"
    if behavior == "create_invoice" or sends or _can_pay(simulator, subscription):
        renew(simulator, subscription)
    elif behavior == "cancel":
        end_subscription(simulator, subscription, reason=None)
    else:
        subscription |= {
            "status": "paused",
            "status_details": {
                "paused": {
                    "subscription": {"type": "trial_end_without_payment_method"},
                    "transitioned_at": simulator.clock.now(),
                    "type": "subscription",
                }
            },
        }
        simulator.save(subscription, "customer.subscription.updated")
        simulator.emit("customer.subscription.paused", subscription)


def resume_subscription(simulator: Simulator, subscription: Json) -> None:
    """Start a new period of a paused subscription, which is active again once that is paid."""
    now = simulator.clock.now()
    subscription["billing_cycle_anchor"] = now
    for item in subscription["items"]["data"]:
        period = period_of(subscription, item["price"], now)
        item |= {"current_period_start": period["start"], "current_period_end": period["end"]}
    invoice = bill_items(simulator, subscription, subscription["items"]["data"], reason="subscription_update")
    simulator.save(subscription, "customer.subscription.updated")
    collect(simulator, invoice)
    if invoice["collection_method"] == "send_invoice":
        take_effect(simulator, invoice)


def _can_pay(simulator: Simulator, subscription: Json) -> bool:
    bill = {
        "customer": subscription["customer"],
        "default_payment_method": None,
        "default_source": None,
        "parent": {"subscription_details": {"subscription": subscription["id"]}},
    }
    return payment_method_for(simulator, bill) is not None


def _incomplete(refusal: StripeError) -> StripeError:
    """The refusal as an error with which nothing is kept, not even the attempt."""
    details = {name: refusal.error[name] for name in ("code", "decline_code") if name in refusal.error}
    return StripeError(refusal.args[0], status=402, kind="card_error", **details)


def change_trial(simulator: Simulator, subscription: Json, end: int | str, *, prorates: bool) -> None:
    """Let a trial end now or at another time; the caller saves the subscription and bills what begins."""
    now = simulator.clock.now()
    is_trial = subscription["status"] == "trialing"
    if end == "now" and not is_trial:
        return
    items = subscription["items"]["data"]
    if prorates and not is_trial:
        prorate(simulator, subscription, items, [])
    ends = now if end == "now" else end
    subscription |= {
        "billing_cycle_anchor": ends,
        "status": "active" if end == "now" else "trialing",
        "trial_start": subscription["trial_start"] if is_trial else now,
        "trial_end": ends,
    }
    for item in items:
        period = period_of(subscription, item["price"], now)
        item |= {"current_period_start": period["start"], "current_period_end": period["end"]}


def end_subscription(
    simulator: Simulator, subscription: Json, *, reason: str | None = "cancellation_requested"
) -> Json:
    """Cancel now; invoices stay, but open ones are no longer collected by themselves."""
    now = simulator.clock.now()
    if subscription["schedule"]:
        schedule = simulator.find("subscription_schedule", subscription["schedule"])
        end_schedule(simulator, schedule, "canceled")
    subscription |= {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "cancellation_details": {
            **subscription["cancellation_details"],
            "reason": subscription["cancellation_details"]["reason"] or reason,
        },
        "pending_update": None,
    }
    simulator.save(subscription)
    stop_collecting(simulator, subscription["customer"], subscription=subscription["id"])
    simulator.emit("customer.subscription.deleted", subscription)
    return subscription


def expire_subscription(simulator: Simulator, subscription: Json) -> None:
    """An incomplete subscription that nobody paid within 23 hours ends, and its invoice with it."""
    subscription |= {"status": "incomplete_expired", "ended_at": simulator.clock.now()}
    simulator.save(subscription, "customer.subscription.updated")
    invoice = simulator.find("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        void(simulator, invoice)
