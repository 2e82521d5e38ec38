"""Signed webhooks, delivered one after another from a thread until the receiver answers 2xx.

The queue lives in the database, so that what wasn't delivered goes out after a restart.
"""

import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, Literal

from stripe import WebhookSignature

from stripe_simulator.presentation import Presenter
from stripe_simulator.store import Store

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0
Order = Literal["first", "reverse", "shuffle"]


class Webhooks:
    def __init__(self, store: Store, presenter: Presenter) -> None:
        self._store = store
        self._presenter = presenter
        self._wake = threading.Event()
        self._settled = threading.Condition()
        self._sending = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stripe-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_SECONDS + 1)

    def set_endpoint(self, url: str | None, secret: str | None) -> None:
        """Replace the receiver; what is still pending goes to the new one."""
        with self._store.transaction():
            self._store.set_setting("webhook_url", url)
            if secret is not None:
                self._store.set_setting("webhook_secret", secret)
            self._store.execute("UPDATE deliveries SET next_attempt = 0 WHERE state = 'pending'")
        self._wake.set()

    def queue(self, event: str) -> None:
        """Queue an event's delivery, in the transaction that made the event."""
        if not self._store.setting("webhook_url", None):
            return
        copies, state = 1, "pending"
        if self._use_up("webhooks_to_drop"):
            state = "dropped"
        elif self._use_up("webhooks_to_duplicate"):
            copies += self._store.setting("webhook_duplicates", 1)
        for _ in range(copies):
            self._store.execute(
                "INSERT INTO deliveries (event, position, state)"
                " SELECT ?, COALESCE(MAX(position), 0) + 1, ? FROM deliveries",
                (event, state),
            )
        self._wake.set()

    def _use_up(self, name: str) -> bool:
        left = self._store.setting(name, 0)
        if left:
            self._store.set_setting(name, left - 1)
        return bool(left)

    def hold(self) -> None:
        """Keep deliveries back until `release`."""
        self._store.set_setting("webhooks_held", True)

    def release(self, order: Order = "first", *, seed: int | None = None) -> int:
        """Send what was held back, the first first, reversed or shuffled. Returns how many."""
        with self._store.transaction():
            rows = self._store.execute("SELECT seq FROM deliveries WHERE state = 'pending' ORDER BY position")
            waiting = [row["seq"] for row in rows]
            positions = list(range(1, len(waiting) + 1))
            if order == "reverse":
                positions.reverse()
            elif order == "shuffle":
                random.Random(seed).shuffle(positions)
            for seq, position in zip(waiting, positions, strict=True):
                self._store.execute(
                    "UPDATE deliveries SET position = ?, next_attempt = 0 WHERE seq = ?", (position, seq)
                )
            self._store.set_setting("webhooks_held", False)
        self._wake.set()
        return len(waiting)

    def drop_next(self, count: int) -> None:
        """The next events are never delivered (they stay in the list of events)."""
        self._store.set_setting("webhooks_to_drop", count)

    def duplicate_next(self, count: int, times: int) -> None:
        """The next events are each delivered so many times more."""
        with self._store.transaction():
            self._store.set_setting("webhooks_to_duplicate", count)
            self._store.set_setting("webhook_duplicates", times)

    def resend(self, event: str) -> None:
        """Deliver an event once more, as the dashboard's *Resend* does."""
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO deliveries (event, position, state)"
                " SELECT ?, COALESCE(MAX(position), 0) + 1, 'pending' FROM deliveries",
                (event,),
            )
        self._wake.set()

    def retry_now(self) -> None:
        """Try what failed again at once, without waiting for its backoff."""
        self._store.execute("UPDATE deliveries SET next_attempt = 0 WHERE state = 'pending'")
        self._wake.set()

    def as_json(self) -> dict[str, Any]:
        counts = self._store.execute("SELECT state, COUNT(*) AS many FROM deliveries GROUP BY state")
        return {
            "url": self._store.setting("webhook_url", None),
            "held": self._store.setting("webhooks_held", False),
            "drop_next": self._store.setting("webhooks_to_drop", 0),
            "duplicate_next": self._store.setting("webhooks_to_duplicate", 0),
            "deliveries": {row["state"]: row["many"] for row in counts},
        }

    def wait_until_delivered(self, seconds: float) -> bool:
        """Wait until nothing is left to send. Returns whether that came true in time."""
        with self._settled:
            return self._settled.wait_for(self._is_settled, timeout=seconds)

    def _is_settled(self) -> bool:
        with self._store.lock:
            return not self._sending and not self._store.execute(
                "SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1"
            )

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            pause = self._send_next()
            if pause:
                self._wake.wait(pause)

    def _send_next(self) -> float:
        """Try one delivery. Returns how many seconds to wait before the next one."""
        with self._store.lock:
            url, held = self._store.setting("webhook_url", None), self._store.setting("webhooks_held", False)
            rows = self._store.execute(
                "SELECT * FROM deliveries WHERE state = 'pending' AND next_attempt <= ?"
                " ORDER BY position LIMIT 1",
                (time.time(),),
            )
            if not rows or not url or held:
                return self._seconds_to_next_attempt()
            delivery = rows[0]
            event = self._store.get(delivery["event"])
            payload = json.dumps(self._presenter.present(event or {}), indent=2)
            secret = self._store.setting("webhook_secret", "")
            self._sending = True
        delivered = _post(url, payload, secret)
        with self._store.lock:
            wait = min(FIRST_RETRY_SECONDS * 2 ** delivery["attempts"], LONGEST_RETRY_SECONDS)
            self._store.execute(
                "UPDATE deliveries SET state = ?, attempts = attempts + 1, next_attempt = ? WHERE seq = ?",
                ("delivered" if delivered else "pending", time.time() + wait, delivery["seq"]),
            )
            self._sending = False
        with self._settled:
            self._settled.notify_all()
        return 0

    def _seconds_to_next_attempt(self) -> float:
        rows = self._store.execute(
            "SELECT MIN(next_attempt) AS soonest FROM deliveries"
            " WHERE state = 'pending' AND next_attempt > ?",
            (time.time(),),
        )
        soonest = rows[0]["soonest"]
        return 60.0 if soonest is None else max(soonest - time.time(), 0.001)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is no receipt: Stripe counts it as a failure."""

    def redirect_request(self, *_: Any) -> None:
        return None


DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def _post(url: str, payload: str, secret: str) -> bool:
    request = urllib.request.Request(
        url,
        data=payload.encode(),
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": WebhookSignature.generate_signature_header(payload, secret),
            "User-Agent": "Stripe/1.0 (simulator)",
        },
    )
    try:
        with DIRECT.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return bool(200 <= answer.status < 300)
    except urllib.error.HTTPError as error:
        with error, suppress(OSError):
            error.read()
        return False
    except (OSError, ValueError) as error:
        print(f"webhook not delivered to {url}: {error}", file=sys.stderr)
        return False
