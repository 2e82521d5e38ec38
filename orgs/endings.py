"""What ends with memberships beside the access itself, and what goes on. Each app tells of its own."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet, TextField, prefetch_related_objects
from django.db.models.functions import Cast
from django.utils.translation import ngettext

from accounts.models import addresses_of
from audit.models import AuditEvent
from audit.registry import Action
from orgs.acting import OrganizationPrincipal
from orgs.models import Membership, Organization
from orgs.rows import count_of
from outbox.models import OutgoingEmailQuerySet
from outbox.services import inside_mails

# Those who leave, and who lets them; what ends of theirs, for the question before and the page after.
Teller = Callable[[Sequence[Membership], OrganizationPrincipal], list[str]]
Rows = Callable[[Sequence[Membership], OrganizationPrincipal], QuerySet[Any]]


class Counted(NamedTuple):
    """Things that are told by their number. ``of``: those of these people; ``called``: so many of them, with
    ``%(count)s``.
    """

    of: Rows
    called: Callable[[int], str]


_counted: list[Counted] = []
_tellers: list[Teller] = []
_tellers_of_what_goes_on: list[Teller] = []


def counted_among_endings(called: Callable[[int], str]) -> Callable[[Rows], Rows]:
    """Declares a selector of what ends: all of them are counted in one statement."""

    def declare(of: Rows) -> Rows:
        _counted.append(Counted(of, called))
        return of

    return declare


def tell_of_endings_with(teller: Teller) -> None:
    _tellers.append(teller)


def what_ends(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """The items of a list, without what always ends: pages that they have open.

    ``leaving``: of one organization.
    """
    # Once for all who tell.
    prefetch_related_objects([person.user for person in leaving], "emailaddress_set")
    columns = [count_of(counted.of(leaving, actor)) for counted in _counted]
    counts = Organization.objects.filter(pk=actor.organization_id).values_list(*columns).get()
    items = [
        counted.called(count) % {"count": count}
        for counted, count in zip(_counted, counts, strict=True)
        if count
    ]
    return items + [item for tell in _tellers for item in tell(leaving, actor)]


def tell_of_what_goes_on_with(teller: Teller) -> None:
    _tellers_of_what_goes_on.append(teller)


def what_goes_on(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """The items of a list: what is the organization's, while those who leave may know its secret."""
    return [item for tell in _tellers_of_what_goes_on for item in tell(leaving, actor)]


def count_handled_by(
    people: Sequence[Membership], targets: QuerySet[Any], *, actions: Iterable[Action]
) -> int:
    """On how many of the targets these people, of one organization, did one of these actions."""
    done = AuditEvent.objects.filter(
        organization_id__in={person.organization_id for person in people},
        action__in=[action.code for action in actions],
        actor_id__in=[person.user_id for person in people],
        target_id__in=targets.values(code=Cast("pk", TextField())),
    )
    return done.values("target_id").distinct().count()


@counted_among_endings(
    lambda count: ngettext(
        "%(count)s mail that was not sent yet", "%(count)s mails that were not sent yet", count
    )
)
def _waiting_mails(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> OutgoingEmailQuerySet:
    addresses = {address for person in leaving for address in addresses_of(person.user)}
    return inside_mails(actor.organization_id, addresses)
