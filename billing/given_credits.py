"""Credits that support staff give, and take back."""

import uuid
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.actions import CREDITS_GIVEN, GIVEN_CREDITS_VOIDED
from credits.models import Grant
from credits.services.grants import grant_given, void_granted
from orgs.acting import OrganizationPrincipal, acting
from orgs.errors import Refused
from orgs.models import Organization
from orgs.policy import Permission

LONGEST = timedelta(days=366)


def obstacle_to_giving(organization: Organization) -> str:
    """Why it can get no credits; "" for nothing."""
    if organization.edition.credit_price is None or organization.closed_at is not None:
        return _("This organization counts no credits, so it could not use any.")
    return ""


def give_credits(
    *, actor: OrganizationPrincipal, amount: int, last_day: date, key: uuid.UUID
) -> Grant | None:
    """Give so many credits, until the end of that day (UTC).

    ``key``: of the form, so that a second press gives nothing; then returns None. Raises Denied and Refused.
    """
    with acting(actor, Permission.CREDITS_GIVE) as act:
        if obstacle := obstacle_to_giving(act.organization):
            raise Refused(obstacle)
        today = timezone.now().date()
        if not today <= last_day <= today + LONGEST:
            raise Refused(_("Choose a day within a year from now."))
        granted = grant_given(
            organization_id=act.organization.pk,
            key=key,
            amount=amount,
            expires_at=datetime.combine(last_day + timedelta(days=1), time.min, UTC),
        )
        if granted is not None:
            target = (granted.pk, "")
            act.record(CREDITS_GIVEN, target=target, credits=amount, expires=last_day.isoformat())
        return granted


def void_credits(*, actor: OrganizationPrincipal, grant_id: uuid.UUID) -> Grant:
    """Take back what is left of credits that support gave; what was used stays used.

    Raises Denied, Refused, and Grant.DoesNotExist for credits that support did not give.
    """
    with acting(actor, Permission.CREDITS_GIVE) as act:
        given = Grant.objects.for_org(act.organization).given_by_staff().get(pk=grant_id)
        voided = void_granted(organization_id=act.organization.pk, source=given.source)
        if voided is None or given.expires_at <= timezone.now():
            raise Refused(_("Nothing is left of these credits to take back."))
        act.record(GIVEN_CREDITS_VOIDED, target=(given.pk, ""), credits=given.credits)
        return voided
