"""Idempotency keys (https://docs.stripe.com/api/idempotent_requests)."""

import hashlib
import json
import threading
from typing import Any

from stripe_simulator.clock import Clock
from stripe_simulator.errors import StripeError
from stripe_simulator.messages import Response
from stripe_simulator.store import Store

KEPT_SECONDS = 24 * 3600


class IdempotencyKeys:
    """The first answer to each key, and which keys are being worked on right now."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._in_use: set[str] = set()

    def begin(self, key: str, endpoint: str, params: dict[str, Any]) -> Response | None:
        """Return the remembered answer; else claim the key until `end`.

        Raises StripeError: 400 for a key used with something else, 409 for one in use.
        """
        if len(key) > 255:
            raise StripeError(
                "Idempotency keys must be at most 255 characters long.", kind="idempotency_error"
            )
        with self._lock:
            if key in self._in_use:
                raise StripeError(
                    "There is currently another in-progress request using this Idempotent Key (that probably "
                    "means you submitted twice, and the other request is still going through): "
                    f"{key}. Please try again later.",
                    status=409,
                    code="idempotency_key_in_use",
                )
            self._in_use.add(key)
        try:
            answer = self._remembered(key, endpoint, params)
        except StripeError:
            self.end(key)
            raise
        if answer is not None:
            self.end(key)
        return answer

    def end(self, key: str) -> None:
        with self._lock:
            self._in_use.discard(key)

    def remember(
        self, key: str, endpoint: str, params: dict[str, Any], request_id: str, answer: Response
    ) -> None:
        """Keep the answer, in the transaction that did the work."""
        self._store.execute(
            "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                endpoint,
                _fingerprint(params),
                request_id,
                answer.status,
                answer.body,
                self._clock.now(),
            ),
        )

    def _remembered(self, key: str, endpoint: str, params: dict[str, Any]) -> Response | None:
        oldest = self._clock.now() - KEPT_SECONDS
        rows = self._store.execute("SELECT * FROM idempotency WHERE key = ? AND created > ?", (key, oldest))
        if not rows:
            return None
        first = rows[0]
        if first["endpoint"] != endpoint:
            raise StripeError(
                "Keys for idempotent requests can only be used for the same endpoint they were first used "
                f"for ('{endpoint}' vs '{first['endpoint']}'). Try using a key other than '{key}' if you "
                "meant to execute a different request.",
                kind="idempotency_error",
            )
        if first["fingerprint"] != _fingerprint(params):
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        headers = {
            "Content-Type": "application/json",
            "Idempotent-Replayed": "true",
            "Original-Request": first["request_id"],
        }
        if first["status"] >= 500:
            headers["Stripe-Should-Retry"] = "false"
        return Response(first["status"], first["body"], headers)


def _fingerprint(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
