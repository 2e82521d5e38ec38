"""The steps of setting up a card: it becomes what pays, the former one is detached.

One operation from POST to end: create the Checkout session; wait for the person, and their bank; make the
card what pays, on the customer and each current subscription; detach what is no longer wanted. The webhook,
the return page and the sweep all resume it, in any order and any number. What is added is only kept, unless
nothing pays yet.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit.registry import Action
from audit.services import record
from billing import gateway
from billing.actions import CARD_REFUSED, PAYMENT_LINK_CARD_REFUSED
from billing.card_outcomes import Outcome
from billing.gateway.records import CardSession, PaymentMethod
from billing.models import BillingAccount, OperationKind, OperationState, PaymentLink, StripeOperation
from billing.models.operations import SET_UPS
from billing.operations.life import fail, finish_forbidden, key_expired, new_key, register, renew_key, wait
from billing.operations.method_steps import BECOMES_WHAT_PAYS, NEVER, Step, choose, keep
from billing.operations.people import person_of, still_may
from billing.operations.stripe_pages import LOOK_AT_PAGE, closes_too_soon
from billing.what_pays import current_subscriptions
from orgs.policy import Permission

# A bank that was asked takes longer than a person at the page.
LOOK_AT_BANK = timedelta(hours=1)
# Of a setup intent that may still succeed: https://docs.stripe.com/payments/paymentintents/lifecycle
UNDECIDED = {"processing", "requires_action", "requires_confirmation"}


def look(operation: StripeOperation) -> None:
    """See how far the person has come on Stripe's page, and close it where they may not use it any more.

    Raises GatewayUnavailable and GatewayForbidden.
    """
    closed_for = Outcome.EXPIRED
    try:
        session = gateway.card_session(operation.stripe_id)
        if session.status == "open" and not still_may(operation, Permission.BILLING_CARD_UPDATE):
            session, closed_for = _closed(operation), Outcome.CLOSED
    except gateway.GatewayForbidden as error:
        finish_forbidden(operation, error)
        raise
    except gateway.GatewayRefused as error:
        fail(operation, {"reason": error.code}, error=str(error))
    else:
        settle(operation, session, closed_for=closed_for)


def _closed(operation: StripeOperation) -> CardSession:
    """The session, which isn't open any more: either we closed it, or the person was quicker."""
    try:
        # Asked for twice, it is refused: no key needs to be remembered.
        gateway.expire_session(session_id=operation.stripe_id, idempotency_key=new_key())
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused:
        pass
    return gateway.card_session(operation.stripe_id)


def _create_session(operation: StripeOperation) -> None:
    if closes_too_soon(operation, operation.params):
        fail(operation, {"outcome": Outcome.EXPIRED})
        return
    if not still_may(operation, Permission.BILLING_CARD_UPDATE):
        fail(operation, {"outcome": Outcome.CLOSED})
        return
    session = None
    if key_expired(operation):
        session = gateway.find_card_session(
            customer_id=operation.params["customer"], operation_id=operation.pk
        )
        if session is None:
            renew_key(operation)
    if session is None:
        session = gateway.create_card_session(
            params=operation.params, idempotency_key=operation.idempotency_key
        )
    wait(operation, until=timezone.now() + LOOK_AT_PAGE, stripe_id=session.id)


@transaction.atomic
def settle(waiting: StripeOperation, session: CardSession, *, closed_for: Outcome = Outcome.EXPIRED) -> None:
    """Decide, once, what a session that is no longer open means. ``closed_for``: why, if it was closed."""
    account = BillingAccount.objects.locked_of(waiting.organization_id)
    operation = StripeOperation.objects.select_for_update().get(pk=waiting.pk)
    if operation.state != OperationState.WAITING:
        return
    method = session.payment_method
    if session.status == "open":
        operation.next_attempt_at = timezone.now() + LOOK_AT_PAGE
    elif session.status == "expired":
        fail(operation, {"outcome": closed_for})
    elif session.setup_status in UNDECIDED:
        operation.step = Step.CONFIRM
        operation.next_attempt_at = timezone.now() + LOOK_AT_BANK
    elif session.setup_status != "succeeded" or method is None:
        fail(operation, {"outcome": Outcome.REFUSED})
    elif session.customer_id != account.stripe_customer_id:
        fail(operation, {"outcome": Outcome.ERROR})
    else:
        _choose(account, operation, method)
    operation.save()


def _choose(account: BillingAccount, operation: StripeOperation, method: PaymentMethod) -> None:
    """Let the card be the one to charge, if its person still may and nobody has made a later one.

    One that is added is so only where nothing pays yet.
    """
    operation.state = OperationState.PENDING
    operation.next_attempt_at = timezone.now()
    if not _finish_link(operation):
        _refuse(account, operation, method, PAYMENT_LINK_CARD_REFUSED)
    elif not still_may(operation, Permission.BILLING_CARD_UPDATE):
        _refuse(account, operation, method, CARD_REFUSED)
    elif operation.kind == OperationKind.ADD_METHOD and _something_pays(account):
        operation.step = Step.KEEP
        operation.result = {"outcome": Outcome.ADDED, "payment_method": method.id, "detach": []}
    elif (method.created, operation.created_at) > _chosen_so_far(account):
        former = {account.payment_method_id, account.chosen_payment_method_id} - {"", method.id}
        choose(account, operation, method_id=method.id, made_at=method.created)
        if operation.kind == OperationKind.SET_UP_CARD:
            operation.result["detach"] = sorted(former)
    else:
        operation.step = Step.DETACH
        operation.result = {"outcome": Outcome.SUPERSEDED, "detach": [method.id]}


def _refuse(
    account: BillingAccount, operation: StripeOperation, method: PaymentMethod, action: Action
) -> None:
    operation.step = Step.DETACH
    operation.result = {"outcome": Outcome.NOT_ALLOWED, "detach": [method.id]}
    record(
        action,
        actor=person_of(operation),
        organization=account.organization,
        target=(operation.pk, ""),
        method={"kind": method.kind, "brand": method.brand, "last4": method.last4},
    )


def _finish_link(operation: StripeOperation) -> bool:
    """Let the payment link that led here, if one did, work no more. False: it had ended before."""
    if operation.payment_link_id is None:
        return True
    unused = PaymentLink.objects.filter(pk=operation.payment_link_id, revoked_at=None, finished_at=None)
    return unused.update(finished_at=timezone.now()) == 1


def _something_pays(account: BillingAccount) -> bool:
    default = account.chosen_payment_method_id or account.payment_method_id
    return bool(default) or any(one.pays for one in current_subscriptions(account))


def _chosen_so_far(account: BillingAccount) -> tuple[datetime, datetime]:
    """When the chosen card was made, by Stripe's clock in seconds, and when its set-up was begun, by ours."""
    return account.chosen_made_at or NEVER, account.chosen_begun_at or NEVER


for kind in SET_UPS:
    register(kind, steps={Step.CREATE: _create_session, Step.KEEP: keep, **BECOMES_WHAT_PAYS}, look=look)
