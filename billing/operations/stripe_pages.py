"""Stripe's pages that people are sent to: how long one lasts, and when it is looked at unasked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from billing.models import OperationState, StripeOperation

# Stripe makes no session that lasts shorter; one that would is of no use.
LEAST_SESSION_LIFE = timedelta(minutes=31)
# A webhook may be lost, and the person may never come back.
LOOK_AT_PAGE = timedelta(minutes=5)


def closes_too_soon(operation: StripeOperation, session: Mapping[str, Any]) -> bool:
    """Whether the page that is still to be made would close before anybody could use it.

    ``session``: the parameters that Stripe is asked with.
    """
    closes = datetime.fromtimestamp(session["expires_at"], UTC)
    return operation.state == OperationState.PENDING and closes < timezone.now() + LEAST_SESSION_LIFE
