"""The kinds of mail that the outbox knows. Each app declares its own in its mails.py."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone, translation

from outbox.models import OutgoingEmail
from outbox.readers import reader_for


@dataclass(frozen=True)
class RenderedMail:
    """What goes into the envelope. ``subject``: one line. ``text``, ``html``: the two bodies."""

    subject: str
    text: str
    html: str


class NoLongerNeeded(Exception):
    """A renderer raises it when what the mail is about is gone: the mail is dropped."""


class UnknownKindError(LookupError):
    """A kind of mail that no app has declared."""


Renderer = Callable[[OutgoingEmail], RenderedMail]


@dataclass(frozen=True)
class MailKind:
    """A kind of mail. To make one is to register it: the worker finds it by the ``code`` that rows store.

    ``write``: runs in the worker, outside any transaction, in the recipient's language and time zone.
    ``to_outsiders``: it may reach a person who doesn't belong to the organization that it is about.
    ``opens``: what it links to opens to anybody with the mail: only the act that it tells of sends it anew.
    ``permission``: the code of the permission that its reader has to hold; "": it speaks to its recipient.
    """

    code: str
    write: Renderer
    to_outsiders: bool = False
    opens: bool = False
    permission: str = ""

    def __post_init__(self) -> None:
        _kinds[self.code] = self

    def render(self, mail: OutgoingEmail) -> RenderedMail:
        reader = reader_for(mail.to)
        language = reader.known_language or settings.LANGUAGE_CODE
        with translation.override(language), timezone.override(reader.zone):
            return self.write(mail)


_kinds: dict[str, MailKind] = {}


def kinds_to_outsiders() -> list[str]:
    """The codes of those that a person may get who is not, or no longer, in the organization."""
    return [kind.code for kind in _kinds.values() if kind.to_outsiders]


def kind_of(code: str) -> MailKind:
    """The kind of that code. Raises UnknownKindError."""
    try:
        return _kinds[code]
    except KeyError:
        raise UnknownKindError(code) from None


def renderer_of(code: str) -> Renderer:
    """What renders the mails of that kind. Raises UnknownKindError."""
    return kind_of(code).render
