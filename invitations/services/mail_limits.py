"""How many invitations are mailed in a day."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from invitations.mails import INVITATION_SENT_MAIL
from invitations.models import Invitation, Kind
from orgs.errors import RefusedForNow
from orgs.models import Organization
from outbox.models import OutgoingEmail

A_DAY = timedelta(days=1)
# As GitHub's limit for invitations to an organization; here for one person over all organizations as well.
MAILS_PER_DAY = 50
MAILS_PER_DAY_AND_ADDRESS = 5


def ensure_few_mails(organization: Organization, address: str, *, by: User | None) -> None:
    """A stolen session, or an account that founds organizations, must not make the portal a mail cannon.

    ``by``: who invites; None: the product, which brings in the people of all its customers.
    Raises RefusedForNow.
    """
    of_organization = OutgoingEmail.objects.filter(
        organization_id=organization.pk, kind=INVITATION_SENT_MAIL.code
    )
    mails = of_organization.order_by("-created_at").values_list("created_at", flat=True)
    wait = _seconds_until_less_than(MAILS_PER_DAY, mails)
    if by is not None:
        by_person = Invitation.objects.filter(invited_by=by, kind=Kind.MAIL).order_by("-sent_at")
        of_person = _seconds_until_less_than(MAILS_PER_DAY, by_person.values_list("sent_at", flat=True))
        wait = max(wait, of_person)
    if wait:
        raise RefusedForNow(
            _("%(limit)s invitations were mailed today, which is the limit.") % {"limit": MAILS_PER_DAY},
            _("Copy an invite link, or wait."),
            wait=wait,
        )
    wait = _seconds_until_less_than(MAILS_PER_DAY_AND_ADDRESS, mails.filter(to=address))
    if wait:
        raise RefusedForNow(
            _("%(address)s got %(limit)s invitations today, which is the limit.")
            % {"address": address, "limit": MAILS_PER_DAY_AND_ADDRESS},
            _("Try again tomorrow."),
            wait=wait,
        )


def _seconds_until_less_than(limit: int, sent: QuerySet[Any, datetime]) -> int:
    """For how long so many were sent within a day; 0: there is room. ``sent``: when, the latest first."""
    last_of_limit = next(iter(sent[limit - 1 : limit]), None)
    left = last_of_limit + A_DAY - timezone.now() if last_of_limit is not None else timedelta()
    return max(ceil(left.total_seconds()), 0)
