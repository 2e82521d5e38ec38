"""The mails about invitations. The worker mints the link here, so that it lies in no row."""

import uuid

from django.conf import settings
from django.urls import reverse

from invitations.models import Invitation
from invitations.roles import WHAT_ROLE_DOES
from invitations.standing import dead_because
from invitations.tokens import Channel, Claim, link
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, RenderedMail, register
from outbox.rendering import render_mail


def invitation_sent(mail: OutgoingEmail) -> RenderedMail:
    """The one place that mints links which prove the address."""
    claim = Claim(uuid.UUID(mail.params["invitation_id"]), mail.params["generation"], Channel.MAIL)
    invitation = Invitation.objects.select_related("organization").get(pk=claim.invitation_id)
    if dead_because(invitation, claim) is not None:
        raise NoLongerNeeded
    role = Role(invitation.role)
    return render_mail(
        "invitation_sent",
        {
            "inviter": invitation.invited_by_name,
            "organization": invitation.organization.name,
            "role": str(role.label).lower(),
            "role_does": WHAT_ROLE_DOES[role],
            "expires_at": invitation.expires_at,
        },
        ours={"email": invitation.email, "url": link(claim)},
    )


def invitation_accepted(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_accepted",
        {
            **mail.params,
            "role": str(Role(mail.params["role"]).label).lower(),
        },
        ours={
            # They have shown that it is theirs.
            "email": mail.params["email"],
            "url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]]),
        },
    )


def invitation_declined(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_declined", {**mail.params, "role": str(Role(mail.params["role"]).label).lower()}
    )


def invitation_revoked(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_revoked", {**mail.params, "role": str(Role(mail.params["role"]).label).lower()}
    )


register("invitation_sent", invitation_sent)
register("invitation_accepted", invitation_accepted)
register("invitation_declined", invitation_declined)
register("invitation_revoked", invitation_revoked)
