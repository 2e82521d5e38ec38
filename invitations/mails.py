"""The mails about invitations. The worker mints the link here, so that it lies in no row."""

import uuid
from typing import cast

from django.conf import settings
from django.urls import reverse

from invitations.actions import addressee
from invitations.claims import Channel, Claim, link, refusal_of
from invitations.models import Invitation
from invitations.refusals import Reason, sentence_for_invitee
from invitations.roles import WHAT_ROLE_DOES, list_of
from orgs.editions import edition_name
from orgs.policy import Permission, Role
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail


def _invitation_sent(mail: OutgoingEmail) -> RenderedMail:
    """The one place that mints links which prove the address."""
    claim = Claim(uuid.UUID(mail.params["invitation_id"]), mail.params["generation"], Channel.MAIL)
    invitation = Invitation.objects.select_related("organization").get(pk=claim.invitation_id)
    if refusal_of(invitation, claim) is not None:
        raise NoLongerNeeded
    return render_mail(
        "invitation_sent",
        {
            "inviter": invitation.invited_by_name,
            "organization": invitation.organization.name,
            "role": invitation.role_in_sentence,
            "role_does": WHAT_ROLE_DOES[Role(invitation.role)],
            "expires_at": invitation.expires_at,
        },
        ours={"email": invitation.email, "url": link(claim), "last_day": invitation.last_day},
    )


def _invitation_accepted(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_accepted",
        _with_role(mail),
        ours={
            # The person has proved that it is theirs.
            "email": mail.params["email"],
            "url": settings.SITE_URL + reverse("dashboard", args=[mail.params["slug"]]),
        },
    )


def _invitation_declined(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_declined", {**_with_role(mail), "person": addressee(mail.params["person"])}
    )


def _invitation_revoked(mail: OutgoingEmail) -> RenderedMail:
    return render_mail("invitation_revoked", _with_role(mail))


def _invitation_ended(mail: OutgoingEmail) -> RenderedMail:
    why = sentence_for_invitee(Reason(mail.params["reason"]), mail.params["organization"])
    return render_mail("invitation_ended", {**_with_role(mail), "why": why})


def _invitation_asked(mail: OutgoingEmail) -> RenderedMail:
    return render_mail(
        "invitation_asked",
        _with_role(mail),
        ours={
            "email": mail.params["email"],
            "url": settings.SITE_URL + list_of(mail.params["slug"], Role(mail.params["role"])),
        },
    )


def _surplus_invitations(mail: OutgoingEmail) -> RenderedMail:
    """To those who invited: which invitations another edition has ended."""
    organization_id = cast("uuid.UUID", mail.organization_id)
    ended = Invitation.objects.for_org(organization_id).filter(pk__in=mail.params["invitation_ids"].split())
    return render_mail(
        "surplus_invitations",
        {
            "organization": mail.params["organization"],
            "edition": edition_name(mail.params["edition"]),
            "limit": mail.params["limit"],
            "invited": [invitation.addressee for invitation in ended.order_by("sent_at", "id")],
        },
        ours={"url": settings.SITE_URL + reverse("billing", args=[mail.params["slug"]])},
    )


def _with_role(mail: OutgoingEmail) -> dict[str, object]:
    return {**mail.params, "role": Role(mail.params["role"]).in_sentence}


INVITATION_SENT_MAIL = MailKind("invitation_sent", _invitation_sent, to_outsiders=True, opens=True)
INVITATION_ACCEPTED_MAIL = MailKind("invitation_accepted", _invitation_accepted)
INVITATION_DECLINED_MAIL = MailKind("invitation_declined", _invitation_declined)
INVITATION_REVOKED_MAIL = MailKind("invitation_revoked", _invitation_revoked, to_outsiders=True)
INVITATION_ENDED_MAIL = MailKind("invitation_ended", _invitation_ended, to_outsiders=True)
INVITATION_ASKED_MAIL = MailKind(
    "invitation_asked", _invitation_asked, permission=Permission.BILLING_MANAGERS_INVITE
)
SURPLUS_INVITATIONS_MAIL = MailKind(
    "surplus_invitations", _surplus_invitations, permission=Permission.BILLING_MANAGERS_INVITE
)
