"""Setting up a card: Stripe's page collects it, we make it the default, the former one is detached.

One operation from the POST to the end: create the Checkout session; wait for the person, and his bank; make
the card the default; detach what is no longer wanted. The webhook, the return page and the sweep all come
to ``check_card_setup``, in any order and any number.
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import ActorKind
from audit.services import Actor, record
from billing import gateway
from billing.gateway.records import CardSession, PaymentMethod
from billing.models import (
    BillingAccount,
    OperationKind,
    OperationState,
    OperationStep,
    StripeOperation,
    Subscription,
    next_fetch_number,
)
from billing.notices import tell_of_new_card
from billing.services import mirror
from billing.services.customers import ensure_customer
from billing.services.locking import lock_for
from billing.services.operations import (
    finish,
    key_expired,
    new_operation,
    renew_key,
    resume,
    wait,
)
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission, may

SESSION_LIFE = timedelta(hours=2)
# Stripe makes no session that lasts shorter; one that would is of no use to anybody.
LEAST_SESSION_LIFE = timedelta(minutes=31)
# A webhook may be lost, and the person may never come back; a bank that was asked takes longer.
LOOK_AT_PAGE = timedelta(minutes=5)
LOOK_AT_BANK = timedelta(hours=1)
DEFAULT_CURRENCY = "usd"
# Of a setup intent that may still succeed: https://docs.stripe.com/payments/paymentintents/lifecycle
UNDECIDED = {"processing", "requires_action", "requires_confirmation"}
NEVER = datetime.min.replace(tzinfo=UTC)


class Outcome(models.TextChoices):
    """How a card set-up ended, with what its person reads; UNUSED only later, see ``standing_of``."""

    UPDATED = "updated", gettext_lazy("The card is saved. It pays the next charge.")
    SUPERSEDED = "superseded", gettext_lazy("Another card was saved after this one and has replaced it.")
    UNUSED = (
        "unused",
        gettext_lazy("The card was saved, but is no longer the one to pay. This page shows which one is."),
    )
    EXPIRED = "expired", gettext_lazy("The card page was open too long, so no card was saved. Start again.")
    REFUSED = "refused", gettext_lazy("The bank did not accept this card. Use another card.")
    NOT_ALLOWED = (
        "not_allowed",
        gettext_lazy("You may no longer update the card, so it was not saved. Ask an admin."),
    )
    ERROR = "error", gettext_lazy("Stripe did not accept this card. Use another card.")


GOOD = {Outcome.UPDATED, Outcome.SUPERSEDED}


def outcome_of(operation: StripeOperation) -> Outcome:
    """How an operation that has ended did so."""
    return Outcome(operation.result.get("outcome", Outcome.ERROR))


def standing_of(operation: StripeOperation) -> Outcome:
    """What holds of an ended operation's card now: since it was saved, another may have replaced it."""
    outcome = outcome_of(operation)
    if outcome not in GOOD:
        return outcome
    account = BillingAccount.objects.get(organization=operation.organization_id)
    own = operation.result.get("payment_method", "")
    # What is chosen pays in a moment, if it doesn't yet.
    if account.chosen_payment_method_id not in {"", own}:
        return Outcome.SUPERSEDED
    return Outcome.UPDATED if own and own == account.payment_method_id else Outcome.UNUSED


def start_card_setup(*, actor: Membership) -> str:
    """Begin a card set-up, or find the one that this person has open. Returns the address of Stripe's page.

    Raises Denied, Membership.DoesNotExist, and Refused when Stripe doesn't answer or refuses.
    """
    try:
        with gateway.person_waits():
            customer_id = ensure_customer(actor=actor)
            # A page that was left open and has closed meanwhile gives way to a new one.
            url = _open_page(actor, customer_id) or _open_page(actor, customer_id)
    except gateway.GatewayBusy:
        raise Refused(
            _("Others wait for Stripe right now. Nothing was changed. Try again in a moment.")
        ) from None
    except gateway.GatewayUnavailable:
        raise Refused(
            _("Stripe does not answer right now. Nothing was changed. Try again in a minute.")
        ) from None
    except gateway.GatewayRefused:
        raise Refused(
            _("Stripe did not open its card page. Nothing was changed. Write to %(address)s.")
            % {"address": settings.SUPPORT_EMAIL}
        ) from None
    if not url:
        raise Refused(_("Stripe's card page closed at once. Nothing was changed. Try again."))
    return url


def _open_page(actor: Membership, customer_id: str) -> str:
    """The address of the open page of the person's card set-up; empty: it has just closed."""
    operation = resume(_begin(actor, customer_id).pk, run)
    if operation.state == OperationState.FAILED:
        raise gateway.GatewayRefused("failed", operation.error)
    if operation.state != OperationState.WAITING:
        raise gateway.GatewayUnavailable(operation.error)
    session = gateway.card_session(operation.stripe_id)
    if session.status != "open":
        _settle(operation, session)
    return session.url


@transaction.atomic
def _begin(actor: Membership, customer_id: str) -> StripeOperation:
    """The card set-up that this person has open, or a new one."""
    account = lock_for(actor, Permission.BILLING_CARD_UPDATE)
    organization = account.organization
    begun = (
        StripeOperation.objects.for_org(organization)
        .open_card_setups()
        .filter(actor_id=actor.user_id)
        .select_for_update()
        .first()
    )
    if begun is not None:
        if begun.params["customer"] == customer_id and not _is_too_late(begun):
            return begun
        finish(begun, state=OperationState.FAILED, result={"outcome": Outcome.EXPIRED})
    operation = new_operation(kind=OperationKind.SET_UP_CARD, actor=actor)
    site, slug = settings.SITE_URL, organization.slug
    subscription = Subscription.objects.for_org(organization).current().first()
    operation.params = {
        "mode": "setup",
        "customer": customer_id,
        "currency": subscription.currency if subscription else DEFAULT_CURRENCY,
        "success_url": f"{site}{reverse('card_return', args=[slug])}?operation={operation.pk}",
        "cancel_url": f"{site}{reverse('billing', args=[slug])}",
        "expires_at": int((timezone.now() + SESSION_LIFE).timestamp()),
        "metadata": gateway.tags(organization.pk, operation.pk),
    }
    operation.save(force_insert=True)
    record(
        action="card.setup_started",
        actor=_person(operation),
        organization=organization,
        target=(operation.pk, ""),
    )
    return operation


def _is_too_late(operation: StripeOperation) -> bool:
    """Whether the page that is still to be made would close before anybody could use it."""
    closes = datetime.fromtimestamp(operation.params["expires_at"], UTC)
    return operation.state == OperationState.PENDING and closes < timezone.now() + LEAST_SESSION_LIFE


def check_card_setup(operation_id: uuid.UUID) -> StripeOperation:
    """See how far the person has come on Stripe's page, and go on from there.

    Raises GatewayUnavailable when Stripe doesn't tell; what is done is not asked again.
    """
    operation = StripeOperation.objects.get(pk=operation_id)
    if operation.state == OperationState.WAITING:
        try:
            session = gateway.card_session(operation.stripe_id)
        except gateway.GatewayRefused as error:
            finish(operation, state=OperationState.FAILED, error=str(error))
        else:
            _settle(operation, session)
    return resume(operation_id, run)


def run(operation: StripeOperation) -> None:
    """Take a pending card set-up from its step as far as it goes without the person."""
    if operation.step == OperationStep.CREATE:
        _create_session(operation)
        return
    if operation.step == OperationStep.MAKE_DEFAULT:
        _make_default(operation)
    _detach(operation)


def _create_session(operation: StripeOperation) -> None:
    if _is_too_late(operation):
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
def _settle(waiting: StripeOperation, session: CardSession) -> None:
    """Decide, once, what a session that is no longer open means."""
    organization = Organization.objects.locked(waiting.organization_id)
    account = BillingAccount.objects.locked(organization)
    operation = StripeOperation.objects.select_for_update().get(pk=waiting.pk)
    if operation.state != OperationState.WAITING:
        return
    method = session.payment_method
    if session.status == "open":
        operation.next_attempt_at = timezone.now() + LOOK_AT_PAGE
    elif session.status == "expired":
        _end(operation, Outcome.EXPIRED)
    elif session.setup_status in UNDECIDED:
        operation.step = OperationStep.CONFIRM
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
    if not _still_may(account.organization, operation.actor_id):
        operation.step = OperationStep.DETACH
        operation.result = {"outcome": Outcome.NOT_ALLOWED, "detach": [method.id]}
        record(
            action="card.refused",
            actor=_person(operation),
            organization=account.organization,
            target=(operation.pk, _card_name(method.brand, method.last4)),
        )
    elif (method.created, operation.created_at) > _chosen_so_far(account):
        former = {account.payment_method_id, account.chosen_payment_method_id} - {"", method.id}
        account.chosen_payment_method_id = method.id
        account.chosen_made_at = method.created
        account.chosen_begun_at = operation.created_at
        account.save()
        operation.step = OperationStep.MAKE_DEFAULT
        operation.result = {"payment_method": method.id, "detach": sorted(former)}
    else:
        operation.step = OperationStep.DETACH
        operation.result = {"outcome": Outcome.SUPERSEDED, "detach": [method.id]}


def _chosen_so_far(account: BillingAccount) -> tuple[datetime, datetime]:
    """When the chosen card was made, by Stripe's clock in seconds, and when its set-up was begun, by ours."""
    return account.chosen_made_at or NEVER, account.chosen_begun_at or NEVER


def _still_may(organization: Organization, user_id: uuid.UUID) -> bool:
    """Asked under the organization's lock, which every change of a membership takes."""
    membership = Membership.objects.filter(
        organization=organization, user_id=user_id, user__is_active=True
    ).first()
    if membership is None or organization.closed_at is not None:
        return False
    membership.organization = organization
    return may(membership, Permission.BILLING_CARD_UPDATE)


def _make_default(operation: StripeOperation) -> None:
    """Make the chosen card the customer's default; again, if another was chosen during the call."""
    if key_expired(operation):
        renew_key(operation)
    while not _made_default(operation):
        pass


def _made_default(operation: StripeOperation) -> bool:
    """Whether the card that was made the default is still the chosen one."""
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
    number = next_fetch_number()
    customer = gateway.customer(customer_id)
    with transaction.atomic():
        organization = Organization.objects.locked(operation.organization_id)
        current = BillingAccount.objects.locked(organization)
        if current.chosen_payment_method_id != chosen:
            return False
        mirror.write_customer(current, customer, number)
        own = chosen == operation.result["payment_method"]
        if own:
            record(
                action="card.updated",
                actor=_person(operation),
                organization=organization,
                target=(operation.pk, _card_name(current.card_brand, current.card_last4)),
            )
            tell_of_new_card(current, operation)
        outcome = Outcome.UPDATED if own else Outcome.SUPERSEDED
        operation.renew(step=OperationStep.DETACH, result={**operation.result, "outcome": outcome}, error="")
    return True


@transaction.atomic
def _drop_choice(operation: StripeOperation, chosen: str, error: gateway.GatewayRefused) -> bool:
    """Stripe refuses the card. False: that matters no more, another has been chosen meanwhile."""
    organization = Organization.objects.locked(operation.organization_id)
    account = BillingAccount.objects.locked(organization)
    if account.chosen_payment_method_id != chosen:
        return False
    account.chosen_payment_method_id = ""
    account.save(update_fields=["chosen_payment_method_id"])
    operation.renew(
        step=OperationStep.DETACH,
        result={**operation.result, "outcome": Outcome.ERROR, "detach": [chosen]},
        error=str(error),
    )
    return True


def _detach(operation: StripeOperation) -> None:
    """Detach what is no longer wanted. What Stripe refuses to detach is detached already."""
    account = BillingAccount.objects.get(organization=operation.organization_id)
    for method_id in operation.result["detach"]:
        if method_id != account.chosen_payment_method_id:
            try:
                gateway.detach_payment_method(
                    payment_method_id=method_id,
                    idempotency_key=f"{operation.idempotency_key}-{method_id}-detach",
                )
            except gateway.GatewayRefused:
                continue
    outcome = outcome_of(operation)
    finish(operation, state=OperationState.DONE if outcome in GOOD else OperationState.FAILED)


def _person(operation: StripeOperation) -> Actor:
    return Actor(ActorKind.PERSON, operation.actor_name, operation.actor_id)


def _card_name(brand: str, last4: str) -> str:
    return f"{brand.title()} {last4}".strip()
