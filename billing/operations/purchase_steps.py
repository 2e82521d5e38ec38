"""The steps of a purchase: Stripe's page sells a subscription, and the mirror, edition and mails follow.

One operation from POST to end: create the Checkout session; wait for the person; write down what it has
started. Nobody gets a second subscription: one that comes up meanwhile closes the page, and one that comes up
while the person pays ends what they bought. The webhook, the return page and the sweep all resume it.
"""

from contextlib import suppress

from django.db import models, transaction
from django.utils import timezone

from audit.services import Actor, record
from billing import gateway
from billing.actions import SUBSCRIPTION_STARTED, SUBSCRIPTION_UNDONE
from billing.gateway.records import SubscriptionSession
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import (
    ENDED,
    BillingAccount,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.notices import tell_of_started_subscription
from billing.operations.life import (
    fail,
    finish,
    finish_forbidden,
    key_expired,
    new_key,
    register,
    renew_key,
    wait,
)
from billing.operations.people import person_of, still_may
from billing.operations.stripe_pages import LOOK_AT_PAGE, closes_too_soon
from billing.purchase_outcomes import PurchaseOutcome
from orgs.policy import Permission


class Step(models.TextChoices):
    CREATE = "create"
    FOLLOW = "follow"
    UNDO = "undo"


def look(operation: StripeOperation) -> None:
    """See how far the person has come on Stripe's page, and close it where it may not be used any more.

    Raises GatewayUnavailable and GatewayForbidden.
    """
    closed_for = PurchaseOutcome.EXPIRED
    try:
        session = gateway.subscription_session(operation.stripe_id)
        if session.status == "open" and (reason := _reason_to_close(operation)):
            session, closed_for = _closed(operation), reason
    except gateway.GatewayForbidden as error:
        finish_forbidden(operation, error)
        raise
    except gateway.GatewayRefused as error:
        fail(operation, {"reason": error.code}, error=str(error))
    else:
        settle(operation, session, closed_for=closed_for)


def close_page(operation: StripeOperation, *, outcome: PurchaseOutcome) -> None:
    """Close the page, unless the person has paid by now. Raises GatewayUnavailable and GatewayRefused."""
    settle(operation, _closed(operation), closed_for=outcome)


def _closed(operation: StripeOperation) -> SubscriptionSession:
    """The session, which isn't open any more: either we closed it, or the person was quicker."""
    try:
        return gateway.expire_session(
            # Asked for twice, it is refused: no key needs to be remembered.
            session_id=operation.stripe_id,
            idempotency_key=new_key(),
        )
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused:
        return gateway.subscription_session(operation.stripe_id)


def _reason_to_close(operation: StripeOperation) -> PurchaseOutcome | None:
    if _has_another(operation):
        return PurchaseOutcome.TAKEN
    if not still_may(operation, Permission.BILLING_SUBSCRIPTION_UPDATE):
        return PurchaseOutcome.NOT_ALLOWED
    return None


def _has_another(operation: StripeOperation) -> bool:
    """Whether Stripe has a subscription of the customer that goes on, and isn't the one bought here."""
    listed = gateway.subscriptions(operation.params["session"]["customer"])
    return any(one.status not in ENDED and one.operation_id != str(operation.pk) for one in listed.all)


def _create_session(operation: StripeOperation) -> None:
    if closes_too_soon(operation, operation.params["session"]):
        fail(operation, {"outcome": PurchaseOutcome.EXPIRED})
        return
    if not still_may(operation, Permission.BILLING_SUBSCRIPTION_UPDATE):
        fail(operation, {"outcome": PurchaseOutcome.NOT_ALLOWED})
        return
    if _has_another(operation):
        sync_subscriptions(BillingAccount.objects.get(organization=operation.organization_id))
        fail(operation, {"outcome": PurchaseOutcome.TAKEN})
        return
    session = None
    params = operation.params["session"]
    if key_expired(operation):
        session = gateway.find_subscription_session(customer_id=params["customer"], operation_id=operation.pk)
        if session is None:
            renew_key(operation)
    if session is None:
        session = gateway.create_subscription_session(
            params=params, idempotency_key=operation.idempotency_key
        )
    wait(operation, until=timezone.now() + LOOK_AT_PAGE, stripe_id=session.id)


@transaction.atomic
def settle(waiting: StripeOperation, session: SubscriptionSession, *, closed_for: PurchaseOutcome) -> None:
    """Decide, once, what a session that is no longer open means. ``closed_for``: why, if it was closed."""
    BillingAccount.objects.locked_of(waiting.organization_id)
    operation = StripeOperation.objects.select_for_update().get(pk=waiting.pk)
    if operation.state != OperationState.WAITING:
        return
    if session.status == "open":
        operation.next_attempt_at = timezone.now() + LOOK_AT_PAGE
    elif session.status == "expired":
        fail(operation, {"outcome": closed_for})
    else:
        operation.state, operation.step = OperationState.PENDING, Step.FOLLOW
        operation.next_attempt_at = timezone.now()
        operation.result = {"subscription": session.subscription_id, "invoice": session.invoice_id}
    operation.save()


def _follow(operation: StripeOperation) -> None:
    """Write down what was bought; the edition follows. Then it stays, or it is undone."""
    account = BillingAccount.objects.get(organization=operation.organization_id)
    if operation.result["invoice"]:
        sync_invoice(account, operation.result["invoice"])
    sync_customer(account)
    sync_subscriptions(account)
    with transaction.atomic():
        account = BillingAccount.objects.locked_of(operation.organization_id)
        subscriptions = Subscription.objects.for_org(account.organization_id)
        bought = subscriptions.filter(stripe_id=operation.result["subscription"]).first()
        if bought is None:
            # The organization has another customer by now.
            fail(operation, {"outcome": PurchaseOutcome.ERROR})
        elif subscriptions.current().exclude(pk=bought.pk).exists():
            _let_undo(operation, PurchaseOutcome.TAKEN_LATE)
        elif not still_may(operation, Permission.BILLING_SUBSCRIPTION_UPDATE):
            _let_undo(operation, PurchaseOutcome.NOT_ALLOWED_LATE)
        else:
            record(
                SUBSCRIPTION_STARTED,
                actor=person_of(operation),
                organization=account.organization,
                target=(bought.pk, bought.stripe_id),
                edition=operation.params["edition"],
            )
            tell_of_started_subscription(account.organization, operation)
            result = {**operation.result, "outcome": PurchaseOutcome.STARTED}
            finish(operation, state=OperationState.DONE, result=result)


def _let_undo(operation: StripeOperation, outcome: PurchaseOutcome) -> None:
    operation.renew(step=Step.UNDO, result={**operation.result, "outcome": outcome})


def _undo(operation: StripeOperation) -> None:
    """End what was bought, and credit what was paid for the time to come."""
    if key_expired(operation):
        renew_key(operation)
    account = BillingAccount.objects.get(organization=operation.organization_id)
    # Of one that has ended already, Stripe says that there is none.
    with suppress(gateway.GatewayMissing):
        gateway.end_subscription_now(
            subscription_id=operation.result["subscription"],
            idempotency_key=f"{operation.idempotency_key}-undo",
        )
    sync_subscriptions(account)
    with transaction.atomic():
        account = BillingAccount.objects.locked_of(operation.organization_id)
        record(
            SUBSCRIPTION_UNDONE,
            actor=Actor.system(),
            organization=account.organization,
            target=(operation.pk, operation.result["subscription"]),
            edition=operation.params["edition"],
            person=operation.actor_name,
        )
        fail(operation, operation.result)


register(
    OperationKind.START_SUBSCRIPTION,
    steps={Step.CREATE: _create_session, Step.FOLLOW: _follow, Step.UNDO: _undo},
    look=look,
)
