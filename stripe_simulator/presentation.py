"""Objects as answers show them: with addresses of this server, and expanded where asked."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stripe_simulator.errors import StripeError
from stripe_simulator.paging import as_list

if TYPE_CHECKING:
    from stripe_simulator.simulator import Simulator

Json = dict[str, Any]
LINES_SHOWN = 10


def present(simulator: "Simulator", body: Json) -> Json:
    """Copy a stored object into what an answer or an event shows."""
    shown = copy.deepcopy(body)
    if shown.get("deleted"):
        return shown
    match shown["object"]:
        case "list":
            shown["data"] = [present(simulator, item) for item in shown["data"]]
        case "customer":
            # By currency; Stripe shows the one of the customer's default currency, as `balance`.
            shown.pop("balances", None)
        case "checkout.session":
            is_open = shown["status"] == "open" and shown["ui_mode"] == "hosted_page"
            shown["url"] = f"{simulator.url}/c/pay/{shown['id']}" if is_open else None
        case "invoice":
            if shown["number"] and shown["status"] != "draft":
                shown["hosted_invoice_url"] = f"{simulator.url}/i/{shown['id']}"
                shown["invoice_pdf"] = f"{simulator.url}/i/{shown['id']}/pdf"
            lines = shown["lines"]
            lines["has_more"] = len(lines["data"]) > LINES_SHOWN
            lines["data"] = lines["data"][:LINES_SHOWN]
        case "event":
            shown["pending_webhooks"] = simulator.webhooks.pending_of(shown["id"])
    return shown


def _subscriptions(simulator: "Simulator", customer: Json) -> Json:
    found = simulator.store.select(
        "subscription",
        where="AND customer = ? AND json_extract(body, '$.status') NOT IN ('canceled', 'incomplete_expired')",
        values=(customer["id"],),
    )
    return as_list(found, f"/v1/customers/{customer['id']}/subscriptions")


def _tax_ids(simulator: "Simulator", customer: Json) -> Json:
    found = simulator.store.select("tax_id", where="AND customer = ?", values=(customer["id"],))
    return as_list(found, f"/v1/customers/{customer['id']}/tax_ids")


def _payments(simulator: "Simulator", invoice: Json) -> Json:
    found = simulator.store.select(
        "invoice_payment", where="AND json_extract(body, '$.invoice') = ?", values=(invoice["id"],)
    )
    return as_list(found, "/v1/invoice_payments")


INCLUDED: dict[tuple[str, str], Callable[["Simulator", Json], Json]] = {
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _tax_ids,
    ("invoice", "payments"): _payments,
}
"""What answers hold only when it is asked for."""


def expand(simulator: "Simulator", answer: Json, paths: list[str]) -> None:
    """Expand in place. Raises StripeError for a path that can't be (https://docs.stripe.com/api/expanding_objects)."""
    for path in paths:
        names = path.split(".")
        if len(names) > 4:
            raise StripeError(
                f"You cannot expand more than 4 levels of a property. Property: {path}", param="expand"
            )
        _expand(simulator, answer, names, path)


def _expand(simulator: "Simulator", place: Any, names: list[str], path: str) -> None:
    if isinstance(place, list):
        for item in place:
            _expand(simulator, item, names, path)
        return
    name, *rest = names
    if not isinstance(place, dict):
        return
    include = INCLUDED.get((place.get("object", ""), name))
    if include and name not in place:
        place[name] = present(simulator, include(simulator, place))
    elif name not in place or isinstance(place[name], bool | int | float):
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
    if isinstance(place[name], str):
        found = simulator.store.get(place[name])
        if found is None:
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
        place[name] = present(simulator, found)
    elif isinstance(place[name], list) and all(isinstance(item, str) for item in place[name]):
        place[name] = [present(simulator, simulator.store.get(item) or {}) for item in place[name]]
    if rest:
        _expand(simulator, place[name], rest, path)
