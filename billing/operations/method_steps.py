"""The steps by which a chosen payment method comes to pay, and by which others go.

It becomes the default of the customer and of each current subscription; then what is no longer wanted is
detached. What is added beside something that pays is only noted.
"""

from datetime import UTC, datetime

from django.db import models, transaction

from audit.services import record
from billing import gateway
from billing.actions import CARD_ADDED_BY_LINK, CARD_UPDATED, METHOD_ADDED
from billing.card_outcomes import GOOD, Outcome, outcome_of
from billing.mirror.customers import write_customer
from billing.mirror.rows import next_fetch_number
from billing.mirror.subscriptions import previews_of, write_subscriptions
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import MISSING_SCOPE, SET_UPS
from billing.notices import tell_of_new_card
from billing.operations import life
from billing.operations.life import fail, finish, key_expired, register, renew_key
from billing.operations.people import person_of

# Of a subscription that can be told what pays it: not one that has ended, or never began.
PAYABLE = {"active", "trialing", "past_due", "unpaid", "paused"}
NEVER = datetime.min.replace(tzinfo=UTC)


class Step(models.TextChoices):
    CREATE = "create"
    CONFIRM = "confirm"
    KEEP = "keep"
    MAKE_DEFAULT = "make_default"
    DETACH = "detach"


def choose(account: BillingAccount, operation: StripeOperation, *, method_id: str, made_at: datetime) -> None:
    """Note under the account's lock that this one is to pay, and let the operation see to it.

    ``made_at``: when it was set up, or when a person chose it: of several choices the last one counts.
    """
    account.chosen_payment_method_id = method_id
    account.chosen_made_at = max(made_at, account.chosen_made_at or NEVER)
    account.chosen_begun_at = operation.created_at
    account.save()
    operation.step = Step.MAKE_DEFAULT
    operation.result = {"payment_method": method_id, "detach": []}


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
                CARD_UPDATED if operation.payment_link_id is None else CARD_ADDED_BY_LINK,
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
        result={
            **operation.result,
            **missing,
            "outcome": Outcome.ERROR,
            "detach": [chosen] if operation.kind in SET_UPS else [],
        },
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
    outcome = outcome_of(operation)
    if outcome in GOOD:
        finish(operation, state=OperationState.DONE, error=problem)
    elif outcome is Outcome.NOT_ALLOWED:
        # The audit log has it, with what was set up.
        finish(operation, state=OperationState.FAILED, error=problem)
    else:
        fail(operation, operation.result, error=problem)


def keep(operation: StripeOperation) -> None:
    """Note what was added. Nothing is asked of Stripe: it is attached already."""
    account = BillingAccount.objects.get(organization=operation.organization_id)
    number = next_fetch_number()
    customer = gateway.customer(str(account.stripe_customer_id))
    added = next((one for one in customer.methods if one.id == operation.result["payment_method"]), None)
    with transaction.atomic():
        current = BillingAccount.objects.locked_of(operation.organization_id)
        if current.stripe_customer_id == account.stripe_customer_id:
            write_customer(current, customer, number)
        if added is not None:
            record(
                METHOD_ADDED,
                actor=person_of(operation),
                organization=current.organization,
                target=(operation.pk, ""),
                method={"kind": added.kind, "brand": added.brand, "last4": added.last4},
            )
        finish(operation, state=OperationState.DONE)


BECOMES_WHAT_PAYS: dict[str, life.Step] = {Step.MAKE_DEFAULT: _make_default, Step.DETACH: _detach}

register(OperationKind.CHOOSE_METHOD, steps=BECOMES_WHAT_PAYS)
