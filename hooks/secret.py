"""The secret of an endpoint, and what it signs, by https://www.standardwebhooks.com (symmetric, v1).

Nothing of it lies in the database in clear, since a copy of that must sign nothing.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable

from accounts.encryption import cipher

PREFIX = "whsec_"
BYTES = 32
PURPOSE = b"webhook secret"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def sealed(secret: str) -> str:
    """As it is stored."""
    return cipher(PURPOSE).encrypt(secret.encode()).decode()


def opened(stored: str) -> str:
    return cipher(PURPOSE).decrypt(stored.encode()).decode()


def signatures(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature of each secret. ``timestamp``: in Unix seconds."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
