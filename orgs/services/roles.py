"""Another role for a person who belongs already."""

import uuid

from accounts.models import display_name
from orgs import actions, events
from orgs.access_requests import end_granted
from orgs.acting import OrganizationPrincipal, acting
from orgs.capacity import ensure_room
from orgs.mails import ROLE_CHANGED_MAIL
from orgs.models import Membership
from orgs.policy import Permission, Role
from orgs.services.memberships import ensure_as_shown, keep_an_admin, locked_membership


def change_role(
    *, actor: OrganizationPrincipal, membership_id: uuid.UUID, role: Role, shown_role: str | None = None
) -> Membership:
    """Give a person another role, where the edition has room for it and an admin remains.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    with acting(actor, Permission.MEMBERS_CHANGE_ROLE) as act:
        organization = act.organization
        target = locked_membership(organization, membership_id)
        old = Role(target.role)
        if old is role:
            return target
        ensure_as_shown(target, shown_role)
        keep_an_admin(organization, target)
        if old.is_billing_manager is not role.is_billing_manager:
            ensure_room(act.principal, role)
        target.role = role
        if not role.is_billing_manager:
            target.last_day = None
        target.save(update_fields=["role", "last_day"])
        event = act.record(
            actions.ROLE_CHANGED,
            target=(target.user_id, display_name(target.user)),
            old=old.value,
            new=role.value,
        )
        events.role_changed.send(
            Membership, organization_id=organization.pk, user_id=target.user_id, old=old.value, new=role.value
        )
        granted = end_granted(organization).get(target.user_id, [])
        if target.user_id != act.actor.id:
            act.mail(
                ROLE_CHANGED_MAIL,
                to=target.user.email,
                dedupe_key=f"role_changed:{event.pk}",
                old=old.value,
                new=role.value,
                granted=",".join(granted),
            )
        return target
