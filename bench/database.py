"""A database and static files of the run's own, gone at its end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.management import call_command
from django.db import connection


@contextmanager
def own_database() -> Iterator[None]:
    """A migrated database beside the one in DATABASE_URL; the user needs the right to make it."""
    own = f"bench_{os.getpid()}"
    given = settings.DATABASES["default"]["NAME"]
    connection.settings_dict["TEST"]["NAME"] = own
    # Django makes the cache's table once more, and says aloud that it is there.
    with redirect_stdout(StringIO()):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(given, verbosity=0)


@contextmanager
def own_static_files() -> Iterator[None]:
    """Collected as for production: pages name static files by their content's hash."""
    with TemporaryDirectory() as folder:
        settings.STATIC_ROOT = folder
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
        yield
