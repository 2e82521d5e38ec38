"""What ends with memberships beside the access itself. Each app tells of what is its own."""

from collections.abc import Callable, Sequence

from django.utils.translation import ngettext

from accounts.models import addresses_of
from orgs.acting import OrganizationPrincipal
from orgs.models import Membership
from outbox.services import inside_mails

# Those who leave, and who lets them; what ends of theirs, for the question before and the page after.
Teller = Callable[[Sequence[Membership], OrganizationPrincipal], list[str]]
_tellers: list[Teller] = []


def tell_of_endings_with(teller: Teller) -> None:
    _tellers.append(teller)


def what_ends(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """The items of a list, without what always ends: pages that they have open.

    ``leaving``: of one organization.
    """
    return [item for tell in _tellers for item in tell(leaving, actor)]


def _waiting_mails(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    addresses = {address for person in leaving for address in addresses_of(person.user)}
    count = inside_mails(actor.organization_id, addresses).count()
    sentence = ngettext(
        "%(count)s mail that was not sent yet", "%(count)s mails that were not sent yet", count
    )
    return [sentence % {"count": count}] if count else []


tell_of_endings_with(_waiting_mails)
