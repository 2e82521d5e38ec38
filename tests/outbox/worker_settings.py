"""The portal's settings and one kind of mail more, for the workers that tests start."""

from billing_portal.settings import *  # noqa: F403
from billing_portal.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.outbox.notes_app.NotesConfig"]
