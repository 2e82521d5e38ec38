"""Asking no faster than Stripe answers: 100 times a second in live mode, 25 in test mode.

Stripe counts, we don't: workers are many, and others use the account too. A worker that is refused for the
rate alone waits a moment and asks again. https://docs.stripe.com/rate-limits
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import stripe
import structlog

logger = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

# Together far shorter than a worker's lease.
WAITS_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0)


def at_stripes_pace(ask: Callable[[], Answer]) -> Answer:
    """Ask, and again each time that Stripe refuses for the rate alone (429), since it then has done nothing.

    Raises what ``ask`` raises, stripe.RateLimitError when Stripe still refuses after several waits.
    """
    for seconds in WAITS_SECONDS:
        try:
            return ask()
        except stripe.RateLimitError as error:
            # Not all at the same time, or they would be refused together again.
            wait = seconds * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            logger.info("stripe_asked_too_often", reason=str(error), wait=round(wait, 2))
        time.sleep(wait)
    return ask()
