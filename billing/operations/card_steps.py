"""The steps of setting up a card: it becomes what pays, the former one is detached.

One operation from POST to end: create the Checkout session; wait for the person, and their bank; make the
card what pays, on the customer and each current subscription; detach what is no longer wanted. The webhook,
the return page and the sweep all resume it, in any order and any number.
"""

from datetime import UTC, datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from audit.services import record
from billing import gateway
from billing.actions import CARD_REFUSED, CARD_UPDATED
from billing.card_outcomes import GOOD, Outcome, outcome_of
from billing.gateway.records import CardSession, PaymentMethod
from billing.mirror.customers import write_customer
from billing.mirror.rows import next_fetch_number
from billing.mirror.subscriptions import previews_of, write_subscriptions
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import MISSING_SCOPE
from billing.notices import tell_of_new_card
from billing.operations.life import finish, finish_forbidden, key_expired, register, renew_key, wait
from billing.operations.people import person_of, still_may
from orgs.policy import Permission

# Stripe makes no session that lasts shorter; one that would is of no use.
LEAST_SESSION_LIFE = timedelta(minutes=31)
# A webhook may be lost, and the person may never come back; a bank that was asked takes longer.
LOOK_AT_PAGE = timedelta(minutes=5)
LOOK_AT_BANK = timedelta(hours=1)
# Of a setup intent that may still succeed: https://docs.stripe.com/payments/paymentintents/lifecycle
UNDECIDED = {"processing", "requires_action", "requires_confirmation"}
# Of a subscription that can be told what pays it: not one that has ended, or never began.
PAYABLE = {"active", "trialing", "past_due", "unpaid", "paused"}
NEVER = datetime.min.replace(tzinfo=UTC)


class Step(models.TextChoices):
    CREATE = "create"
    CONFIRM = "confirm"
    MAKE_DEFAULT = "make_default"
    DETACH = "detach"


def is_too_late(operation: StripeOperation) -> bool:
    """Whether the page that is still to be made would close before anybody could use it."""
    closes = datetime.fromtimestamp(operation.params["expires_at"], UTC)
    return operation.state == OperationState.PENDING and closes < timezone.now() + LEAST_SESSION_LIFE


def look(operation: StripeOperation) -> None:
    """See how far the person has come on Stripe's page. Raises GatewayUnavailable and GatewayForbidden."""
    try:
        session = gateway.card_session(operation.stripe_id)
    except gateway.GatewayForbidden as error:
        finish_forbidden(operation, error)
        raise
    except gateway.GatewayRefused as error:
        finish(operation, state=OperationState.FAILED, error=str(error))
    else:
        settle(operation, session)


def _create_session(operation: StripeOperation) -> None:
    if is_too_late(operation):
        finish(operation, state=OperationState.FAILED, result={"outcome": Outcome.EXPIRED})
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
def settle(waiting: StripeOperation, session: CardSession) -> None:
    """Decide, once, what a session that is no longer open means."""
    account = BillingAccount.objects.locked_of(waiting.organization_id)
    operation = StripeOperation.objects.select_for_update().get(pk=waiting.pk)
    if operation.state != OperationState.WAITING:
        return
    method = session.payment_method
    if session.status == "open":
        operation.next_attempt_at = timezone.now() + LOOK_AT_PAGE
    elif session.status == "expired":
        _end(operation, Outcome.EXPIRED)
    elif session.setup_status in UNDECIDED:
        operation.step = Step.CONFIRM
        operation.next_attempt_at = timezone.now() + LOOK_AT_BANK
    elif session.setup_status != "succeeded" or method is None:
        _end(operation, Outcome.REFUSED)
    elif session.customer_id != account.stripe_customer_id:
        _end(operation, Outcome.ERROR)
    else:
        _choose(account, operation, method)
    operation.save()


def _end(operation: StripeOperation, outcome: Outcome) -> None:
    operation.state = OperationState.FAILED
    operation.result = {"outcome": outcome}
    operation.finished_at = timezone.now()


def _choose(account: BillingAccount, operation: StripeOperation, method: PaymentMethod) -> None:
    """Let the card be the one to charge, if its person still may and nobody has made a later one."""
    operation.state = OperationState.PENDING
    operation.next_attempt_at = timezone.now()
    if not still_may(operation, Permission.BILLING_CARD_UPDATE):
        operation.step = Step.DETACH
        operation.result = {"outcome": Outcome.NOT_ALLOWED, "detach": [method.id]}
        record(
            CARD_REFUSED,
            actor=person_of(operation),
            organization=account.organization,
            target=(operation.pk, ""),
            method={"kind": method.kind, "brand": method.brand, "last4": method.last4},
        )
    elif (method.created, operation.created_at) > _chosen_so_far(account):
        former = {account.payment_method_id, account.chosen_payment_method_id} - {"", method.id}
        account.chosen_payment_method_id = method.id
        account.chosen_made_at = method.created
        account.chosen_begun_at = operation.created_at
        account.save()
        operation.step = Step.MAKE_DEFAULT
        operation.result = {"payment_method": method.id, "detach": sorted(former)}
    else:
        operation.step = Step.DETACH
        operation.result = {"outcome": Outcome.SUPERSEDED, "detach": [method.id]}


def _chosen_so_far(account: BillingAccount) -> tuple[datetime, datetime]:
    """When the chosen card was made, by Stripe's clock in seconds, and when its set-up was begun, by ours."""
    return account.chosen_made_at or NEVER, account.chosen_begun_at or NEVER


def _make_default(operation: StripeOperation) -> None:
    """Let the chosen card pay all that is charged; again, if another was chosen during the calls."""
    if key_expired(operation):
        renew_key(operation)
    while not _made_default(operation):
        pass


def _made_default(operation: StripeOperation) -> bool:
    """Whether the card that pays now is still the chosen one."""
    account = BillingAccount.objects.get(organization=operation.organization_id)
    customer_id, chosen = str(account.stripe_customer_id), account.chosen_payment_method_id
    try:
        if chosen:
            gateway.set_default_payment_method(
                customer_id=customer_id,
                payment_method_id=chosen,
                # A choice is never taken back, so no key is asked for the same card after another one.
                idempotency_key=f"{operation.idempotency_key}-{chosen}",
            )
    except gateway.GatewayRefused as error:
        return _drop_choice(operation, chosen, error)
    problem = _pay_subscriptions(operation, customer_id, chosen) if chosen else ""
    number = next_fetch_number()
    customer = gateway.customer(customer_id)
    subscriptions = gateway.subscriptions(customer_id)
    previews = previews_of(subscriptions.all)
    with transaction.atomic():
        current = BillingAccount.objects.locked_of(operation.organization_id)
        if current.chosen_payment_method_id != chosen:
            return False
        write_customer(current, customer, number)
        write_subscriptions(current, subscriptions, previews, number)
        result = {**operation.result, "outcome": Outcome.SUPERSEDED}
        if chosen == operation.result["payment_method"]:
            result["outcome"] = Outcome.UPDATED
            record(
                CARD_UPDATED,
                actor=person_of(operation),
                organization=current.organization,
                target=(operation.pk, ""),
                method=current.method_codes,
            )
            if problem:
                # The former card still pays what could not be told.
                result |= {"outcome": Outcome.PARTLY, "detach": []}
            else:
                tell_of_new_card(current, operation)
        operation.renew(step=Step.DETACH, result=result, error=problem)
    return True


def _pay_subscriptions(operation: StripeOperation, customer_id: str, chosen: str) -> str:
    """What a subscription has of its own goes before the customer's default, so each is told.

    Returns why one of them was not, empty if all were: the card is the customer's default then all the same.
    https://docs.stripe.com/api/subscriptions/object#subscription_object-default_payment_method
    """
    problem = ""
    for subscription in gateway.subscriptions(customer_id).all:
        pays = subscription.pays.id if subscription.pays else ""
        if subscription.status in PAYABLE and pays != chosen:
            try:
                gateway.set_subscription_payment_method(
                    subscription_id=subscription.id,
                    payment_method_id=chosen,
                    idempotency_key=f"{operation.idempotency_key}-{chosen}-{subscription.id}",
                )
            except gateway.GatewayMissing:
                # It has ended meanwhile.
                continue
            except gateway.GatewayRefused as error:
                problem = str(error)
    return problem


@transaction.atomic
def _drop_choice(operation: StripeOperation, chosen: str, error: gateway.GatewayRefused) -> bool:
    """Stripe refuses the card. False: that matters no more, another has been chosen meanwhile."""
    account = BillingAccount.objects.locked_of(operation.organization_id)
    if account.chosen_payment_method_id != chosen:
        return False
    account.chosen_payment_method_id = ""
    account.save(update_fields=["chosen_payment_method_id"])
    missing = {MISSING_SCOPE: error.scope} if isinstance(error, gateway.GatewayForbidden) else {}
    operation.renew(
        step=Step.DETACH,
        result={**operation.result, **missing, "outcome": Outcome.ERROR, "detach": [chosen]},
        error=str(error),
    )
    return True


def _detach(operation: StripeOperation) -> None:
    """Detach what is no longer wanted. What Stripe refuses to detach is detached already.

    What Stripe's key may not detach stays at Stripe, and is no reason to take back what was done before.
    """
    account = BillingAccount.objects.get(organization=operation.organization_id)
    problem = operation.error
    for method_id in operation.result["detach"]:
        if method_id != account.chosen_payment_method_id:
            try:
                gateway.detach_payment_method(
                    payment_method_id=method_id,
                    idempotency_key=f"{operation.idempotency_key}-{method_id}-detach",
                )
            except gateway.GatewayForbidden as error:
                problem = str(error)
            except gateway.GatewayRefused:
                continue
    state = OperationState.DONE if outcome_of(operation) in GOOD else OperationState.FAILED
    finish(operation, state=state, error=problem)


register(
    OperationKind.SET_UP_CARD,
    steps={Step.CREATE: _create_session, Step.MAKE_DEFAULT: _make_default, Step.DETACH: _detach},
    look=look,
)
