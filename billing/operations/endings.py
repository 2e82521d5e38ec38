"""Letting a subscription end with its period, and keeping one that was to end.

One step each: look at the subscription as it is now, ask for the change unless it is made already, write down
what came of it. Who pressed was allowed to then: what they asked for is done though they lose the role.
"""

import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import record
from billing import gateway
from billing.actions import SUBSCRIPTION_ENDING, SUBSCRIPTION_KEPT
from billing.ending_outcomes import CHANGED
from billing.endings import EndingAct, ending_of, stamp
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import (
    ENDED,
    BillingAccount,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.models.operations import FIRST_STEP, SUBSCRIPTION_CHANGES
from billing.notices import tell_of_ending_subscription, tell_of_kept_subscription
from billing.operations.life import fail, finish, key_expired, new_operation, register, renew_key, resume
from billing.operations.people import person_of
from orgs.acting import acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission

KINDS = {
    EndingAct.CANCEL: OperationKind.END_SUBSCRIPTION,
    EndingAct.KEEP: OperationKind.KEEP_SUBSCRIPTION,
}


def cancel_subscription(
    *, actor: Membership, subscription_id: uuid.UUID, shown_end: str, feedback: str, comment: str
) -> StripeOperation:
    """Let a subscription end with its period. Returns the operation as far as it has come.

    ``shown_end``: the end of the period that the page showed, see ``stamp``. ``feedback``: a code of
    ``Feedback``, or empty. Raises Denied, Membership.DoesNotExist, Subscription.DoesNotExist, PageOutdated
    and Refused.
    """
    return _ask(
        actor,
        EndingAct.CANCEL,
        subscription_id=subscription_id,
        shown_end=shown_end,
        feedback=feedback,
        comment=comment,
    )


def keep_subscription(*, actor: Membership, subscription_id: uuid.UUID, shown_end: str) -> StripeOperation:
    """Let a subscription that was to end go on. ``shown_end``, and what it returns and raises: as above."""
    return _ask(actor, EndingAct.KEEP, subscription_id=subscription_id, shown_end=shown_end)


def _ask(
    actor: Membership, act: EndingAct, *, subscription_id: uuid.UUID, shown_end: str, **details: str
) -> StripeOperation:
    operation = _begin(actor, act, subscription_id, shown_end, details)
    try:
        with gateway.person_waits():
            return resume(operation.pk)
    except gateway.GatewayUnavailable:
        # It is kept, and the sweep asks Stripe.
        return operation


def _begin(
    actor: Membership, act: EndingAct, subscription_id: uuid.UUID, shown_end: str, details: dict[str, str]
) -> StripeOperation:
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as acted:
        organization = acted.organization
        BillingAccount.objects.locked(organization)
        subscription = Subscription.objects.for_org(organization).current().get(pk=subscription_id)
        _refuse_what_has_changed(subscription, act, shown_end)
        pending = StripeOperation.objects.for_org(organization).pending()
        if pending.filter(kind__in=SUBSCRIPTION_CHANGES).exists():
            raise Refused(_("A change is on its way to Stripe already. Look at it again in a moment."))
        operation = new_operation(kind=KINDS[act], actor=acted.membership)
        operation.params = {"subscription": subscription.stripe_id, "end": shown_end, **details}
        operation.save(force_insert=True)
        return operation


def _refuse_what_has_changed(subscription: Subscription, act: EndingAct, shown_end: str) -> None:
    ending = ending_of(subscription)
    if ending.act is not act or stamp(subscription.period_end) != shown_end:
        raise PageOutdated(
            _("The subscription has changed since. Nothing was done. Check it, then try again.")
        )
    if ending.obstacle is not None:
        raise Refused(ending.obstacle.label)


def _end(operation: StripeOperation) -> None:
    def ask(key: str) -> None:
        gateway.end_subscription_with_period(
            subscription_id=operation.params["subscription"],
            feedback=operation.params["feedback"],
            comment=operation.params["comment"],
            idempotency_key=key,
        )

    if _is_made(operation, EndingAct.CANCEL, ask):
        _note_ending(operation)


def _keep(operation: StripeOperation) -> None:
    def ask(key: str) -> None:
        gateway.keep_subscription(subscription_id=operation.params["subscription"], idempotency_key=key)

    if _is_made(operation, EndingAct.KEEP, ask):
        _note_kept(operation)


def _is_made(operation: StripeOperation, act: EndingAct, ask: Callable[[str], None]) -> bool:
    """Make the change, unless it is made already. False: it can't be, and the operation has failed."""
    if key_expired(operation):
        renew_key(operation)
    account = BillingAccount.objects.get(organization=operation.organization_id)
    sync_subscriptions(account)
    found = _subscription(operation)
    if found.status not in ENDED and (found.ends_at is not None) is (act is EndingAct.CANCEL):
        return True
    ending = ending_of(found)
    if (ending.act, ending.obstacle, stamp(found.period_end)) != (act, None, operation.params["end"]):
        fail(operation, {"outcome": CHANGED})
        return False
    ask(operation.idempotency_key)
    sync_subscriptions(account)
    return True


def _subscription(operation: StripeOperation) -> Subscription:
    return Subscription.objects.for_org(operation.organization_id).get(
        stripe_id=operation.params["subscription"]
    )


@transaction.atomic
def _note_ending(operation: StripeOperation) -> None:
    organization = BillingAccount.objects.locked_of(operation.organization_id).organization
    subscription = _subscription(operation)
    record(
        SUBSCRIPTION_ENDING,
        actor=person_of(operation),
        organization=organization,
        target=(subscription.pk, subscription.stripe_id),
        ends=stamp(subscription.ends_at)[:10],
        feedback=operation.params["feedback"],
    )
    tell_of_ending_subscription(organization, operation, subscription)
    finish(operation, state=OperationState.DONE)


@transaction.atomic
def _note_kept(operation: StripeOperation) -> None:
    organization = BillingAccount.objects.locked_of(operation.organization_id).organization
    subscription = _subscription(operation)
    record(
        SUBSCRIPTION_KEPT,
        actor=person_of(operation),
        organization=organization,
        target=(subscription.pk, subscription.stripe_id),
    )
    tell_of_kept_subscription(organization, operation, subscription)
    finish(operation, state=OperationState.DONE)


register(OperationKind.END_SUBSCRIPTION, steps={FIRST_STEP: _end})
register(OperationKind.KEEP_SUBSCRIPTION, steps={FIRST_STEP: _keep})
