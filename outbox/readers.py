"""The language and the time zone of a mail: its recipient's, at the time of delivery."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from django.conf import settings


@dataclass(frozen=True)
class Reader:
    """``language``: a code; blank: none was chosen. ``zone``: in which times are told."""

    language: str = ""
    zone: tzinfo = UTC

    @property
    def known_language(self) -> str:
        """The chosen language, if it is still one of the site's; else blank."""
        return self.language if self.language in dict(settings.LANGUAGES) else ""


# The outbox knows no people: the accounts app, which lies above, says who reads what.
ReaderOf = Callable[[str], Reader | None]
_sources: list[ReaderOf] = []


def ask_for_reader(reader_of: ReaderOf) -> None:
    """``reader_of``: from an address to its person; None: nobody has it."""
    _sources.append(reader_of)


def reader_for(address: str) -> Reader:
    """Who reads what is sent to an address. One that no person has gets the site's language, and UTC."""
    known = (reader_of(address) for reader_of in _sources)
    return next((reader for reader in known if reader is not None), Reader())
