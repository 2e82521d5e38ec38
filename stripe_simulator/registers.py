"""What governments' registers know of tax ids (https://docs.stripe.com/billing/customer/tax-ids#validation)."""

from typing import Any

from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

VERIFIED = ("au_abn", "eu_vat", "gb_vat")
"""The types that Stripe asks a register for; of the others it knows none."""
ANSWER_TAKES = 30
"""Seconds."""
NOT_FOUND, NEVER_ANSWERED = "111111111", "222222222"
"""Digits of a value that no register knows, and of one that none answers for."""


def ask_register(simulator: Simulator, tax_id: Json) -> None:
    """Note what is known at once, and when the answer comes."""
    is_asked = tax_id["type"] in VERIFIED
    tax_id["verification"] = _verification("pending" if is_asked else "unavailable")
    if is_asked and NEVER_ANSWERED not in tax_id["value"]:
        tax_id["simulated"] = {"settles_at": simulator.clock.now() + ANSWER_TAKES}


def settle_verification(simulator: Simulator, tax_id: Json) -> None:
    """Let the register answer."""
    status = "unverified" if NOT_FOUND in tax_id["value"] else "verified"
    changed = {**tax_id, "verification": _verification(status), "simulated": {}}
    simulator.save(changed, "customer.tax_id.updated")


def _verification(status: str) -> Json:
    return {"status": status, "verified_address": None, "verified_name": None}
