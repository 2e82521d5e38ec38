"""How secrets that must be read again lie in the database: a copy of it alone opens nothing."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def cipher(purpose: bytes) -> MultiFernet:
    """Encrypts under SECRET_KEY; its fallbacks still decrypt. What is of one purpose opens for no other.

    ``purpose``: 16 bytes at most.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key_from(secret, purpose)) for secret in secrets])


def _key_from(secret: str, purpose: bytes) -> bytes:
    digest = hashlib.blake2b(secret.encode(), digest_size=32, person=purpose)
    return base64.urlsafe_b64encode(digest.digest())
