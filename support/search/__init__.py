"""The search of support staff: whatever of a customer somebody has before them, and where it leads.

Each kind is looked up by one statement and by an index; at most ``MOST`` of it are told. Secrets are no
search words: of a token, only the part that people are shown is looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise

from support.search.billing import MIRRORED, events, invoices, mirrored, operations
from support.search.customers import invitations, organizations, people
from support.search.tokens import service_tokens, tokens
from support.search.wanted import MOST, Found, Wanted, wanted_in

FINDERS: list[Callable[[Wanted], Iterator[Found]]] = [
    organizations,
    people,
    invitations,
    invoices,
    *(mirrored(rows, kind) for rows, kind in MIRRORED),
    events,
    operations,
    tokens,
    service_tokens,
]


@dataclass(frozen=True)
class SearchPage:
    """``cut``: the kinds of which there are more than are shown. ``too_short``: for names and addresses."""

    text: str
    found: list[Found]
    cut: list[Promise]
    too_short: bool

    @property
    def only(self) -> Found | None:
        """What is meant, where there is no doubt: nothing else is so called, nor in part of its kind."""
        exact = [one for one in self.found if one.is_exact]
        alike = [one for one in self.found if exact and one.kind == exact[0].kind]
        return exact[0] if len(exact) == len(alike) == 1 else None


def search(text: str) -> SearchPage:
    """Empty text finds nothing."""
    wanted = wanted_in(text)
    found: list[Found] = []
    cut: list[Promise] = []
    for find in FINDERS if wanted.text else ():
        of_kind = list(find(wanted))
        found += of_kind[:MOST]
        if len(of_kind) > MOST:
            cut.append(of_kind[0].kind)
    found.sort(key=lambda one: not one.is_exact)
    return SearchPage(wanted.text, found, cut, too_short=bool(wanted.text) and not wanted.names_parts)
