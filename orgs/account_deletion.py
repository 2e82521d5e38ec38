"""Deleting one's account: the person leaves every organization, and only what logs tell of them stays."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts.mails import tell_of_deleted_account
from accounts.models import User, addresses_of
from accounts.sessions import end_all_sessions
from audit.models import ActorKind
from audit.services import Actor, record
from orgs.actions import ACCOUNT_DELETED
from orgs.endings import what_ends
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Role
from orgs.services import end_past_last_day, leave
from outbox.services import drop_mails_to

# The page tells what ends in so many organizations: each costs a few statements.
TOLD_OF = 20


@dataclass(frozen=True)
class Belonging:
    """One of the person's organizations. ``is_only_admin``: it would have no admin without them.

    ``ends``: what ends there besides, as ``orgs.endings`` tells it; empty beyond ``TOLD_OF``.
    """

    organization_id: uuid.UUID
    name: str
    slug: str
    is_only_admin: bool
    closes_after: date | None
    is_due_to_close: bool
    ends: list[str]


@dataclass(frozen=True)
class DeletionPage:
    """``in_the_way``: the organizations whose only admin the person is. ``left``: all others."""

    in_the_way: list[Belonging]
    left: list[Belonging]
    is_staff: bool

    @property
    def can_be_deleted(self) -> bool:
        return not self.in_the_way and not self.is_staff


def deletion_page(user: User) -> DeletionPage:
    admins = Membership.objects.admins().filter(organization=OuterRef("organization"))
    others = admins.exclude(user=user)
    memberships = Membership.objects.of_person(user.pk).select_related("user")
    memberships = memberships.order_by("organization__name", "id")
    led_alone = set(
        memberships.filter(~Exists(others), role=Role.ADMIN).values_list("organization_id", flat=True)
    )
    belongings = [
        Belonging(
            one.organization_id,
            one.organization.name,
            one.organization.slug,
            is_only_admin=one.organization_id in led_alone,
            closes_after=one.organization.closes_after,
            is_due_to_close=one.organization.is_due_to_close,
            ends=what_ends([one], one) if number < TOLD_OF else [],
        )
        for number, one in enumerate(memberships)
    ]
    return DeletionPage(
        in_the_way=[one for one in belongings if one.is_only_admin],
        left=[one for one in belongings if not one.is_only_admin],
        is_staff=user.is_staff,
    )


@transaction.atomic
def delete_account(*, user: User, shown: Collection[str]) -> None:
    """Leave every organization, end all sessions, and delete the person: all of it, or nothing.

    ``shown``: the ids of the organizations that the page named. Raises PageOutdated when there are others by
    now, also while this runs, and Refused where the person is the only admin, or support staff.
    """
    memberships = Membership.objects.filter(user=user.pk)
    leaving = set(memberships.current())
    if {str(one.organization_id) for one in leaving} != set(shown):
        raise _changed_meanwhile()
    # In one order, as several organizations are locked.
    for membership in memberships.select_related("organization", "user").order_by("organization_id"):
        if membership in leaving:
            _leave(membership)
        else:
            end_past_last_day(membership)
    # After the organizations. Who joins or founds one meanwhile waits for this, or has done it before.
    person = User.objects.locked(user.pk)
    if person.is_staff:
        raise Refused(_("Accounts of support staff are deleted by other staff."))
    if Membership.objects.filter(user=person).exists():
        raise _changed_meanwhile()
    drop_mails_to(addresses_of(person))
    tell_of_deleted_account(person)
    # The log of no organization, so without a name.
    record(
        ACCOUNT_DELETED,
        actor=Actor(ActorKind.PERSON, "", person.pk),
        organization=None,
    )
    end_all_sessions(person)
    person.delete()


def _leave(membership: Membership) -> None:
    try:
        leave(membership=membership)
    except Membership.DoesNotExist:
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> PageOutdated:
    return PageOutdated(
        _(
            "Your organizations have changed since you opened this. "
            "Nothing was done. Check it, then try again."
        )
    )
