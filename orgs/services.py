"""The verbs that change organizations and memberships, one transaction each.

Every verb locks the organization first and asks the policy again under the lock, since roles may have
changed after the page was made. Raises Denied, Refused, or the model's DoesNotExist.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, display_name
from audit.services import Actor, record
from orgs import events
from orgs.capacity import ensure_room
from orgs.editions import STARTING_EDITION, edition_of
from orgs.errors import PageOutdated, Refused
from orgs.locking import lock_organization_of
from orgs.mails import ACCESS_REQUESTED_MAIL, MEMBERSHIP_REMOVED_MAIL, ROLE_CHANGED_MAIL
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role, ensure, may
from outbox.services import enqueue, enqueue_each

# Paths of our own below /orgs/.
RESERVED_SLUGS = frozenset({"new"})


@transaction.atomic
def create_organization(
    *,
    user: User,
    name: str,
    edition_code: str = STARTING_EDITION,
    seats: int | None = None,
    idempotency_key: uuid.UUID | None = None,
) -> Organization:
    """Found an organization; its founder becomes its first admin.

    ``idempotency_key``: with the same key, person and name, the organization made first is returned.
    """
    edition = edition_of(edition_code, on=timezone.now().date())
    organization = Organization(name=name, edition_code=edition_code, seats=seats)
    if idempotency_key is not None:
        organization.pk = uuid.uuid5(idempotency_key, f"{user.pk} {name}")
    if not _inserted_with_free_slug(organization):
        return Organization.objects.get(pk=organization.pk)
    Membership.objects.create(organization=organization, user=user, role=Role.ADMIN)
    record(
        action="organization.created",
        actor=Actor.person(user),
        organization=organization,
        edition=edition.name,
    )
    return organization


def _inserted_with_free_slug(organization: Organization) -> bool:
    """Insert it. False: it is there already. Raises Refused."""
    base = slugify(organization.name)[:40].strip("-") or "organization"
    organization.slug = base
    for _attempt in range(20):
        if organization.slug not in RESERVED_SLUGS:
            try:
                with transaction.atomic():
                    organization.save(force_insert=True)
                return True
            except IntegrityError:
                if Organization.objects.filter(pk=organization.pk).exists():
                    return False
        organization.slug = f"{base}-{get_random_string(5, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    raise Refused(_("No free address was found for this name. Choose another name."))


class Change(NamedTuple):
    """A setting that a person changed: what they saw, and what they want."""

    seen: object
    wanted: Any


@transaction.atomic
def change_settings(*, actor: Membership, changes: Mapping[str, Change]) -> None:
    """Change settings of the organization, by their fields' names: all of them, or none.

    Raises PageOutdated when one was changed since the person saw it.
    """
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.ORGANIZATION_CONFIGURE)
    if any(
        getattr(organization, name) not in (change.seen, change.wanted) for name, change in changes.items()
    ):
        raise PageOutdated(
            _(
                "Somebody else changed this meanwhile, so nothing of yours was saved. "
                "Look at the settings as they are now, then save again."
            )
        )
    for name, change in changes.items():
        SETTERS[name](actor, change.wanted)


@transaction.atomic
def rename_organization(*, actor: Membership, name: str) -> Organization:
    """Change the display name; the slug, and so every link, stays."""
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.ORGANIZATION_CONFIGURE)
    if organization.name != name:
        old, organization.name = organization.name, name
        organization.save(update_fields=["name"])
        record(
            action="organization.renamed",
            actor=Actor.person(actor.user),
            organization=organization,
            old=old,
            new=name,
        )
    return organization


@transaction.atomic
def let_managers_manage_managers(*, actor: Membership, allowed: bool) -> Organization:
    """Set whether billing managers may invite and remove others (seed 002; default off, seed 001)."""
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.ORGANIZATION_CONFIGURE)
    if organization.managers_manage_managers != allowed:
        organization.managers_manage_managers = allowed
        organization.save(update_fields=["managers_manage_managers"])
        record(
            action="organization.managers_setting_changed",
            actor=Actor.person(actor.user),
            organization=organization,
            allowed=_("yes") if allowed else _("no"),
        )
    return organization


@transaction.atomic
def set_invitation_max_age(*, actor: Membership, days: int | None) -> Organization:
    """Set after how many days a pending invitation expires; None: never (seed 001)."""
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.ORGANIZATION_CONFIGURE)
    if organization.invitation_max_age_days != days:
        organization.invitation_max_age_days = days
        organization.save(update_fields=["invitation_max_age_days"])
        record(
            action="organization.invitation_age_changed",
            actor=Actor.person(actor.user),
            organization=organization,
            days=_("forever")
            if days is None
            else ngettext("%(days)s day", "%(days)s days", days) % {"days": days},
        )
    return organization


SETTERS: dict[str, Callable[[Membership, Any], object]] = {
    "name": lambda actor, name: rename_organization(actor=actor, name=name),
    "invitation_max_age_days": lambda actor, days: set_invitation_max_age(actor=actor, days=days),
    "managers_manage_managers": lambda actor, allowed: let_managers_manage_managers(
        actor=actor, allowed=allowed
    ),
}


@transaction.atomic
def change_role(
    *, actor: Membership, membership_id: uuid.UUID, role: Role, shown_role: str | None = None
) -> Membership:
    """Give a person another role, where the edition has room for it and an admin remains.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.MEMBERS_CHANGE_ROLE)
    target = _lock_membership(organization, membership_id)
    old = Role(target.role)
    if old is role:
        return target
    _ensure_as_shown(target, shown_role)
    _keep_an_admin(organization, target)
    if Role.BILLING_MANAGER in {old, role}:
        ensure_room(organization, role)
    target.role = role
    target.save(update_fields=["role"])
    event = record(
        action="membership.role_changed",
        actor=Actor.person(actor.user),
        organization=organization,
        target=(target.user_id, display_name(target.user)),
        old=str(old.label),
        new=str(role.label),
    )
    events.role_changed.send(
        Membership, organization_id=organization.pk, user_id=target.user_id, old=old.value, new=role.value
    )
    if target.user_id != actor.user_id:
        enqueue(
            ROLE_CHANGED_MAIL,
            to=target.user.email,
            organization_id=organization.pk,
            dedupe_key=f"role_changed:{event.pk}",
            organization=organization.name,
            slug=organization.slug,
            actor=display_name(actor.user),
            old=old.value,
            new=role.value,
        )
    return target


@transaction.atomic
def remove_member(*, actor: Membership, membership_id: uuid.UUID, shown_role: str | None = None) -> None:
    """End another person's membership: members and admins by the members page, billing managers by theirs.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    organization, actor = lock_organization_of(actor)
    target = _lock_membership(organization, membership_id)
    role = Role(target.role)
    ensure(actor, REMOVE_PERMISSIONS[role])
    if target.pk == actor.pk:
        raise Refused(_("You can't remove yourself. Leave the organization instead."))
    _ensure_as_shown(target, shown_role)
    _keep_an_admin(organization, target)
    event = record(
        action="membership.removed",
        actor=Actor.person(actor.user),
        organization=organization,
        target=(target.user_id, display_name(target.user)),
        role=str(role.label),
    )
    enqueue(
        MEMBERSHIP_REMOVED_MAIL,
        to=target.user.email,
        organization_id=organization.pk,
        dedupe_key=f"membership_removed:{event.pk}",
        organization=organization.name,
        actor=display_name(actor.user),
        role=role.value,
    )
    _end(organization, target)


@transaction.atomic
def leave(*, membership: Membership) -> None:
    """End one's own membership, unless one is the last admin."""
    organization, own = lock_organization_of(membership)
    ensure(own, Permission.ORGANIZATION_LEAVE)
    _keep_an_admin(organization, own)
    record(
        action="membership.left",
        actor=Actor.person(own.user),
        organization=organization,
        role=str(Role(own.role).label),
    )
    _end(organization, own)


@transaction.atomic
def request_access(*, actor: Membership, permission: Permission) -> None:
    """Ask the organization's admins for a permission. They get one mail a day that lists what was asked.

    Asking again before that mail changes nothing.
    """
    organization, actor = lock_organization_of(actor)
    ensure(actor, Permission.ACCESS_REQUEST)
    if may(actor, permission):
        raise Refused(_("You may do this already. Open the page again."))
    now = timezone.now()
    mail_at = organization.access_mail_for(now)
    if actor.access_requests.filter(permission=permission, mail_at=mail_at).exists():
        return
    AccessRequest.objects.update_or_create(
        membership=actor, permission=permission, defaults={"asked_at": now, "mail_at": mail_at}
    )
    organization.access_mail_at = mail_at
    organization.save(update_fields=["access_mail_at"])
    record(
        action="access.requested",
        actor=Actor.person(actor.user),
        organization=organization,
        permission=str(permission.label),
    )
    # Each time, since there may be more admins by now. Two such mails are a day apart or more.
    enqueue_each(
        ACCESS_REQUESTED_MAIL,
        to={
            f"access_requested:{organization.pk}:{mail_at.date()}:{admin.user_id}": admin.user.email
            for admin in Membership.objects.for_org(organization).admins().select_related("user")
        },
        organization_id=organization.pk,
        not_before=mail_at,
        mail_at=mail_at.isoformat(),
    )


def _lock_membership(organization: Organization, membership_id: uuid.UUID) -> Membership:
    return (
        Membership.objects.for_org(organization)
        .select_related("user")
        .select_for_update(of=("self",))
        .get(pk=membership_id)
    )


def _ensure_as_shown(target: Membership, shown_role: str | None) -> None:
    if shown_role is not None and target.role != shown_role:
        raise PageOutdated(
            _("The role of %(name)s has changed since you opened this. Nothing was done: look once more.")
            % {"name": display_name(target.user)}
        )


def _keep_an_admin(organization: Organization, target: Membership) -> None:
    others = Membership.objects.for_org(organization).admins().exclude(pk=target.pk)
    if target.role == Role.ADMIN and not others.exists():
        raise Refused(_("An organization needs an admin. Make somebody else an admin first."))


def _end(organization: Organization, membership: Membership) -> None:
    user_id, role = membership.user_id, membership.role
    membership.delete()
    events.membership_ended.send(Membership, organization_id=organization.pk, user_id=user_id, role=role)
