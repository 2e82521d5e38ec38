"""Which mail addresses an account or an invitation may have."""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

MAX_LENGTH = 254
# RFC 5321, 4.5.3.1.1. Mail servers refuse longer ones.
MAX_LOCAL_LENGTH = 64
validate_mail_syntax = EmailValidator()


def clean_address(text: str) -> str:
    """The address in lower case. Raises ValidationError.

    Letters beyond ASCII are refused: ``acme.test`` with a Cyrillic a looks the same and is somebody else's.
    A domain with other letters can be written in its ``xn--`` form, which nobody mistakes. Quotes are refused
    too, since another address can stand in them: ``"lee@acme.test"@evil.test``.
    """
    address = text.strip()
    if not address:
        raise ValidationError(_("Enter an email address."))
    if len(address) > MAX_LENGTH:
        raise ValidationError(
            _("Enter an email address of at most %(limit)s characters.") % {"limit": MAX_LENGTH}
        )
    # Before lower(), which makes an ordinary k of the Kelvin sign.
    if not address.isascii():
        raise ValidationError(
            _("Use only the letters a to z, since others look alike. Write other domains in their xn-- form.")
        )
    local, _at, host = address.rpartition("@")
    if '"' in address or not _has_mail_syntax(address) or not _is_public(host):
        raise ValidationError(_("Enter one email address, such as lee@example.com."))
    if len(local) > MAX_LOCAL_LENGTH:
        raise ValidationError(
            _("Enter an email address with at most %(limit)s characters before the @.")
            % {"limit": MAX_LOCAL_LENGTH}
        )
    return address.lower()


def _is_public(host: str) -> bool:
    """Whether mail from outside can have the host as its goal: ``localhost`` can't, nor an IP address."""
    _domain, dot, last = host.rpartition(".")
    return bool(dot) and not last.isdigit() and not host.endswith("]")


def _has_mail_syntax(address: str) -> bool:
    try:
        validate_mail_syntax(address)
    except ValidationError:
        return False
    return True


# In a pasted list: a name, perhaps with one comma ("Doe, Lee"), before an address in angle brackets; else
# what stands between two separators. A name has no @ in it, so nobody hides another address there.
ENTRY = re.compile(
    r"""
    (?: "[^"\n]*" \s* | (?: [^\W\d_] | [ '\u2019-] )+ , [^@,;<>"\n]* | [^@,;<>"\n]* )
    < (?P<inside> [^<>\n]* ) >
    | (?P<bare> [^,;\n]+ )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Entry:
    """One of a list of addresses: as it was typed, and the address in it, which may be none."""

    typed: str
    address: str


def entries_in(text: str) -> list[Entry]:
    """The entries of a list that somebody typed or pasted, parted by commas, semicolons or new lines.

    ``Name <mail>`` is read as the mail. An address that stands there twice is an entry once.
    """
    entries: dict[str, Entry] = {}
    for found in ENTRY.finditer(re.sub(r"[\r\t]", "\n", text)):
        typed = found[0].strip(" ,;\n")
        address = (found["bare"] if found["inside"] is None else found["inside"]).strip()
        if typed:
            entries.setdefault(address.lower(), Entry(typed, address))
    return list(entries.values())
