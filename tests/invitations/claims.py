"""The claims that links and listings give."""

from invitations.models import Invitation
from invitations.tokens import Channel, Claim


def by_mail(invitation: Invitation) -> Claim:
    return Claim(invitation.pk, invitation.generation, Channel.MAIL)


def by_link(invitation: Invitation) -> Claim:
    return Claim(invitation.pk, invitation.generation, Channel.LINK)
