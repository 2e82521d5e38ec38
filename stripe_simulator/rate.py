"""How many requests a second are taken, all of them together (https://docs.stripe.com/rate-limits)."""

import threading
import time
from collections.abc import Callable

from stripe_simulator.errors import StripeError


class Rate:
    """``per_second``: None takes any number. Counted over each second of the machine's own clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second: int | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._second = 0
        self._taken = 0

    def take(self) -> None:
        """Count a request. Raises StripeError if there are too many in this second."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._taken = second, 0
            self._taken += 1
            if self.per_second is not None and self._taken > self.per_second:
                raise StripeError(
                    "Request rate limit exceeded. Learn more about rate limits here "
                    "https://docs.stripe.com/rate-limits.",
                    status=429,
                    code="rate_limit",
                )
