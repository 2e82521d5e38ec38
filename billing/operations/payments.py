"""Paying invoices with what is saved: the press. ``payment_steps`` goes on from there."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import gateway
from billing.actions import PAYMENT_STARTED
from billing.invoice_states import state_of
from billing.methods import saved_by
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, Invoice, OperationKind, StripeOperation, Subscription
from billing.operations.life import new_operation, resume
from billing.operations.payment_steps import Step, codes_of
from billing.operations.presses import asking_stripe
from billing.paying import can_be_charged, charged_customer, is_payable, saved_for
from billing.payment_outcomes import Outcome, sentence
from orgs.acting import MembersAct, acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission


@dataclass(frozen=True)
class Shown:
    """What the page named on its button: ``amount`` in minor units, of all these invoices together."""

    invoices: Sequence[uuid.UUID]
    amount: int
    currency: str
    method_id: str


def pay_invoices(*, actor: Membership, shown: Shown) -> list[StripeOperation]:
    """Pay what the page showed, each invoice by an operation of its own. Returns them as they are then.

    What Stripe has not answered in the time that a person waits goes on by itself. Raises Denied,
    Membership.DoesNotExist, PageOutdated, and Refused when nothing was begun.
    """
    with asking_stripe(nothing=gettext_lazy("Nothing was charged.")):
        operations = [resume(pk) for pk in _begin(actor, shown)]
        _refresh(actor.organization_id)
        return operations


def _begin(actor: Membership, shown: Shown) -> list[uuid.UUID]:
    with acting(actor, Permission.BILLING_INVOICES_PAY) as act:
        account = BillingAccount.objects.locked(act.organization)
        invoices = list(Invoice.objects.for_org(act.organization).issued().filter(pk__in=shown.invoices))
        ids = [one.stripe_id for one in invoices]
        if StripeOperation.objects.paying().filter(stripe_id__in=ids).exists():
            raise Refused(
                _("A payment is under way already. This page shows within minutes what became of it.")
            )
        current = list(Subscription.objects.for_org(act.organization).current())
        saved = {one.pk: saved_for(one.subscription_id, current, saved_by(account)) for one in invoices}
        _compare(shown, account, invoices, list(saved.values()))
        return [_operation(act, invoice, saved[invoice.pk] or {}) for invoice in invoices]


def _compare(
    shown: Shown, account: BillingAccount, invoices: list[Invoice], saved: list[Mapping[str, Any] | None]
) -> None:
    """Raise PageOutdated unless the page showed what is so."""
    customer_id = charged_customer(account)
    chargeable = [one for one in invoices if can_be_charged(one, customer_id)]
    due = [one for one in chargeable if is_payable(one, state_of(one))]
    if not due or len(due) != len(shown.invoices):
        raise PageOutdated(
            _("It was paid or called off meanwhile, or a payment is on its way. Nothing was charged now.")
        )
    amount = sum(one.amount_remaining for one in due)
    now = {"amount": amount, "currency": due[0].currency, "method": saved[0]}
    if {(amount, one.currency) for one in due} != {(shown.amount, shown.currency)}:
        raise PageOutdated(sentence(Outcome.AMOUNT_CHANGED, now))
    if {one["id"] if one else "" for one in saved} != {shown.method_id} or not all(saved):
        raise PageOutdated(sentence(Outcome.METHOD_CHANGED if saved[0] else Outcome.METHOD_GONE, now))


def _operation(act: MembersAct, invoice: Invoice, saved: Mapping[str, Any]) -> uuid.UUID:
    operation = new_operation(kind=OperationKind.PAY_INVOICE, actor=act.membership)
    operation.step = Step.CHECK
    operation.stripe_id = invoice.stripe_id
    method, amount = codes_of(saved), invoice.amount_remaining
    operation.params = {
        "invoice": str(invoice.pk),
        "amount": amount,
        "currency": invoice.currency,
        "method": method,
    }
    operation.save(force_insert=True)
    act.record(
        PAYMENT_STARTED,
        target=(invoice.pk, str(invoice)),
        amount={"amount": amount, "currency": invoice.currency},
        method={name: method[name] for name in ("kind", "brand", "last4")},
    )
    return operation.pk


def _refresh(organization_id: uuid.UUID) -> None:
    """Let the page be true at once; Stripe's events tell of the same, should this get no answer."""
    account = BillingAccount.objects.get(organization=organization_id)
    with suppress(gateway.GatewayError):
        sync_subscriptions(account)
