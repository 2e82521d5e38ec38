"""What a webhook tells."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class IncomingEvent:
    """A verified webhook. ``customer_id``: whose it is, as far as the event itself says; else empty."""

    event_id: str
    type: str
    object_id: str
    customer_id: str
    livemode: bool
    api_version: str
    payload: dict[str, Any]
