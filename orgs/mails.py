"""The mails about memberships."""

import uuid
from typing import cast

from django.conf import settings
from django.urls import reverse

from accounts.models import display_name
from orgs.models import AccessRequest, Membership
from orgs.policy import Permission, Role, may
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail


def _role_changed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "role_changed",
        {
            **mail.params,
            "old": Role(mail.params["old"]).label,
            "new": Role(mail.params["new"]).label,
        },
        ours={"url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]])},
    )


def _membership_removed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail("membership_removed", {**mail.params, "role": Role(mail.params["role"]).label})


def _access_requested(mail: OutgoingEmail) -> RenderedMail:
    """Who asks for what, as of now: to a person who is an admin still, without what was granted since."""
    organization_id = cast("uuid.UUID", mail.organization_id)
    if not Membership.objects.for_org(organization_id).admins().filter(user__email=mail.to).exists():
        raise NoLongerNeeded("The recipient is no admin of the organization any more.")
    asked: dict[Membership, list[str]] = {}
    requests = AccessRequest.objects.for_org(organization_id).filter(mail_at=mail.params["mail_at"])
    for request in requests.select_related("membership__user", "membership__organization"):
        if request.permission in Permission and not may(request.membership, request.permission):
            asked.setdefault(request.membership, []).append(str(Permission(request.permission).label))
    if not asked:
        raise NoLongerNeeded("Nobody lacks what they asked for any more.")
    organization = next(iter(asked)).organization
    return render_mail(
        "access_requested",
        {
            "organization": organization.name,
            "people": [(display_name(person.user), labels) for person, labels in asked.items()],
        },
        ours={"url": settings.SITE_URL + reverse("members", args=[organization.slug])},
    )


ROLE_CHANGED_MAIL = MailKind("role_changed", _role_changed)
MEMBERSHIP_REMOVED_MAIL = MailKind("membership_removed", _membership_removed)
ACCESS_REQUESTED_MAIL = MailKind("access_requested", _access_requested)
