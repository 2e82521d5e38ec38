"""More time to pay, which support gives: the plan stays until a day, whatever becomes of its subscription.

Without it the plan stays as long as Stripe tries to be paid. Stripe's attempts go on meanwhile.
"""

from datetime import date, timedelta
from typing import NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.actions import GRACE_EXTENDED
from billing.mirror.subscriptions import let_terms_follow
from billing.models import BillingAccount, Subscription
from orgs.acting import OrganizationPrincipal, acting
from orgs.dates import day
from orgs.errors import PageOutdated, Refused
from orgs.last_days import is_past
from orgs.models import Organization
from orgs.policy import Permission

logger = structlog.get_logger(__name__)

# https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
NOT_PAID = ("past_due", "unpaid")
MOST_MORE = timedelta(days=30)


class Grace(NamedTuple):
    """``until``: the day to which more time was given, None without. ``first``, ``last``: the days, in UTC,
    to which it can be extended now.
    """

    until: date | None
    first: date
    last: date

    @property
    def shown(self) -> str:
        """For a form to send back."""
        return str(self.until or "")


def grace_of(organization: Organization) -> Grace | None:
    """None: the organization has paid, or has lost its plan already."""
    account = BillingAccount.objects.filter(organization=organization).first()
    return _grace(account) if account is not None else None


def _grace(account: BillingAccount) -> Grace | None:
    until = account.grace_until if account.has_grace else None
    unpaid = Subscription.objects.for_org(account.organization_id).filter(status__in=NOT_PAID)
    if until is None and not unpaid.exists():
        return None
    end = until or timezone.now().date()
    return Grace(until, end + timedelta(days=1), end + MOST_MORE)


def extend_grace(*, actor: OrganizationPrincipal, until: date, shown: str) -> None:
    """Let the plan stay until the end of that day (UTC). It ends by itself.

    ``shown``: the grace that the page showed. Raises Denied, PageOutdated and Refused.
    """
    with acting(actor, Permission.GRACE_EXTEND) as act:
        account = BillingAccount.objects.locked(act.organization)
        grace = _grace(account)
        if grace is None:
            raise Refused(_("Nothing is past due here, so there is no end to put off."))
        if grace.shown != shown:
            raise PageOutdated(_("Somebody gave more time meanwhile. This page shows how it is now."))
        if not grace.first <= until <= grace.last:
            raise Refused(
                _("Choose a day from %(first)s to %(last)s.")
                % {"first": day(grace.first), "last": day(grace.last)}
            )
        account.grace_until = until
        account.save(update_fields=["grace_until"])
        act.record(GRACE_EXTENDED, target=(account.pk, ""), until=until.isoformat())


def end_graces() -> None:
    """Let the plan follow the subscription again where the time is over. Safe to run at once, and late."""
    for account in BillingAccount.objects.filter(grace_until__lt=timezone.now().date()):
        try:
            _end(account)
        except Exception:
            # The others must not wait for it.
            logger.exception("grace_not_ended", organization=str(account.organization_id))


@transaction.atomic
def _end(account: BillingAccount) -> None:
    current = BillingAccount.objects.locked_of(account.organization_id)
    if is_past(current.grace_until):
        current.grace_until = None
        current.save(update_fields=["grace_until"])
        let_terms_follow(current, Subscription.objects.for_org(current.organization_id))
