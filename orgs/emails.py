"""The mails about memberships."""

from django.conf import settings
from django.urls import reverse

from orgs.policy import Permission, Role
from outbox.models import OutgoingEmail
from outbox.registry import RenderedMail, register
from outbox.rendering import render_mail


def role_changed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "role_changed",
        {
            **mail.params,
            "old": Role(mail.params["old"]).label,
            "new": Role(mail.params["new"]).label,
            "url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]]),
        },
    )


def membership_removed(mail: OutgoingEmail) -> RenderedMail:
    return render_mail("membership_removed", {**mail.params, "role": Role(mail.params["role"]).label})


def access_requested(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "access_requested",
        {
            **mail.params,
            "permission": Permission(mail.params["permission"]).label,
            "url": settings.SITE_URL + reverse("members", args=[mail.params["slug"]]),
        },
    )


register("role_changed", role_changed)
register("membership_removed", membership_removed)
register("access_requested", access_requested)
