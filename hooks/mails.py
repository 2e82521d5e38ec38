"""The mail about webhooks."""

import uuid
from typing import cast

from django.conf import settings
from django.urls import reverse

from hooks.models import Endpoint
from orgs.models import Membership
from orgs.policy import Permission
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail


def _webhook_off(mail: OutgoingEmail) -> RenderedMail:
    """To a person who is an admin still, of an endpoint that is off still."""
    organization_id = cast("uuid.UUID", mail.organization_id)
    if not Membership.objects.for_org(organization_id).admins().filter(user__email=mail.to).exists():
        raise NoLongerNeeded("The recipient is no admin of the organization any more.")
    endpoint_id = mail.params["endpoint_id"]
    endpoints = Endpoint.objects.for_org(organization_id).kept()
    if not endpoints.filter(pk=endpoint_id).exclude(off_because="").exists():
        raise NoLongerNeeded("The webhook is on again, or was removed.")
    page = reverse("webhook", args=[mail.params["slug"], endpoint_id])
    return render_mail(
        "webhook_off",
        {"organization": mail.params["organization"], "host": mail.params["host"]},
        ours={"url": settings.SITE_URL + page, "because": mail.params["because"]},
    )


WEBHOOK_OFF_MAIL = MailKind("webhook_off", _webhook_off, permission=Permission.WEBHOOKS_MANAGE)
