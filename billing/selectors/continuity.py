"""Quiet warnings: of what would keep invoices from those who pay, and of credits that expire."""

from collections import Counter
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.selectors.accounts import AccountRow
from invitations.selectors import ContinuityWarning
from orgs.dates import day
from orgs.models import Membership
from orgs.policy import Permission, may


def billing_warnings(reader: Membership, account: AccountRow | None) -> list[ContinuityWarning]:
    """Those that the reader can act upon and has not hidden."""
    if account is None:
        return []
    warnings = [*_mail_warnings(reader, account), *_credit_warnings(reader, account)]
    return [warning for warning in warnings if warning.code not in reader.dismissed]


def _credit_warnings(reader: Membership, account: AccountRow) -> list[ContinuityWarning]:
    """One for all credits that expire together, the soonest first."""
    if not may(reader, Permission.BILLING_SUBSCRIPTION_UPDATE):
        return []
    left: Counter[str] = Counter()
    for grant in account.expiring:
        left[grant["expires_at"]] += grant["left"]
    return [
        ContinuityWarning(
            code=f"continuity.credits:{expires_at}",
            text=_("%(credits)s credits expire on %(day)s.")
            % {"credits": f"{amount:,}", "day": day(datetime.fromisoformat(expires_at))},
            act=_("See use over time"),
            url=f"{reverse('dashboard', args=[reader.organization.slug])}#usage",
        )
        for expires_at, amount in left.items()
        if amount
    ]


def _mail_warnings(reader: Membership, account: AccountRow) -> list[ContinuityWarning]:
    """Of the addresses named for invoices that refused the last one."""
    if not may(reader, Permission.BILLING_DETAILS_UPDATE):
        return []
    return [
        ContinuityWarning(
            code=f"continuity.bounced:{address}",
            text=_("The last invoice could not be delivered to %(address)s.") % {"address": address},
            act=_("Change billing details"),
            url=reverse("billing_details", args=[reader.organization.slug]),
        )
        for address in account.bounced
    ]
