"""The simulator's state, and the one way in which it changes: objects are saved here, and events follow."""

import copy
import secrets
import string
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import stripe

from stripe_simulator.clock import Clock
from stripe_simulator.due import due_at
from stripe_simulator.errors import missing
from stripe_simulator.faults import Faults
from stripe_simulator.idempotency import IdempotencyKeys
from stripe_simulator.presentation import Presenter
from stripe_simulator.rate import Rate
from stripe_simulator.store import Json, Store
from stripe_simulator.webhooks import Webhooks

API_VERSION: str = stripe.api_version
SPOKEN = {"payment_method": "PaymentMethod", "setup_intent": "setupintent"}
"""What Stripe's messages call an object, where that differs from its `object`."""
HIDDEN = ("balances", "simulated")
"""What the simulator keeps on an object and no answer shows."""
ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


class Simulator:
    def __init__(self, folder: Path, *, api_key: str, url: str) -> None:
        self.api_key = api_key
        self.url = url
        self.store = Store(folder)
        self.clock = Clock(self.store)
        self.faults = Faults()
        self.rate = Rate()
        self.idempotency = IdempotencyKeys(self.store, self.clock)
        self.presenter = Presenter(self.store, url)
        self.webhooks = Webhooks(self.store, self.presenter)
        self.stopping = threading.Event()
        self.request: Json = {"id": None, "idempotency_key": None}
        """The API request being answered, for the events that it causes; holds while the store is locked."""

    def new(self, kind: str, prefix: str, **fields: Any) -> Json:
        """Make an object that isn't saved yet, with what all objects have."""
        return {
            "id": new_id(prefix),
            "object": kind,
            "created": self.clock.now(),
            "livemode": False,
            **fields,
        }

    def find(self, kind: str, identifier: str, *, param: str = "id") -> Json:
        """Return a living object. Raises StripeError as Stripe words it."""
        found = self.store.get(identifier)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise missing(SPOKEN.get(kind, kind), identifier, param=param)
        return found

    def save(self, body: Json, event: str | None = None) -> Json:
        """Save an object and record the event; one that would say that nothing changed is not recorded."""
        before = self.store.get(body["id"])
        if body.get("test_clock", "") is None and body.get("customer"):
            body["test_clock"] = (self.store.get(body["customer"]) or {}).get("test_clock")
        self.store.put(body, due=due_at(body))
        if event:
            previous = None
            if before and not body.get("deleted"):
                previous = changed_fields(self.presenter.present(before), self.presenter.present(body))
            if previous != {}:
                self.emit(event, body, previous=previous if event.endswith(".updated") else None)
        return body

    def emit(self, kind: str, body: Json, *, previous: Json | None = None) -> None:
        """Record an event with the object as it is now, and queue its delivery."""
        data: Json = {"object": self.presenter.present(body)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self.new(
            "event",
            "evt",
            type=kind,
            api_version=API_VERSION,
            data=data,
            request=dict(self.request),
            pending_webhooks=0,
        )
        self.store.put(event, due=None)
        self.webhooks.queue(event["id"])

    def today(self) -> tuple[int, int]:
        """The year and month of the simulated time, for cards' expiry."""
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        return now.year, now.month

    def close(self) -> None:
        self.stopping.set()
        self.faults.clear()
        self.webhooks.stop()
        self.store.close()


def changed_fields(before: Json, after: Json) -> Json:
    """The earlier values of what changed, as `previous_attributes` has them: of hashes the changed part."""
    changed: Json = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new or name in HIDDEN:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            changed[name] = changed_fields(old, new)
        else:
            changed[name] = copy.deepcopy(old)
    return changed
