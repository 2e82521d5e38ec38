"""What a request says of a subscription's trial, end, collection, discounts and taxes."""

from typing import Any

from stripe_simulator.discounts import redeemed, remove_discount
from stripe_simulator.due import DAY
from stripe_simulator.errors import InvalidParameterError, StripeError, not_simulated
from stripe_simulator.fields import apply, emptied
from stripe_simulator.invoicing import automatic_tax, require_location
from stripe_simulator.simulator import Simulator
from stripe_simulator.sources import require_source
from stripe_simulator.taxes import find_rates

Json = dict[str, Any]

PLAIN = "collection_method days_until_due default_payment_method default_source description"
TERMS = (
    "automatic_tax.enabled default_tax_rates discounts trial_settings.end_behavior.missing_payment_method"
    f" {PLAIN}"
)


def apply_terms(simulator: Simulator, subscription: Json, params: Json) -> None:
    """Change the fields that begin and change alike."""
    apply(subscription, params, PLAIN)
    _check_collection(simulator, subscription, params)
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = find_rates(
            simulator, params["default_tax_rates"], param="default_tax_rates"
        )
    if "automatic_tax" in params:
        _apply_automatic_tax(simulator, subscription, enabled=params["automatic_tax"]["enabled"])
    if "trial_settings" in params:
        end_behavior = params["trial_settings"]["end_behavior"]
        behavior = end_behavior.get("missing_payment_method", "create_invoice")
        subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": behavior}}
    if "discounts" in params:
        _apply_discounts(simulator, subscription, params["discounts"])


def apply_end(simulator: Simulator, subscription: Json, params: Json) -> None:
    """Change when the subscription ends. Its items are there already."""
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise StripeError("You cannot set both `cancel_at` and `cancel_at_period_end`.", param="cancel_at")
    now = simulator.clock.now()
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    if "cancel_at_period_end" in params:
        is_ending = params["cancel_at_period_end"]
        subscription |= {
            "cancel_at_period_end": is_ending,
            # The earliest: https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
            "cancel_at": min(ends) if is_ending else None,
            "canceled_at": now if is_ending else None,
        }
        _note_reason(subscription, "cancellation_requested" if is_ending else None)
    if "cancel_at" not in params:
        return
    moment = emptied(params["cancel_at"])
    match moment:
        case "min_period_end":
            moment = min(ends)
        case "max_period_end":
            moment = max(ends)
        case "max_billed_until":
            raise not_simulated("knows no cancel_at=max_billed_until", "cancel_at")
        case int() if moment <= now:
            raise StripeError("`cancel_at` must be a timestamp in the future.", param="cancel_at")
    subscription |= {
        "cancel_at": moment,
        "cancel_at_period_end": False,
        "canceled_at": now if moment else None,
    }
    _note_reason(subscription, "cancellation_requested" if moment else None)


def apply_cancellation_details(subscription: Json, given: Json) -> None:
    """What the customer says of why they cancel."""
    said = {name: emptied(given[name]) for name in ("comment", "feedback") if name in given}
    subscription["cancellation_details"] = {**subscription["cancellation_details"], **said}


def _note_reason(subscription: Json, reason: str | None) -> None:
    subscription["cancellation_details"] = {**subscription["cancellation_details"], "reason": reason}


def apply_pause(simulator: Simulator, subscription: Json, given: Any) -> None:
    """Stop or start again the collection of invoices (https://docs.stripe.com/billing/subscriptions/pause)."""
    if given and given.get("resumes_at", simulator.clock.now() + 1) <= simulator.clock.now():
        raise StripeError("`resumes_at` must be in the future.", param="pause_collection[resumes_at]")
    subscription["pause_collection"] = {"resumes_at": None, **given} if given else None


def trial_end_of(params: Json, now: int) -> int | None:
    """When a new subscription's trial ends. Raises StripeError for a moment that has passed."""
    if "trial_period_days" in params:
        if "trial_end" in params:
            raise StripeError(
                "You cannot set both `trial_end` and `trial_period_days`.", param="trial_period_days"
            )
        return int(now + params["trial_period_days"] * DAY)
    end = params.get("trial_end", "now")
    check_trial_end(end, now)
    return None if end == "now" else int(end)


def check_trial_end(end: int | str, now: int) -> None:
    if isinstance(end, int) and end <= now:
        raise StripeError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )


def anchor_of(params: Json, now: int) -> int:
    anchor = params.get("billing_cycle_anchor", now)
    if anchor < now:
        raise StripeError("The billing cycle anchor must be in the future.", param="billing_cycle_anchor")
    if anchor > now:
        raise not_simulated("starts billing cycles now", "billing_cycle_anchor")
    return int(anchor)


def _apply_discounts(simulator: Simulator, subscription: Json, given: Any) -> None:
    before = subscription["discounts"]
    subscription["discounts"] = redeemed(
        simulator,
        given,
        customer=subscription["customer"],
        currency=subscription["currency"],
        inherited=before,
        subscription=subscription["id"],
    )
    for identifier in before:
        if identifier not in subscription["discounts"]:
            remove_discount(simulator, simulator.find("discount", identifier))


def _apply_automatic_tax(simulator: Simulator, subscription: Json, *, enabled: bool) -> None:
    if enabled:
        require_location(simulator, subscription["customer"])
        if subscription["default_tax_rates"]:
            raise StripeError(
                "You cannot enable automatic tax on a subscription with `default_tax_rates`.",
                param="automatic_tax[enabled]",
            )
    names = ("disabled_reason", "enabled", "liability")
    subscription["automatic_tax"] = {name: automatic_tax(enabled=enabled)[name] for name in names}


def _check_collection(simulator: Simulator, subscription: Json, params: Json) -> None:
    sends = subscription["collection_method"] == "send_invoice"
    if "days_until_due" in params and not sends:
        raise StripeError(
            "You can only set `days_until_due` on subscriptions with collection_method=send_invoice.",
            param="days_until_due",
        )
    if not sends:
        subscription["days_until_due"] = None
    if sends and subscription["days_until_due"] is None:
        raise InvalidParameterError(
            "You must pass `days_until_due` when collection_method is set to send_invoice.",
            code="parameter_missing",
            param="days_until_due",
        )
    if subscription["default_source"]:
        require_source(simulator, subscription["customer"], subscription["default_source"])
    method = subscription["default_payment_method"]
    if method:
        owner = simulator.find("payment_method", method, param="default_payment_method")["customer"]
        if owner != subscription["customer"]:
            raise StripeError(
                f"The customer does not have a payment method with the ID {method}.",
                code="resource_missing",
                param="default_payment_method",
            )
