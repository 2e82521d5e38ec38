"""Refusals that a person can understand and act on."""

import psycopg
from django.db import IntegrityError
from django.utils.functional import Promise


class Refused(Exception):
    """The verb was not carried out and changed nothing. ``message``: one sentence that says what to do."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message


class PageOutdated(Refused):
    """What the form's page showed is no longer so. Show the page anew, for the person to check it."""


def broken_constraint(error: IntegrityError) -> str | None:
    """The name of the database's constraint that a write would have broken."""
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
