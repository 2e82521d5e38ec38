"""The kinds of mail that the outbox knows. Each app registers its own when it is ready."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.models import OutgoingEmail


@dataclass(frozen=True)
class RenderedMail:
    """What goes into the envelope. ``subject``: one line. ``text``, ``html``: the two bodies."""

    subject: str
    text: str
    html: str


class NoLongerNeeded(Exception):  # noqa: N818 - the ordinary end of some mails, no error
    """A renderer raises it when what the mail is about is gone: the mail is dropped."""


class UnknownKindError(LookupError):
    """A kind of mail that no app has registered."""


Renderer = Callable[["OutgoingEmail"], RenderedMail]

_renderers: dict[str, Renderer] = {}


def register(kind: str, renderer: Renderer) -> None:
    """Let ``renderer`` write the mails of that kind. It runs in the worker, outside any transaction."""
    _renderers[kind] = renderer


def renderer_of(kind: str) -> Renderer:
    """The registered renderer of that kind. Raises UnknownKindError."""
    try:
        return _renderers[kind]
    except KeyError:
        raise UnknownKindError(kind) from None
