"""How coupons become discounts, and what discounts take off (https://docs.stripe.com/billing/subscriptions/coupons)."""

from decimal import Decimal
from typing import Any

from stripe_simulator.errors import StripeError
from stripe_simulator.money import rounded, shared_out
from stripe_simulator.periods import months_later
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

OWNERS = ("invoice", "invoice_item", "subscription", "subscription_item")


def redeemed(
    simulator: Simulator,
    given: Any,
    *,
    customer: str,
    currency: str,
    param: str = "discounts",
    inherited: list[str] | None = None,
    **owner: str,
) -> list[str]:
    """Make the discounts that a `discounts` parameter asks for, and return their ids.

    `owner` names what they are of, such as `subscription`; `inherited` are those that it may name again.
    """
    ids = []
    for index, entry in enumerate(given or []):
        place = f"{param}[{index}]"
        if len(entry) != 1:
            raise StripeError(
                "You must specify exactly one of `coupon`, `promotion_code` or `discount`.", param=place
            )
        ((kind, value),) = entry.items()
        if kind == "discount":
            if value not in (inherited or []):
                raise StripeError(
                    f"No such discount: '{value}'", code="resource_missing", param=f"{place}[discount]"
                )
            ids.append(value)
        else:
            ids.append(_redeem(simulator, kind, value, place, customer, currency, owner))
    return ids


def make_discount(
    simulator: Simulator, coupon: Json, *, customer: str, promotion_code: str | None = None, **owner: str
) -> Json:
    """Save a discount that takes effect now."""
    now = simulator.clock.now()
    months = coupon["duration_in_months"]
    discount = simulator.new(
        "discount",
        "di",
        checkout_session=None,
        customer=customer,
        customer_account=None,
        end=months_later(now, months) if coupon["duration"] == "repeating" else None,
        promotion_code=promotion_code,
        source={"type": "coupon", "coupon": coupon["id"]},
        start=now,
        **{name: owner.get(name) for name in OWNERS},
    )
    del discount["created"], discount["livemode"]
    simulator.save(discount)
    _count(simulator, coupon)
    return discount


def remove_discount(simulator: Simulator, discount: Json) -> Json:
    """Take a discount away from what it was of; invoices made with it keep what it took off."""
    simulator.emit("customer.discount.deleted", discount)
    return {**discount, "deleted": True}


def living(simulator: Simulator, ids: list[str]) -> list[str]:
    """Those of the discounts that have not come to their end."""
    now = simulator.clock.now()
    found = ((identifier, simulator.find("discount", identifier)["end"]) for identifier in ids)
    return [identifier for identifier, end in found if end is None or end > now]


def reduced(simulator: Simulator, amount: int, ids: list[str], currency: str) -> int:
    """What is left of an amount after the discounts, one after the other."""
    for identifier in ids:
        amount -= _cut(_coupon(simulator, identifier), amount, currency)
    return amount


def discount_lines(simulator: Simulator, invoice: Json) -> None:
    """Write into each line what each discount takes off: first the line's own ones, then the invoice's."""
    currency, lines = invoice["currency"], invoice["lines"]["data"]
    for line in lines:
        line["discount_amounts"] = []
        for identifier in line["discounts"]:
            rest = net_of(line) if line["discountable"] else 0
            _note(line, identifier, _cut(_coupon(simulator, identifier), rest, currency))
    for identifier in invoice["discounts"]:
        coupon = _coupon(simulator, identifier)
        meant = [line for line in lines if line["discountable"] and _applies(coupon, line)]
        rests = [max(net_of(line), 0) for line in meant]
        cut = _cut(coupon, sum(rests), currency)
        for line, part in zip(meant, shared_out(cut, rests, currency), strict=True):
            _note(line, identifier, part)


def net_of(line: Json) -> int:
    """A line's amount after its discounts."""
    net: int = line["amount"] - sum(entry["amount"] for entry in line["discount_amounts"])
    return net


def own_cut(line: Json) -> int:
    """What a line's own discounts take off, which the invoice's subtotal already leaves out."""
    own: list[str] = line["discounts"]
    cut: int = sum(entry["amount"] for entry in line["discount_amounts"] if entry["discount"] in own)
    return cut


def spend_once(simulator: Simulator, ids: list[str], invoice: Json) -> list[str]:
    """Remove the discounts that ended or that this invoice used up. Returns those that are left."""
    used = {entry["discount"] for entry in invoice["total_discount_amounts"] if entry["amount"]}
    kept = []
    for identifier in ids:
        is_spent = identifier in used and _coupon(simulator, identifier)["duration"] == "once"
        if is_spent or not living(simulator, [identifier]):
            remove_discount(simulator, simulator.find("discount", identifier))
        else:
            kept.append(identifier)
    return kept


def spend_of_customer(simulator: Simulator, invoice: Json) -> None:
    """End the customer's own discount if this invoice used it up."""
    customer = simulator.find("customer", invoice["customer"], param="customer")
    if customer["discount"] and not spend_once(simulator, [customer["discount"]["id"]], invoice):
        simulator.save({**customer, "discount": None}, "customer.updated")


def _redeem(
    simulator: Simulator,
    kind: str,
    value: str,
    place: str,
    customer: str,
    currency: str,
    owner: dict[str, str],
) -> str:
    param = f"{place}[{kind}]"
    found = simulator.find(kind, value, param=param)
    coupon = found
    if kind == "promotion_code":
        coupon = simulator.find("coupon", found["promotion"]["coupon"], param=param)
        if not found["active"]:
            raise StripeError("This promotion code is inactive.", param=param)
        if found["customer"] not in (None, customer):
            raise StripeError("This promotion code cannot be redeemed by this customer.", param=param)
    if not coupon["valid"]:
        raise StripeError(f"Coupon {coupon['id']} is expired or used up.", code="coupon_expired", param=param)
    if coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise StripeError(
            f"The coupon's currency ({coupon['currency']}) does not match the currency ({currency}).",
            param=param,
        )
    discount = make_discount(
        simulator,
        coupon,
        customer=customer,
        promotion_code=value if kind == "promotion_code" else None,
        **owner,
    )
    if kind == "promotion_code":
        _count(simulator, found)
    if "subscription" in owner:
        simulator.emit("customer.discount.created", discount)
    return str(discount["id"])


def end_redemption(simulator: Simulator, redeemable: Json) -> None:
    """Let nobody redeem a coupon or promotion code any more."""
    state = "valid" if redeemable["object"] == "coupon" else "active"
    simulator.save({**redeemable, state: False})


def _count(simulator: Simulator, redeemable: Json) -> None:
    """Count one redemption of a coupon or promotion code, and end it if that was the last one."""
    counted = {**redeemable, "times_redeemed": redeemable["times_redeemed"] + 1}
    simulator.save(counted)
    if counted["times_redeemed"] == counted["max_redemptions"]:
        end_redemption(simulator, counted)


def _coupon(simulator: Simulator, discount: str) -> Json:
    source = simulator.find("discount", discount)["source"]
    coupon = simulator.store.get(source["coupon"])
    assert coupon is not None  # a deleted coupon keeps what its discounts need
    return coupon


def _cut(coupon: Json, rest: int, currency: str) -> int:
    if rest <= 0:
        return 0
    if coupon["amount_off"] is not None:
        return min(int(coupon["amount_off"]), rest)
    return min(rounded(rest * Decimal(str(coupon["percent_off"])) / 100, currency), rest)


def _applies(coupon: Json, line: Json) -> bool:
    products = (coupon.get("applies_to") or {}).get("products")
    details = (line["pricing"] or {}).get("price_details") or {}
    return products is None or details.get("product") in products


def _note(line: Json, discount: str, amount: int) -> None:
    line["discount_amounts"].append({"amount": amount, "discount": discount})
