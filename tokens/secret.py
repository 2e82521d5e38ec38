"""The secret that a program shows. It is told once, when it is made; afterwards only its hash is known.

``bpp_`` (of a person), ``bpo_`` (of an organization), ``bps_`` (of the product), ``bpa_`` or ``bpr_`` (access
and refresh token of a connected program), 30 random letters and digits (178 bits), and 6 that are a checksum
of all before. So a secret scanner finds it by its shape, and knows that it is none of its false alarms. With
so many bits a plain hash is enough: there is nothing to guess (OWASP ASVS 5.0, 6.5.2).
"""

import hashlib
import re
import string
import zlib

from django.utils.crypto import get_random_string

OF_PERSON, OF_ORGANIZATION, OF_SERVICE = "bpp_", "bpo_", "bps_"
OF_PROGRAM, OF_PROGRAM_REFRESH = "bpa_", "bpr_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECKSUM = 30, 6
SHAPE = re.compile(f"bp[poars]_[0-9A-Za-z]{{{RANDOM + CHECKSUM}}}")
# So much of it is stored in clear, for people to tell their tokens apart.
SHOWN = 8
# What opens an invitation or a payment link, also where the address of it is part of another.
OF_LINK = re.compile(r"(%2F)?[\w-]{22,32}\.[\w-]{43}", re.ASCII)


def new_secret(prefix: str) -> str:
    told = prefix + get_random_string(RANDOM, ALPHABET)
    return told + _checksum(told)


def is_well_formed(secret: str) -> bool:
    """Whether it can be one of ours: all else needs no look into the database."""
    return SHAPE.fullmatch(secret) is not None and _checksum(secret[:-CHECKSUM]) == secret[-CHECKSUM:]


def without_secrets(text: str) -> str:
    """For logs: of each secret in a text only what people are shown, of a link's nothing."""
    return OF_LINK.sub(r"\1[cut]", SHAPE.sub(lambda secret: secret[0][:SHOWN], text))


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(told: str) -> str:
    rest, digits = zlib.crc32(told.encode()), ""
    for _digit in range(CHECKSUM):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
