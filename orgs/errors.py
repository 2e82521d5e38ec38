"""Refusals that a person can understand and act on."""

import psycopg
from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.translation import gettext as _


class Refused(Exception):
    """The verb was not carried out and changed nothing. ``message``: one sentence that says what to do."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message

    @property
    def told_to_programs(self) -> str:
        return str(self.message)


class RefusedForNow(Refused):
    """A limit is reached, which the time frees. ``way``: what a person can do on a page meanwhile; ``wait``:
    after how many seconds it can be tried again.
    """

    def __init__(self, fact: str, way: str, *, wait: int) -> None:
        super().__init__(f"{fact} {way}")
        self.fact = fact
        self.wait = wait

    @property
    def told_to_programs(self) -> str:
        return f"{self.fact} " + _("Try again in %(wait)s seconds.") % {"wait": self.wait}


class PageOutdated(Refused):
    """What the form's page showed is no longer so. Show the page anew, for the person to check it."""


def broken_constraint(error: IntegrityError) -> str | None:
    """The name of the database's constraint that a write would have broken."""
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
