"""Sign-ins of devices: the code that a person types, and the row that waits for their answer."""

import re
from typing import Any

from allauth.idp.oidc.models import Client
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from programs.models import DEVICE_LIFE, DeviceRequest
from tokens.secret import digest_of

# No vowel, so no word; twenty letters to the eighth are too many to guess in time (RFC 8628, 6.1).
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8


def new_user_code() -> str:
    code = get_random_string(LENGTH, LETTERS)
    return f"{code[:4]}-{code[4:]}"


def begin(client: Client, told: dict[str, Any]) -> None:
    """Keep what a device was told: see ``protocol.device_server``."""
    DeviceRequest.objects.create(
        client=client,
        digest=digest_of(told["device_code"]),
        user_code_digest=_digest_of_user_code(told["user_code"]),
        expires_at=timezone.now() + DEVICE_LIFE,
    )


def waiting_for(user_code: str) -> DeviceRequest | None:
    """The sign-in whose device shows that code, typed in whatever way."""
    return DeviceRequest.objects.waiting().filter(user_code_digest=_digest_of_user_code(user_code)).first()


def _digest_of_user_code(user_code: str) -> str:
    """Under our key: a plain hash of so few letters could be searched through."""
    letters = re.sub(r"[^A-Z]", "", user_code.upper())
    return salted_hmac("programs.user_code", letters, algorithm="sha256").hexdigest()
