"""Choosing what pays of all that is saved, and removing what pays nothing."""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import record
from billing import gateway
from billing.actions import METHOD_REMOVED
from billing.gateway.records import Customer
from billing.mirror.customers import write_customer
from billing.mirror.rows import next_fetch_number
from billing.models import (
    ENDED,
    BillingAccount,
    OperationKind,
    OperationState,
    PaymentMethod,
    StripeOperation,
)
from billing.models.operations import FIRST_STEP
from billing.operations.life import fail, finish, key_expired, new_operation, register, renew_key, resume
from billing.operations.method_steps import choose
from billing.operations.people import person_of
from billing.what_pays import current_subscriptions, paying_version, pays
from orgs.acting import MembersAct, acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission

STILL_PAYS = "still_pays"


def choose_method(*, actor: Membership, method_id: uuid.UUID, shown: str) -> StripeOperation:
    """Let a saved payment method pay all that is charged.

    ``shown``: the ``paying_version`` of the page. Returns the operation; it is pending where Stripe doesn't
    answer, and goes on by itself. Raises Denied, PaymentMethod.DoesNotExist, PageOutdated and Refused.
    """
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        account, method = _locked(act, method_id)
        begun = _unfinished(act, OperationKind.CHOOSE_METHOD, method)
        if begun is None or account.chosen_payment_method_id != method.stripe_id:
            _ensure_as_shown(account, shown)
            if _unfinished(act, OperationKind.REMOVE_METHOD, method):
                raise Refused(_("This payment method is being removed. Nothing was changed."))
            begun = new_operation(kind=OperationKind.CHOOSE_METHOD, actor=act.membership)
            begun.params = {"customer": account.stripe_customer_id, "method": method.stripe_id}
            choose(account, begun, method_id=method.stripe_id, made_at=timezone.now())
            begun.save(force_insert=True)
    return _resumed(begun)


def remove_method(*, actor: Membership, method_id: uuid.UUID, shown: str) -> StripeOperation:
    """Detach a saved payment method that pays nothing; what pays can be removed once another one does.

    Otherwise like ``choose_method``.
    """
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        account, method = _locked(act, method_id)
        begun = _unfinished(act, OperationKind.REMOVE_METHOD, method)
        if begun is None:
            _ensure_as_shown(account, shown)
            is_chosen = account.chosen_payment_method_id == method.stripe_id
            if pays(account, method.stripe_id) or (is_chosen and _is_being_chosen(act, method)):
                raise Refused(_("This payment method pays. Make another one the default first."))
            begun = new_operation(kind=OperationKind.REMOVE_METHOD, actor=act.membership)
            begun.params = {
                "customer": account.stripe_customer_id,
                "method": method.stripe_id,
                "codes": method.codes,
            }
            begun.save(force_insert=True)
    return _resumed(begun)


def _resumed(operation: StripeOperation) -> StripeOperation:
    with gateway.person_waits():
        return resume(operation.pk)


def _locked(act: MembersAct, method_id: uuid.UUID) -> tuple[BillingAccount, PaymentMethod]:
    account = BillingAccount.objects.locked(act.organization)
    return account, PaymentMethod.objects.for_org(act.organization).get(pk=method_id)


def _ensure_as_shown(account: BillingAccount, shown: str) -> None:
    if shown != paying_version(account.payment_method_id, current_subscriptions(account)):
        raise PageOutdated(
            _("What pays has changed since you opened this page. Nothing was done. Check it, then try again.")
        )


def _unfinished(act: MembersAct, kind: OperationKind, method: PaymentMethod) -> StripeOperation | None:
    return (
        StripeOperation.objects.for_org(act.organization)
        .pending()
        .filter(kind=kind, params__method=method.stripe_id)
        .order_by("-created_at")
        .first()
    )


def _is_being_chosen(act: MembersAct, method: PaymentMethod) -> bool:
    """Whether it is about to pay: of a set-up only the result says which one was set up."""
    pending = StripeOperation.objects.for_org(act.organization).pending()
    return pending.filter(result__payment_method=method.stripe_id).exists()


def _remove(operation: StripeOperation) -> None:
    """Detach it, unless it pays by now: Stripe would let what it paid go unpaid without a word."""
    customer_id, method_id = operation.params["customer"], operation.params["method"]
    if key_expired(operation):
        renew_key(operation)
    if _pays_at_stripe(customer_id, method_id):
        fail(operation, {"outcome": STILL_PAYS}, error=STILL_PAYS)
        return
    problem = ""
    try:
        gateway.detach_payment_method(payment_method_id=method_id, idempotency_key=operation.idempotency_key)
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused as error:
        # It is detached already, or can't be: the list tells.
        problem = str(error)
    number = next_fetch_number()
    _note_removal(operation, gateway.customer(customer_id), number, problem)


def _pays_at_stripe(customer_id: str, method_id: str) -> bool:
    customer = gateway.customer(customer_id)
    subscriptions = gateway.subscriptions(customer_id).all
    default = customer.pays.id if customer.pays else ""
    current = [one for one in subscriptions if one.status not in ENDED]
    own = {one.pays.id for one in current if one.pays}
    return method_id in own or (method_id == default and bool(current))


@transaction.atomic
def _note_removal(operation: StripeOperation, customer: Customer, number: int, problem: str) -> None:
    account = BillingAccount.objects.locked_of(operation.organization_id)
    method_id = operation.params["method"]
    if account.stripe_customer_id == operation.params["customer"]:
        write_customer(account, customer, number)
    if method_id in {method.id for method in customer.methods}:
        fail(operation, {}, error=problem)
        return
    if account.chosen_payment_method_id == method_id:
        account.chosen_payment_method_id = ""
        account.save(update_fields=["chosen_payment_method_id"])
    record(
        METHOD_REMOVED,
        actor=person_of(operation),
        organization=account.organization,
        target=(operation.pk, ""),
        method=operation.params["codes"],
    )
    finish(operation, state=OperationState.DONE)


register(OperationKind.REMOVE_METHOD, steps={FIRST_STEP: _remove})
