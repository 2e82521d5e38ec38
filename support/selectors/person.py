"""A person on one page."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from accounts.models import User
from invitations.models import Invitation
from orgs.models import Membership
from outbox.models import OutgoingEmail
from support.selectors.people import InvitationRow, ShownInvitation, shown_invitation, with_mail
from support.selectors.work import Tried, WorkRow, in_words, mails_among

SHOWN = 10


@dataclass(frozen=True)
class PersonPage:
    """``addresses``: all of the account, the one to sign in with first. Of each other list the newest."""

    person: User
    addresses: list[EmailAddress]
    factors: list[Authenticator]
    memberships: list[Membership]
    sessions: list[UserSession]
    invitations: list[ShownInvitation]
    mails: list[WorkRow]


def person_page(person: User) -> PersonPage:
    """In six statements."""
    addresses = list(EmailAddress.objects.filter(user=person).order_by("-primary", "email"))
    theirs = {person.email, *(address.email.lower() for address in addresses)}
    memberships = Membership.objects.filter(user=person).select_related("organization")
    invitations = Invitation.objects.filter(email__in=theirs).order_by("-sent_at", "-id")
    mails = mails_among(OutgoingEmail.objects.filter(to__in=theirs))
    return PersonPage(
        person=person,
        addresses=addresses,
        factors=list(Authenticator.objects.filter(user=person).order_by("created_at")),
        memberships=list(memberships.order_by("-joined_at", "-id")[:SHOWN]),
        sessions=list(UserSession.objects.filter(user=person).order_by("-last_seen_at")[:SHOWN]),
        invitations=[shown_invitation(InvitationRow(*row)) for row in with_mail(invitations)[:SHOWN]],
        mails=in_words(Tried(*row) for row in mails),
    )
