"""The claims that links and listings give."""

from invitations.claims import Channel, Claim
from invitations.models import Invitation


def by_mail(invitation: Invitation) -> Claim:
    return Claim(invitation.pk, invitation.generation, Channel.MAIL)


def by_link(invitation: Invitation) -> Claim:
    return Claim(invitation.pk, invitation.generation, Channel.LINK)
