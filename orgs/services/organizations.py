"""Founding an organization, and its settings."""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import Actor, record
from orgs import actions, events
from orgs.access_requests import end_and_tell_of_granted
from orgs.acting import OrganizationPrincipal, acting
from orgs.editions import STARTING_EDITION, edition_of
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role

# Paths of our own below /orgs/.
RESERVED_SLUGS = frozenset({"new"})
# Of the ids of organizations that the product has made, from the ids that it calls them by.
OF_HOST = uuid.UUID("7c0a8b6e-7d0b-4b55-9d0e-3a4c1f6f2a10")


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
    Raises Refused, also where the account was deleted meanwhile.
    """
    edition = edition_of(edition_code, on=timezone.now().date())
    organization = Organization(name=name, edition_code=edition_code, seats=seats)
    if idempotency_key is not None:
        organization.pk = uuid.uuid5(idempotency_key, f"{user.pk} {name}")
    if not _inserted_with_free_slug(organization):
        return Organization.objects.get(pk=organization.pk)
    try:
        founder = User.objects.kept(user.pk)
    except User.DoesNotExist:
        raise Refused(_("Your account was deleted meanwhile, so nothing was created.")) from None
    Membership.objects.create(organization=organization, user=founder, role=Role.ADMIN)
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
                if _is_there(organization):
                    return False
        organization.slug = f"{base}-{get_random_string(5, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    raise Refused(_("No free address was found for this name. Choose another name."))


def _is_there(organization: Organization) -> bool:
    same = Q(pk=organization.pk)
    if organization.external_id is not None:
        same |= Q(external_id=organization.external_id)
    return Organization.objects.filter(same).exists()


@transaction.atomic
def provision_organization(
    *, external_id: str, name: str, edition_code: str, actor: Actor
) -> tuple[Organization, bool]:
    """The organization that the product calls ``external_id``, and whether it was made just now.

    It has nobody yet. The right to make one is asked for by the caller. Raises Refused.
    """
    # The same external id is the same organization, also for two who ask at once.
    pk = uuid.uuid5(OF_HOST, external_id)
    organization = Organization(pk=pk, external_id=external_id, name=name, edition_code=edition_code)
    if not _inserted_with_free_slug(organization):
        return Organization.objects.get(external_id=external_id), False
    record(actions.ORGANIZATION_CREATED, actor=actor, organization=organization, edition=edition_code)
    return organization, True


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
                Organization, actor=act.principal, old=now["name"], new=organization.name
            )
        if wanted.get("managers_manage_managers") is False:
            events.delegation_ended.send(Organization, organization_id=organization.pk)


def link_organization(*, actor: OrganizationPrincipal, external_id: str) -> Organization:
    """Note what the product calls an organization that a person created. Done twice, it changes nothing.

    Raises Refused where the organization, or the external id, is linked otherwise.
    """
    try:
        with acting(actor, Permission.ORGANIZATIONS_LINK) as act:
            organization = act.organization
            if organization.external_id == external_id:
                return organization
            if organization.external_id is not None:
                raise Refused(_("The organization has another external id, which stays."))
            organization.external_id = external_id
            organization.save(update_fields=["external_id"])
            act.record(actions.ORGANIZATION_LINKED, external_id=external_id)
            return organization
    except IntegrityError:
        raise Refused(_("Another organization has this external id.")) from None


def rename_organization(*, actor: OrganizationPrincipal, name: str) -> Organization:
    """Rename an organization for the product, whose own name of its customer has changed."""
    with acting(actor, Permission.ORGANIZATIONS_RENAME) as act:
        organization, old = act.organization, act.organization.name
        if name != old:
            organization.name = name
            organization.save(update_fields=["name"])
            act.record(actions.ORGANIZATION_RENAMED, old=old, new=name)
            events.organization_renamed.send(Organization, actor=act.principal, old=old, new=name)
        return organization
