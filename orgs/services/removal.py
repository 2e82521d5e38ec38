"""The end of memberships: by others, or one's own act."""

import uuid
from collections.abc import Collection

from django.utils.translation import gettext as _

from accounts.models import addresses_of, display_name
from audit.services import Actor
from orgs import actions, events
from orgs.acting import Act, OrganizationPrincipal, acting
from orgs.endings import what_ends
from orgs.errors import Refused
from orgs.mails import MEMBERSHIP_REMOVED_MAIL
from orgs.models import Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role
from orgs.services.memberships import ensure_as_shown, keep_an_admin, locked_membership
from outbox.services import drop_inside_mails


def remove_member(
    *, actor: OrganizationPrincipal, membership_id: uuid.UUID, shown_role: str | None = None
) -> list[str]:
    """End another person's membership: members and admins by the members page, billing managers by theirs.

    Returns what ended with it: see ``orgs.endings``.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    # Everybody who may remove somebody may remove billing managers.
    with acting(actor, Permission.BILLING_MANAGERS_REMOVE) as act:
        organization = act.organization
        target = locked_membership(organization, membership_id)
        act.ensure(REMOVE_PERMISSIONS[Role(target.role)])
        if target.pk == act.principal.pk:
            raise Refused(_("You can't remove yourself. Leave the organization instead."))
        ensure_as_shown(target, shown_role)
        keep_an_admin(organization, target)
        ended = what_ends([target], act.principal)
        _remove(act, target)
        return ended


def _remove(act: Act, target: Membership) -> None:
    event = act.record(
        actions.MEMBERSHIP_REMOVED,
        target=(target.user_id, display_name(target.user)),
        role=target.role,
    )
    act.mail(
        MEMBERSHIP_REMOVED_MAIL,
        to=target.user.email,
        dedupe_key=f"membership_removed:{event.pk}",
        role=target.role,
    )
    end_membership(act, target)


def remove_billing_managers(
    organization: Organization, membership_ids: Collection[uuid.UUID], *, actor: Actor
) -> None:
    """End memberships as ``actor`` chose before. Call it with the organization locked.

    Of those who are no billing managers any more, nothing changes.
    """
    act = Act(organization, actor)
    managers = Membership.objects.for_org(organization).billing_managers().select_related("user")
    for target in managers.filter(pk__in=membership_ids).select_for_update(of=("self",)):
        _remove(act, target)


def leave(*, membership: Membership) -> list[str]:
    """End one's own membership, unless one is the last admin. Returns what ended with it."""
    with acting(membership, Permission.ORGANIZATION_LEAVE) as act:
        keep_an_admin(act.organization, act.membership)
        ended = what_ends([act.membership], act.membership)
        act.record(actions.MEMBERSHIP_LEFT, role=act.membership.role)
        end_membership(act, act.membership)
        return ended


def end_all_memberships(act: Act) -> None:
    """End every membership of the organization, which closes. Who had one gets another mail about that."""
    memberships = Membership.objects.for_org(act.organization).select_related("user")
    for membership in memberships.select_for_update(of=("self",)):
        end_membership(act, membership)


def end_membership(act: Act, membership: Membership) -> None:
    """With what is under way for the person here: each app ends what is its own."""
    user = membership.user
    events.membership_ended.send(
        Membership,
        organization_id=act.organization.pk,
        user_id=user.pk,
        role=membership.role,
        actor=act.actor,
    )
    membership.delete()
    # Last, so that nothing that was written meanwhile goes out.
    drop_inside_mails(act.organization.pk, addresses_of(user))
