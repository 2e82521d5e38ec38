"""How old what pages show of Stripe may be."""

from datetime import datetime, timedelta

from django.utils import timezone

# Every customer is compared once a day, and again within hours where Stripe gave no answer.
FRESH_FOR = timedelta(hours=36)


def is_outdated(as_of: datetime | None) -> bool:
    """Whether Stripe has not been heard for so long that a page must say so. None: it was never asked."""
    return as_of is not None and as_of < timezone.now() - FRESH_FOR
