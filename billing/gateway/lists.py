"""Lists of Stripe's objects: every page of them, and each object read on its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import stripe

from billing.gateway.client import call

Read = TypeVar("Read")

PAGE = 100


@dataclass(frozen=True)
class Listed(Generic[Read]):
    """What Stripe lists of a kind. ``unreadable``: the errors of what we could not read, by its id."""

    all: list[Read]
    unreadable: dict[str, str]


def read_each(bodies: list[dict[str, Any]], read: Callable[[dict[str, Any]], Read]) -> Listed[Read]:
    """Read each on its own: one that can't be read stops no other."""
    found: list[Read] = []
    unreadable = {}
    for body in bodies:
        try:
            found.append(read(body))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            unreadable[body["id"]] = repr(error)
    return Listed(found, unreadable)


def all_of(ask: Callable[[stripe.StripeClient], stripe.ListObject[Any]]) -> list[dict[str, Any]]:
    """Every object of a list, page after page."""
    return call(lambda stripe_: [item.to_dict() for item in ask(stripe_).auto_paging_iter()])
