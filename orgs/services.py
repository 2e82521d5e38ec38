"""The verbs that change organizations and memberships, one transaction each.

Every verb comes in by ``acting``, which asks the policy again under the organization's lock, since roles may
have changed after the page was made. Raises Denied, Refused, or the model's DoesNotExist.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User, display_name
from audit.services import Actor, record
from orgs import actions, events
from orgs.acting import Act, OrganizationPrincipal, acting
from orgs.capacity import ensure_room
from orgs.editions import STARTING_EDITION, edition_of
from orgs.errors import PageOutdated, Refused
from orgs.mails import ACCESS_REQUESTED_MAIL, MEMBERSHIP_REMOVED_MAIL, ROLE_CHANGED_MAIL
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role, may

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
        actions.ORGANIZATION_CREATED,
        actor=Actor.person(user),
        organization=organization,
        edition=edition.code,
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


# The settings, by their fields' names. The slug, and so every link, stays when the name changes.
SETTINGS = {
    "name": actions.ORGANIZATION_RENAMED,
    "invitation_max_age_days": actions.INVITATION_AGE_CHANGED,
    "managers_manage_managers": actions.MANAGERS_SETTING_CHANGED,
}


def change_settings(*, actor: Membership, changes: Mapping[str, Change]) -> None:
    """Change settings of the organization, by their fields' names: all of them, or none.

    Raises PageOutdated when one was changed since the person saw it.
    """
    with acting(actor, Permission.ORGANIZATION_CONFIGURE) as act:
        organization = act.organization
        now = {name: getattr(organization, name) for name in changes}
        if any(now[name] not in (change.seen, change.wanted) for name, change in changes.items()):
            raise PageOutdated(
                _(
                    "Somebody else changed this meanwhile, so your changes were not saved. "
                    "Look at the settings as they are now, then save again."
                )
            )
        wanted = {name: change.wanted for name, change in changes.items() if change.wanted != now[name]}
        for name, value in wanted.items():
            setattr(organization, name, value)
            act.record(SETTINGS[name], old=now[name], new=value)
        organization.save(update_fields=list(wanted))
        if "name" in wanted:
            events.organization_renamed.send(
                Organization, actor=act.membership, old=now["name"], new=organization.name
            )
        if wanted.get("managers_manage_managers") is False:
            events.delegation_ended.send(Organization, organization_id=organization.pk)


def change_role(
    *, actor: Membership, membership_id: uuid.UUID, role: Role, shown_role: str | None = None
) -> Membership:
    """Give a person another role, where the edition has room for it and an admin remains.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    with acting(actor, Permission.MEMBERS_CHANGE_ROLE) as act:
        organization = act.organization
        target = _lock_membership(organization, membership_id)
        old = Role(target.role)
        if old is role:
            return target
        _ensure_as_shown(target, shown_role)
        _keep_an_admin(organization, target)
        if Role.BILLING_MANAGER in {old, role}:
            ensure_room(act.membership, role)
        target.role = role
        target.save(update_fields=["role"])
        event = act.record(
            actions.ROLE_CHANGED,
            target=(target.user_id, display_name(target.user)),
            old=old.value,
            new=role.value,
        )
        events.role_changed.send(
            Membership, organization_id=organization.pk, user_id=target.user_id, old=old.value, new=role.value
        )
        if target.user_id != act.membership.user_id:
            act.mail(
                ROLE_CHANGED_MAIL,
                to=target.user.email,
                dedupe_key=f"role_changed:{event.pk}",
                old=old.value,
                new=role.value,
            )
        return target


def remove_member(
    *, actor: OrganizationPrincipal, membership_id: uuid.UUID, shown_role: str | None = None
) -> None:
    """End another person's membership: members and admins by the members page, billing managers by theirs.

    ``shown_role``: on the page that the actor decided by; None without a page. Raises PageOutdated if the
    person has another role now.
    """
    # Everybody who may remove somebody may remove billing managers.
    with acting(actor, Permission.BILLING_MANAGERS_REMOVE) as act:
        organization = act.organization
        target = _lock_membership(organization, membership_id)
        act.ensure(REMOVE_PERMISSIONS[Role(target.role)])
        if target.pk == act.principal.pk:
            raise Refused(_("You can't remove yourself. Leave the organization instead."))
        _ensure_as_shown(target, shown_role)
        _keep_an_admin(organization, target)
        _remove(act, target)


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
    _end(act.organization, target)


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


@transaction.atomic
def dismiss(*, membership: Membership, code: str) -> None:
    """Note that the person needs a hint no more. It changes their own pages alone, so all may."""
    own = Membership.objects.select_for_update().get(pk=membership.pk)
    if code not in own.dismissed:
        own.dismissed.append(code)
        own.save(update_fields=["dismissed"])


def leave(*, membership: Membership) -> None:
    """End one's own membership, unless one is the last admin."""
    with acting(membership, Permission.ORGANIZATION_LEAVE) as act:
        _keep_an_admin(act.organization, act.membership)
        act.record(actions.MEMBERSHIP_LEFT, role=act.membership.role)
        _end(act.organization, act.membership)


def request_access(*, actor: Membership, permission: Permission) -> None:
    """Ask the organization's admins for a permission. They get one mail a day that lists what was asked.

    Asking again before that mail changes nothing.
    """
    with acting(actor, Permission.ACCESS_REQUEST) as act:
        organization = act.organization
        if may(act.membership, permission):
            raise Refused(_("You may do this already. Open the page again."))
        now = timezone.now()
        mail_at = organization.access_mail_for(now)
        if act.membership.access_requests.filter(permission=permission, mail_at=mail_at).exists():
            return
        AccessRequest.objects.update_or_create(
            membership=act.membership,
            permission=permission,
            defaults={"asked_at": now, "mail_at": mail_at},
        )
        organization.access_mail_at = mail_at
        organization.save(update_fields=["access_mail_at"])
        act.record(actions.ACCESS_REQUESTED, permission=permission.value)
        # Each time, since there may be more admins by now. Two such mails are a day apart or more.
        act.mail_each(
            ACCESS_REQUESTED_MAIL,
            to={
                f"access_requested:{organization.pk}:{mail_at.date()}:{admin.user_id}": admin.user.email
                for admin in Membership.objects.for_org(organization).admins().select_related("user")
            },
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
            _(
                "The role of %(name)s has changed since you opened this. "
                "Nothing was done. Check it, then try again."
            )
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
