"""Asking for invoice items that are missing at Stripe: the act of support staff."""

import uuid
from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from billing.actions import ON_DEMAND_ASKED
from billing.models import BillingAccount, OnDemandItem, OperationState, StripeOperation
from billing.on_demand import ask_for_item, span_of
from billing.tasks import resume_operations
from credits.models import OnDemandCharge
from orgs.acting import OrganizationPrincipal, acting
from orgs.editions import CREDIT_CURRENCY
from orgs.models import Organization
from orgs.policy import Permission
from work.doorbell import ring


def ask_for_missing_items(
    *, charge_ids: Iterable[uuid.UUID], within: Callable[[Organization], OrganizationPrincipal]
) -> list[StripeOperation]:
    """Ask Stripe for the items of these charges, also where staff deleted one, or Stripe refused it or its
    invoice before. ``within``: who asks, in an organization.

    Left alone is what is there by now, under way, or without a customer. One transaction for each. Raises
    Denied.
    """
    charges = OnDemandCharge.objects.filter(pk__in=list(charge_ids)).exclude(amount=0)
    in_order = charges.select_related("organization").order_by("since", "pk")
    asked = [_ask(charge, within(charge.organization)) for charge in in_order]
    return [operation for operation in asked if operation is not None]


def _ask(charge: OnDemandCharge, actor: OrganizationPrincipal) -> StripeOperation | None:
    with acting(actor, Permission.OPERATIONS_SETTLE) as act:
        account = BillingAccount.objects.locked(act.organization)
        asked = StripeOperation.objects.for_org(act.organization).filter(charge=charge)
        if not account.has_customer or asked.pending().exists() or _is_there(charge, asked):
            return None
        operation = ask_for_item(account, charge, actor=act.actor)
        act.record(
            ON_DEMAND_ASKED,
            amount={"amount": charge.amount, "currency": CREDIT_CURRENCY},
            span=span_of(charge),
        )
        ring(resume_operations, str(operation.pk))
        return operation


def _is_there(charge: OnDemandCharge, asked: QuerySet[StripeOperation]) -> bool:
    """Not an item that waits in vain, since Stripe refused its invoice."""
    last = asked.order_by("created_at").last()
    items = OnDemandItem.objects.for_org(charge.organization_id).at_stripe().filter(since=charge.since)
    if last is not None and last.state == OperationState.FAILED:
        items = items.exclude(invoice_id="")
    return items.exists()
