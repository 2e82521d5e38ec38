"""Objects as answers show them: with addresses of this server, and expanded where asked."""

from collections.abc import Callable
from typing import Any

from stripe_simulator.errors import StripeError
from stripe_simulator.paging import as_list
from stripe_simulator.store import Store

Json = dict[str, Any]
LINES_SHOWN = 10


class Presenter:
    """Turns stored objects into what answers and events show. `url` is this server's address."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url

    def present(self, body: Json) -> Json:
        """Copy a stored object into what is shown of it."""
        shown: Json = _visible(body)
        if shown["object"] == "coupon" and "duration" in shown:
            shown.pop("deleted", None)  # what its discounts still show
        if shown.get("deleted"):
            return shown
        match shown["object"]:
            case "list":
                shown["data"] = [self.present(item) for item in shown["data"]]
            case "customer":
                # By currency; Stripe shows the one of the customer's default currency, as `balance`.
                shown.pop("balances", None)
            case "checkout.session":
                is_open = shown["status"] == "open" and shown["ui_mode"] == "hosted_page"
                shown["url"] = f"{self._url}/c/pay/{shown['id']}" if is_open else None
            case "invoice":
                if shown["number"] and shown["status"] != "draft":
                    shown["hosted_invoice_url"] = f"{self._url}/i/{shown['id']}"
                    shown["invoice_pdf"] = f"{self._url}/i/{shown['id']}/pdf"
                lines = shown["lines"]
                lines["has_more"] = len(lines["data"]) > LINES_SHOWN
                lines["data"] = lines["data"][:LINES_SHOWN]
            case "credit_note":
                shown["pdf"] = f"{self._url}/credit_notes/{shown['id']}/pdf"
            case "event":
                shown["pending_webhooks"] = self._store.pending_deliveries(shown["id"])
        return shown

    def expand(self, answer: Json, paths: list[str]) -> None:
        """Expand in place. Raises StripeError for a path that can't be (https://docs.stripe.com/api/expanding_objects)."""
        for path in paths:
            names = path.split(".")
            if len(names) > 4:
                raise StripeError(
                    f"You cannot expand more than 4 levels of a property. Property: {path}", param="expand"
                )
            self._expand(answer, names, path)

    def _expand(self, place: Any, names: list[str], path: str) -> None:
        if isinstance(place, list):
            for item in place:
                self._expand(item, names, path)
            return
        name, *rest = names
        if not isinstance(place, dict):
            return
        include = INCLUDED.get((place.get("object", ""), name))
        if include and name not in place:
            included = include(self._store, place)
            place[name] = self.present(included) if isinstance(included, dict) else included
        elif name not in place or isinstance(place[name], bool | int | float):
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(place[name], str):
            found = self._store.get(place[name])
            if found is None:
                raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
            place[name] = self.present(found)
        elif isinstance(place[name], list) and all(isinstance(item, str) for item in place[name]):
            place[name] = [self.present(self._store.get(item) or {}) for item in place[name]]
        if rest:
            self._expand(place[name], rest, path)


def _visible(value: Any) -> Any:
    """Copy without what the simulator knows and Stripe doesn't say, which objects keep in `simulated`."""
    if isinstance(value, dict):
        return {name: _visible(item) for name, item in value.items() if name != "simulated"}
    return [_visible(item) for item in value] if isinstance(value, list) else value


def _subscriptions(store: Store, customer: Json) -> Json:
    found = store.select(
        "subscription",
        where="AND customer = ? AND json_extract(body, '$.status') NOT IN ('canceled', 'incomplete_expired')",
        values=(customer["id"],),
    )
    return as_list(found, f"/v1/customers/{customer['id']}/subscriptions")


def _tax_ids(store: Store, customer: Json) -> Json:
    found = store.select("tax_id", where="AND customer = ?", values=(customer["id"],))
    return as_list(found, f"/v1/customers/{customer['id']}/tax_ids")


def _sources(store: Store, customer: Json) -> Json:
    found = [
        source
        for kind in ("card", "bank_account", "source")
        for source in store.select(kind, where="AND customer = ?", values=(customer["id"],))
    ]
    return as_list(found, f"/v1/customers/{customer['id']}/sources")


def _refunds(store: Store, charge: Json) -> Json:
    found = store.select("refund", where="AND json_extract(body, '$.charge') = ?", values=(charge["id"],))
    return as_list(found, f"/v1/charges/{charge['id']}/refunds")


def _payments(store: Store, invoice: Json) -> Json:
    found = store.select(
        "invoice_payment", where="AND json_extract(body, '$.invoice') = ?", values=(invoice["id"],)
    )
    return as_list(found, "/v1/invoice_payments")


def _tiers(store: Store, price: Json) -> Any:
    found = store.get(price["id"]) or {}
    return found.get("simulated", {}).get("tiers")


INCLUDED: dict[tuple[str, str], Callable[[Store, Json], Any]] = {
    ("charge", "refunds"): _refunds,
    ("customer", "sources"): _sources,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _tax_ids,
    ("invoice", "payments"): _payments,
    ("price", "tiers"): _tiers,
}
"""What answers hold only when it is asked for."""
