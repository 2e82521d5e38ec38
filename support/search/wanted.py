"""What somebody typed, and what they are shown of it."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise

from orgs.rows import uuid_in
from tokens.secret import OF_ORGANIZATION, OF_PERSON, OF_SERVICE, SHOWN

MOST = 8
LONGEST = 200
# Of names and addresses; fewer letters are in nearly all of them.
FEWEST_LETTERS = 3
STRIPE_ID = re.compile("[a-z]+_[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Wanted:
    """``text``: as typed, without what can't be meant. ``lower``: addresses and slugs are stored so.

    ``id``: where the text is one.
    """

    text: str
    lower: str
    id: uuid.UUID | None

    @property
    def names_parts(self) -> bool:
        return len(self.text) >= FEWEST_LETTERS

    @property
    def is_token(self) -> bool:
        return len(self.text) >= SHOWN and self.text.startswith((OF_PERSON, OF_ORGANIZATION, OF_SERVICE))


def wanted_in(text: str) -> Wanted:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())[:LONGEST]
    return Wanted(words, words.lower(), uuid_in(words))


class Found(NamedTuple):
    """``why``: what of it is as searched; ``is_exact``: all of that is. ``organization``: whose it is.

    ``invitation``: of one that is pending its id, for what can be done with it.
    """

    kind: Promise
    title: str
    note: str
    why: str
    url: str
    is_exact: bool
    organization: str = ""
    organization_url: str = ""
    invitation: uuid.UUID | None = None


def some(*parts: "QuerySet[Any, Any]") -> list[Any]:
    """Of each part the first rows, in one statement: together, an index serves neither."""
    first, *others = (part.order_by()[: MOST + 1] for part in parts)
    return list(first.union(*others))


def exact_first(rows: Iterable[Any], wanted: Wanted, columns: slice) -> list[Any]:
    """``columns``: those that may be all that was typed."""
    return sorted(rows, key=lambda row: wanted.lower not in {str(one).lower() for one in row[columns]})
