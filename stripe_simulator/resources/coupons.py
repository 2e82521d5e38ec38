"""Coupons and promotion codes (https://docs.stripe.com/api/coupons, https://docs.stripe.com/api/promotion_codes)."""

import secrets
import string
from typing import Any

from stripe_simulator.discounts import remove_discount
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import StripeError, missing, required
from stripe_simulator.fields import apply
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

CODE_ALPHABET = string.ascii_uppercase + string.digits


@endpoint(
    "coupons.create",
    "amount_off applies_to.products currency duration duration_in_months id max_redemptions metadata name"
    " percent_off redeem_by",
)
def create(simulator: Simulator, params: Json) -> Json:
    _check(simulator, params)
    coupon = simulator.new(
        "coupon",
        "coupon",
        amount_off=params.get("amount_off"),
        currency=params["currency"].lower() if "amount_off" in params else None,
        duration=params.get("duration", "once"),
        duration_in_months=params.get("duration_in_months"),
        max_redemptions=params.get("max_redemptions"),
        metadata=params.get("metadata") or {},
        name=params.get("name"),
        percent_off=params.get("percent_off"),
        redeem_by=params.get("redeem_by"),
        times_redeemed=0,
        valid=True,
    )
    if "applies_to" in params:
        coupon["applies_to"] = params["applies_to"]
    coupon["id"] = params.get("id") or _code()
    return simulator.save(coupon, "coupon.created")


@endpoint("coupons.retrieve")
def retrieve(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("coupon", identifier)


@endpoint("coupons.update", "metadata name")
def update(simulator: Simulator, params: Json, identifier: str) -> Json:
    coupon = simulator.find("coupon", identifier)
    apply(coupon, params, "name")
    return simulator.save(coupon, "coupon.updated")


@endpoint("coupons.list", "created")
def list_coupons(simulator: Simulator, params: Json) -> Json:
    return page(simulator.store, "coupon", "/v1/coupons", params)


@endpoint("coupons.delete")
def delete(simulator: Simulator, _params: Json, identifier: str) -> Json:
    coupon = simulator.find("coupon", identifier)
    simulator.emit("coupon.deleted", coupon)
    simulator.save({**coupon, "deleted": True, "valid": False})
    return {"id": identifier, "object": "coupon", "deleted": True}


@endpoint(
    "promotion_codes.create",
    "active code customer expires_at max_redemptions metadata promotion.coupon promotion.type",
)
def create_promotion_code(simulator: Simulator, params: Json) -> Json:
    if "coupon" not in params["promotion"]:
        raise required("promotion[coupon]")
    coupon = simulator.find("coupon", params["promotion"]["coupon"], param="promotion[coupon]")
    if "customer" in params:
        simulator.find("customer", params["customer"], param="customer")
    if params.get("expires_at", simulator.clock.now() + 1) <= simulator.clock.now():
        raise StripeError("`expires_at` must be in the future.", param="expires_at")
    code = params.get("code") or _code()
    if _of_code(simulator, code):
        raise StripeError(f"An active promotion code with `code: {code}` already exists.", param="code")
    promotion_code = simulator.new(
        "promotion_code",
        "promo",
        active=params.get("active", True),
        code=code,
        customer=params.get("customer"),
        customer_account=None,
        expires_at=params.get("expires_at"),
        max_redemptions=params.get("max_redemptions"),
        metadata=params.get("metadata") or {},
        promotion={"coupon": coupon["id"], "type": "coupon"},
        restrictions={
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        times_redeemed=0,
    )
    return simulator.save(promotion_code, "promotion_code.created")


@endpoint("promotion_codes.retrieve")
def retrieve_promotion_code(simulator: Simulator, _params: Json, identifier: str) -> Json:
    return simulator.find("promotion_code", identifier)


@endpoint("promotion_codes.update", "active metadata")
def update_promotion_code(simulator: Simulator, params: Json, identifier: str) -> Json:
    promotion_code = simulator.find("promotion_code", identifier)
    apply(promotion_code, params, "active")
    return simulator.save(promotion_code, "promotion_code.updated")


@endpoint("promotion_codes.list", "active code coupon created customer")
def list_promotion_codes(simulator: Simulator, params: Json) -> Json:
    filters = {name: params.get(name) for name in ("active", "code", "customer")}
    filters["promotion.coupon"] = params.get("coupon")
    return page(simulator.store, "promotion_code", "/v1/promotion_codes", params, filters=filters)


@endpoint("customers.delete_discount")
def delete_customer_discount(simulator: Simulator, _params: Json, identifier: str) -> Json:
    customer = simulator.find("customer", identifier)
    discount = customer["discount"]
    if discount is None:
        raise missing("active discount for customer", identifier)
    simulator.save({**customer, "discount": None}, "customer.updated")
    return remove_discount(simulator, discount)


@endpoint("subscriptions.delete_discount")
def delete_subscription_discount(simulator: Simulator, _params: Json, identifier: str) -> Json:
    subscription = simulator.find("subscription", identifier)
    if not subscription["discounts"]:
        raise missing("active discount for subscription", identifier)
    *kept, last = subscription["discounts"]
    simulator.save({**subscription, "discounts": kept}, "customer.subscription.updated")
    return remove_discount(simulator, simulator.find("discount", last))


def _check(simulator: Simulator, params: Json) -> None:
    if "id" in params and simulator.store.get(params["id"]):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    if ("amount_off" in params) == ("percent_off" in params):
        raise StripeError(
            "You must pass either `percent_off` or `amount_off`, and not both.", param="percent_off"
        )
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise StripeError("Invalid percent_off: must be more than 0 and at most 100.", param="percent_off")
    if "amount_off" in params:
        if params["amount_off"] < 1:
            raise StripeError(
                "Invalid positive integer", code="parameter_invalid_integer", param="amount_off"
            )
        if "currency" not in params:
            raise required("currency")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        raise StripeError(
            "You must pass `duration_in_months` if, and only if, the duration is `repeating`.",
            param="duration_in_months",
        )
    if params.get("redeem_by", simulator.clock.now() + 1) <= simulator.clock.now():
        raise StripeError("`redeem_by` must be in the future.", param="redeem_by")


def _of_code(simulator: Simulator, code: str) -> list[Json]:
    return simulator.store.select(
        "promotion_code",
        where="AND json_extract(body, '$.active') AND json_extract(body, '$.code') = ? COLLATE NOCASE",
        values=(code,),
    )


def _code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
