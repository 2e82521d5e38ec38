"""A kind of mail for tests, known to the tests themselves and, by notes_app, to the workers they start."""

import time
from pathlib import Path

from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail


def render_note(email: OutgoingEmail) -> RenderedMail:
    """``gone``: no longer needed; ``fails``: raises; ``waits_for``: a file that has to vanish first."""
    params = email.params
    if params.get("gone"):
        raise NoLongerNeeded("The note is gone.")
    if params.get("fails"):
        raise ZeroDivisionError("This note can't be written.")
    if obstacle := params.get("waits_for"):
        Path(obstacle).with_suffix(".reached").touch()
        while Path(obstacle).exists():
            time.sleep(0.02)
    return RenderedMail(
        subject=params.get("subject", "A note"), text=params.get("text", "Hello"), html="<p>Hello</p>"
    )


NOTE_MAIL = MailKind("test_note", render_note)
