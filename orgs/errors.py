"""Refusals that a person can understand and act on."""

from django.utils.functional import Promise


class Refused(Exception):  # noqa: N818 - a refusal that is part of the product, not a fault
    """The verb was not carried out and changed nothing. ``message``: one sentence that says what to do."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message
