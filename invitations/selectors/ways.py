"""What a person who was refused can do instead: links to the acts that are meant."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import display_name
from invitations.models import Invitation
from invitations.services import BelongsAlready
from orgs.capacity import NoRoom
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role, may

# Of the people and invitations that hold the places of an edition.
HOLDERS_NAMED = 3


class Way(NamedTuple):
    """``asks``: the page is a question, which opens in the dialog."""

    label: str
    url: str
    asks: bool = True


def ways_on(actor: Membership, refused: Refused, role: Role) -> list[Way]:
    """From a refusal to invite somebody to ``role``: what the actor may do, the most direct first."""
    match refused:
        case BelongsAlready():
            return [_to_person(actor, refused.membership, role)]
        case NoRoom(role=Role.BILLING_MANAGER | Role.BILLING_VIEWER):
            return [*_to_holders(actor), _compare_editions(actor)]
    return []


def change_of_role(slug: str, membership_id: object, role: Role) -> str:
    """The page that asks whether to give a person that role."""
    return f"{reverse('member_role', args=[slug, membership_id])}?{urlencode({'role': role.value})}"


def _to_person(actor: Membership, theirs: Membership, role: Role) -> Way:
    slug = actor.organization.slug
    if theirs.role != role and may(actor, Permission.MEMBERS_CHANGE_ROLE):
        return Way(_("Change the role instead"), change_of_role(slug, theirs.pk, role))
    if Role(theirs.role).is_billing_manager:
        return Way(
            _("See billing managers"), f"{reverse('billing', args=[slug])}#billing-managers", asks=False
        )
    return Way(_("See members"), reverse("members", args=[slug]), asks=False)


def _to_holders(actor: Membership) -> Iterator[Way]:
    slug = actor.organization.slug
    if may(actor, REMOVE_PERMISSIONS[Role.BILLING_MANAGER]):
        managers = Membership.objects.for_org(actor.organization).billing_managers().exclude(pk=actor.pk)
        for manager in managers.select_related("user").order_by("joined_at", "id")[:HOLDERS_NAMED]:
            label = _("Remove %(name)s") % {"name": display_name(manager.user)}
            yield Way(label, reverse("manager_remove", args=[slug, manager.pk]))
    pending = Invitation.objects.live(actor.organization) & Invitation.objects.visible_to(actor)
    holding = pending.for_role(Role.BILLING_MANAGER).order_by("sent_at", "id")
    for invitation in holding[:HOLDERS_NAMED]:
        label = _("Revoke the invitation for %(address)s") % {"address": invitation.addressee}
        yield Way(label, reverse("invitation_revoke", args=[slug, invitation.pk]))


def _compare_editions(actor: Membership) -> Way:
    return Way(_("Compare editions"), reverse("editions", args=[actor.organization.slug]), asks=False)
