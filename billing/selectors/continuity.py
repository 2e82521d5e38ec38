"""Quiet warnings of what would keep invoices from those who pay, each with the act that mends it."""

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.selectors.accounts import AccountRow
from invitations.selectors import ContinuityWarning
from orgs.models import Membership
from orgs.policy import Permission, may


def mail_warnings(reader: Membership, account: AccountRow | None) -> list[ContinuityWarning]:
    """Of the addresses named for invoices that refused the last one, those that the reader has not hidden."""
    if account is None or not may(reader, Permission.BILLING_DETAILS_UPDATE):
        return []
    warnings = [
        ContinuityWarning(
            code=f"continuity.bounced:{address}",
            text=_("The last invoice could not be delivered to %(address)s.") % {"address": address},
            act=_("Change billing details"),
            url=reverse("billing_details", args=[reader.organization.slug]),
        )
        for address in account.bounced
        if address in account.copies_to
    ]
    return [warning for warning in warnings if warning.code not in reader.dismissed]
