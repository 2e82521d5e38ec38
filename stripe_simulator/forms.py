"""The payment forms of the hosted pages: a card, a bank account, or a method with nothing to type."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from stripe_simulator import cards
from stripe_simulator.bank_accounts import NAMES, REUSABLE, BankAccountInputError, read_account
from stripe_simulator.messages import Request
from stripe_simulator.methods import make_bank_account, make_card, make_link, make_once
from stripe_simulator.outcomes import BANK_ACCOUNTS
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]

InputError = cards.CardInputError | BankAccountInputError


def _nothing_typed() -> Json:
    return {**dict.fromkeys(("number", "expiry", "cvc", "name", "account"), ""), "type": "card"}


@dataclass(frozen=True)
class Attempt:
    """What was typed into a form, and why it was not enough."""

    typed: Json = field(default_factory=_nothing_typed)
    alert: str = ""
    mistake: InputError | None = None


def typed_into(request: Request) -> Json:
    return {**_nothing_typed(), **dict(parse_qsl(request.body, keep_blank_values=True))}


def read_method(simulator: Simulator, typed: Json, *, email: str | None = None) -> Json:
    """The payment method that the form describes, not saved. Raises an InputError."""
    kind, name = typed["type"], typed["name"] or None
    if kind in BANK_ACCOUNTS:
        account = read_account(kind, typed["account"])
        return make_bank_account(simulator, kind, account, name=name, email=email)
    if kind == "link":
        return make_link(simulator, name=name, email=email)
    if kind in REUSABLE:
        return make_once(simulator, kind, name=name, email=email)
    card = cards.read_card(
        number=typed["number"], expiry=typed["expiry"], cvc=typed["cvc"], today=simulator.today()
    )
    return make_card(simulator, card, name=name, email=email)


def choices(types: list[str]) -> list[Json]:
    """What a page offers besides the card, with the accounts to try."""
    return [
        {"type": kind, "name": NAMES[kind], "accounts": BANK_ACCOUNTS.get(kind)}
        for kind in types
        if kind != "card"
    ]
