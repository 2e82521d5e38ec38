"""The mails about memberships."""

import uuid
from datetime import date
from typing import cast

from django.conf import settings
from django.urls import reverse

from accounts.models import display_name
from orgs.models import AccessRequest, Membership, Organization
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
            "granted": _labels(mail.params["granted"]),
        },
        ours={"url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]])},
    )


def _labels(permissions: str) -> list[str]:
    """Of permissions by their codes; the policy may have lost some since."""
    return [str(Permission(code).label) for code in permissions.split(",") if code in Permission]


def _access_answered(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "access_answered",
        {**mail.params, "permissions": _labels(mail.params["permissions"])},
        ours={"url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]])},
    )


def _membership_removed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail("membership_removed", {**mail.params, "role": Role(mail.params["role"]).label})


def _signed_out(mail: OutgoingEmail) -> RenderedMail:
    url = settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]])
    return render_mail("signed_out", mail.params, ours={"url": url})


def _last_day_nears(mail: OutgoingEmail) -> RenderedMail:
    last_day = date.fromisoformat(mail.params["last_day"])
    near = Membership.objects.for_org(cast("uuid.UUID", mail.organization_id)).select_related("user")
    target = near.filter(pk=mail.params["membership_id"], last_day=last_day).first()
    if target is None:
        raise NoLongerNeeded("The person has left, or has another last day now.")
    return render_mail(
        "last_day_nears",
        {
            "organization": mail.params["organization"],
            "own": mail.params["own"],
            "name": display_name(target.user),
            "role": Role(target.role).in_sentence,
        },
        ours={
            "last_day": last_day,
            "url": settings.SITE_URL + reverse("billing", args=[mail.params["slug"]]),
        },
    )


def _last_day_passed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "last_day_passed",
        {**mail.params, "role": Role(mail.params["role"]).in_sentence},
        ours={"last_day": date.fromisoformat(mail.params["last_day"])},
    )


def _closing_begun(mail: OutgoingEmail) -> RenderedMail:
    return _about_closing("closing_begun", mail)


def _closing_nears(mail: OutgoingEmail) -> RenderedMail:
    last_day = date.fromisoformat(mail.params["last_day"])
    organization_id = cast("uuid.UUID", mail.organization_id)
    closing = Organization.objects.closing().filter(pk=organization_id, closes_after=last_day)
    if not closing.exists():
        raise NoLongerNeeded("The closing was undone, or it is closed.")
    return _about_closing("closing_nears", mail)


def _about_closing(template: str, mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        template,
        mail.params,
        ours={
            "last_day": date.fromisoformat(mail.params["last_day"]),
            "url": settings.SITE_URL + reverse("billing", args=[mail.params["slug"]]),
        },
    )


def _closing_undone(mail: OutgoingEmail) -> RenderedMail:
    url = settings.SITE_URL + reverse("billing", args=[mail.params["slug"]])
    return render_mail("closing_undone", mail.params, ours={"url": url})


def _organization_closed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail("organization_closed", mail.params)


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
        ours={"url": settings.SITE_URL + reverse("members", args=[organization.slug]) + "#access-requests"},
    )


ROLE_CHANGED_MAIL = MailKind("role_changed", _role_changed)
CLOSING_BEGUN_MAIL = MailKind("closing_begun", _closing_begun, permission=Permission.BILLING_VIEW)
CLOSING_UNDONE_MAIL = MailKind("closing_undone", _closing_undone, permission=Permission.BILLING_VIEW)
CLOSING_NEARS_MAIL = MailKind("closing_nears", _closing_nears, permission=Permission.BILLING_VIEW)
ORGANIZATION_CLOSED_MAIL = MailKind("organization_closed", _organization_closed, to_outsiders=True)
LAST_DAY_NEARS_MAIL = MailKind("last_day_nears", _last_day_nears)
LAST_DAY_PASSED_MAIL = MailKind("last_day_passed", _last_day_passed, to_outsiders=True)
MEMBERSHIP_REMOVED_MAIL = MailKind("membership_removed", _membership_removed, to_outsiders=True)
SIGNED_OUT_MAIL = MailKind("signed_out", _signed_out)
ACCESS_ANSWERED_MAIL = MailKind("access_answered", _access_answered)
ACCESS_REQUESTED_MAIL = MailKind(
    "access_requested", _access_requested, permission=Permission.MEMBERS_CHANGE_ROLE
)
