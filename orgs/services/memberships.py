"""What the verbs about one membership share, and the hints that its person has put away."""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import display_name
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Role


@transaction.atomic
def dismiss(*, membership: Membership, code: str) -> None:
    """Note that the person needs a hint no more. It changes their own pages alone, so all may."""
    own = Membership.objects.select_for_update().get(pk=membership.pk)
    if code not in own.dismissed:
        own.dismissed.append(code)
        own.save(update_fields=["dismissed"])


def locked_membership(organization: Organization, membership_id: uuid.UUID) -> Membership:
    return (
        Membership.objects.for_org(organization)
        .select_related("user")
        .select_for_update(of=("self",))
        .get(pk=membership_id)
    )


def ensure_as_shown(target: Membership, shown_role: str | None) -> None:
    if shown_role is not None and target.role != shown_role:
        raise PageOutdated(
            _(
                "The role of %(name)s has changed since you opened this. "
                "Nothing was done. Check it, then try again."
            )
            % {"name": display_name(target.user)}
        )


def keep_an_admin(organization: Organization, target: Membership) -> None:
    others = Membership.objects.for_org(organization).admins().exclude(pk=target.pk)
    if target.role == Role.ADMIN and not others.exists():
        raise Refused(_("An organization needs an admin. Make somebody else an admin first."))
