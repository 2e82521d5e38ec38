"""A person on one page."""

import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from accounts.models import User
from invitations.models import Invitation
from orgs.models import Membership
from outbox.models import OutgoingEmail, State
from support.selectors.people import InvitationRow, with_mail
from support.selectors.work import MailRow, WorkRow, failures_and_newest, mail_rows

SHOWN = 10


@dataclass(frozen=True)
class PersonPage:
    """``addresses``: all of the account. Of each list the newest; mails that failed come first."""

    person: User
    addresses: list[EmailAddress]
    factors: list[Authenticator]
    memberships: list[Membership]
    sessions: list[UserSession]
    invitations: list[InvitationRow]
    mails: list[WorkRow]


def person_page(person: User) -> PersonPage:
    """In six statements."""
    addresses = list(EmailAddress.objects.filter(user=person).order_by("-primary", "email"))
    theirs = {person.email, *(address.email.lower() for address in addresses)}
    memberships = Membership.objects.of_person(person.pk)
