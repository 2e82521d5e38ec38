"""The verbs that change organizations and memberships, one transaction each.

Every verb comes in by ``acting``, which asks the policy again under the organization's lock, since roles may
have changed after the page was made. Raises Denied, Refused, or the model's DoesNotExist.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User, display_name
from audit.services import Actor, record
from orgs import actions, events
from orgs.access_requests import end_and_tell_of_granted, end_granted
from orgs.acting import Act, OrganizationPrincipal, acting, acting_as
from orgs.capacity import ensure_room
from orgs.editions import STARTING_EDITION, edition_of
from orgs.errors import PageOutdated, Refused
from orgs.last_days import PAST, ensure_not_past
from orgs.mails import (
    LAST_DAY_NEARS_MAIL,
    LAST_DAY_PASSED_MAIL,
    MEMBERSHIP_REMOVED_MAIL,
    ROLE_CHANGED_MAIL,
)
from orgs.models import Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role

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
        end_and_tell_of_granted(act)
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
        if old.is_billing_manager is not role.is_billing_manager:
            ensure_room(act.membership, role)
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
        if target.user_id != act.membership.user_id:
            act.mail(
                ROLE_CHANGED_MAIL,
                to=target.user.email,
                dedupe_key=f"role_changed:{event.pk}",
                old=old.value,
                new=role.value,
                granted=",".join(granted),
            )
        return target


def change_last_day(
    *, actor: Membership, membership_id: uuid.UUID, last_day: date | None, shown: date | None
) -> Membership:
    """Say until when a billing manager stays, in UTC; None: for good.

    ``shown``: the last day on the page that the actor decided by. Raises PageOutdated if it is another now.
    """
    with acting(actor, Permission.MEMBERS_CHANGE_ROLE) as act:
        target = _lock_membership(act.organization, membership_id)
        if target.last_day == last_day:
            return target
        if target.last_day != shown or not Role(target.role).is_billing_manager:
            raise PageOutdated(
                _(
                    "The role or the last day of %(name)s has changed since you opened this. "
                    "Nothing was done. Check it, then try again."
                )
                % {"name": display_name(target.user)}
            )
        ensure_not_past(last_day)
        old, target.last_day = target.last_day, last_day
        target.save(update_fields=["last_day"])
        act.record(
            actions.LAST_DAY_CHANGED,
            target=(target.user_id, display_name(target.user)),
            old=old.isoformat() if old else None,
            new=last_day.isoformat() if last_day else None,
        )
        return target


def end_past_last_days() -> None:
    """End the memberships whose last day has passed. Safe to run any number of times at once, and late."""
    for membership in Membership.objects.filter(PAST).order_by("last_day", "id"):
        with acting_as(Actor.system(), membership.organization_id) as act:
            _end_past_last_day(act, membership.pk)


def _end_past_last_day(act: Act, membership_id: uuid.UUID) -> None:
    """Unless it has another last day by now, or has ended."""
    found = Membership.objects.for_org(act.organization).filter(PAST, pk=membership_id)
    target = found.select_related("user").select_for_update(of=("self",)).first()
    if target is None or target.last_day is None:
        return
    codes = {"role": target.role, "last_day": target.last_day.isoformat()}
    event = act.record(actions.LAST_DAY_PASSED, target=(target.user_id, display_name(target.user)), **codes)
    act.mail(
        LAST_DAY_PASSED_MAIL,
        to=target.user.email,
        dedupe_key=f"last_day_passed:{event.pk}",
        **codes,
    )
    _end(act.organization, target)


# How many days before a last day people are reminded of it.
REMINDED_AHEAD = (1, 7)


def remind_of_last_days() -> None:
    """Tell each person, and the admins, that a last day is near: once for each number of days ahead."""
    today = timezone.now().date()
    near = Membership.objects.filter(last_day__range=(today, today + timedelta(days=max(REMINDED_AHEAD))))
    for membership in near.order_by("last_day", "id"):
        with acting_as(Actor.system(), membership.organization_id) as act:
            target = near.filter(pk=membership.pk).select_related("user").first()
            if target is not None and target.last_day is not None:
                _remind(act, target, (target.last_day - today).days)


def _remind(act: Act, target: Membership, days: int) -> None:
    ahead = min(ahead for ahead in REMINDED_AHEAD if days <= ahead)
    admins = Membership.objects.for_org(act.organization).admins().select_related("user")
    for own, people in ((True, [target.user]), (False, [admin.user for admin in admins])):
        act.mail_each(
            LAST_DAY_NEARS_MAIL,
            to={
                f"last_day_nears:{target.pk}:{target.last_day}:{ahead}:{person.pk}": person.email
                for person in people
            },
            membership_id=str(target.pk),
            last_day=str(target.last_day),
            own=own,
        )


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


def end_all_memberships(act: Act) -> None:
    """End every membership of the organization, which closes. Who had one gets another mail about that."""
    memberships = Membership.objects.for_org(act.organization).select_related("user")
    for membership in memberships.select_for_update(of=("self",)):
        _end(act.organization, membership)


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
