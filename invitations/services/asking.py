"""Asking for a new invitation in place of a dead one."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import User
from audit.services import Actor
from invitations import actions
from invitations.claims import Claim, refusal_of
from invitations.inviters import inviters_of
from invitations.mails import INVITATION_ASKED_MAIL
from invitations.models import Invitation
from invitations.services.answering import answering
from orgs.models import Membership

ASKED_EVERY = timedelta(days=1)


def ask_for_new(*, claim: Claim, user: User | None = None) -> None:
    """Tell those who may send a new one, by mail and beside the invitation.

    Once a day and invitation, and not while the old one can be accepted, or where nobody can be asked:
    then nothing is done. Nobody
    learns which: the answer tells nothing of who is in the organization. Raises Invitation.DoesNotExist.
    """
    with answering(Actor.person(user) if user else None, claim) as (act, invitation):
        address = address_for_new(invitation, user)
        inviters = inviters_of(invitation)
        now = timezone.now()
        lives = refusal_of(invitation, claim) is None and _stands(invitation, inviters)
        asked_lately = invitation.asked_at is not None and now - invitation.asked_at < ASKED_EVERY
        if not address or not inviters or lives or asked_lately:
            return
        invitation.asked_at, invitation.asked_for = now, address
        invitation.save(update_fields=["asked_at", "asked_for"])
        invitation.record(actions.ASKED, by=act)
        act.mail_each(
            INVITATION_ASKED_MAIL,
            to={
                f"invitation_asked:{invitation.pk}:{now.isoformat()}:{inviter.user_id}": inviter.user.email
                for inviter in inviters
            },
            email=address,
            role=invitation.role,
        )


def address_for_new(invitation: Invitation, user: User | None) -> str:
    """Where a new invitation would go: to the invited address; of a link to that of the visitor's account.

    Empty: the visitor has to sign in first.
    """
    if invitation.email or user is None:
        return invitation.email
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary")
    return verified.values_list("email", flat=True).first() or ""


def _stands(invitation: Invitation, inviters: list[Membership]) -> bool:
    return invitation.of_no_person or any(inviter.user_id == invitation.invited_by_id for inviter in inviters)
