"""Comparing an organization with Stripe now, and not within the day: the act of support staff."""

from django.utils.translation import gettext as _

from billing.actions import RECONCILE_ASKED
from billing.models import BillingAccount
from billing.tasks import reconcile_due
from orgs.acting import OrganizationPrincipal, acting
from orgs.errors import Refused
from orgs.policy import Permission
from work.doorbell import ring


def reconcile_now(*, actor: OrganizationPrincipal) -> None:
    """Let the workers compare it now. Raises Denied, and Refused where they are at it or there is nothing."""
    with acting(actor, Permission.BILLING_RECONCILE) as act:
        account = BillingAccount.objects.locked(act.organization)
        if account.stripe_customer_id is None:
            raise Refused(_("This organization has no customer at Stripe, so there is nothing to compare."))
        if account.is_leased or account.is_due:
            raise Refused(_("It is being compared right now. Look again in a minute."))
        account.make_due()
        act.record(RECONCILE_ASKED, target=(account.pk, ""))
        ring(reconcile_due)
