"""The webhook inbox: put in by the web process, worked off by the workers, each event once."""

import traceback
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.utils import timezone

from billing import gateway
from billing.gateway.records import IncomingEvent
from billing.models import BillingAccount, EventState, StripeEvent, StripeOperation
from billing.services.cards import check_card_setup
from billing.services.syncing import sync_customer, sync_invoice, sync_subscription

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
# About half a day; the nightly reconcile heals what is given up.
MAX_ATTEMPTS = 20


def put_into_inbox(event: IncomingEvent) -> None:
    """Keep a verified event; one that is there already is left alone. One statement, committed at once."""
    if event.api_version != gateway.API_VERSION:
        # No harm: objects are fetched anew, in our version, and the event only says which.
        logger.warning("stripe_event_of_other_version", stripe_event=event.id, version=event.api_version)
    row = StripeEvent(
        event_id=event.id,
        type=event.type,
        object_id=event.object_id,
        customer_id=event.customer_id,
        livemode=event.livemode,
        api_version=event.api_version,
        payload=event.payload,
    )
    StripeEvent.objects.bulk_create([row], ignore_conflicts=True)


def handle(event_id: str) -> None:
    """Work off one event, unless it is done or somebody else is at it. A failure is tried again later."""
    event = StripeEvent.objects.claim(event_id, LEASE)
    if event is None:
        return
    try:
        state = _apply(event)
    except Exception as error:  # noqa: BLE001 - one event that always fails must not stop the others
        _note_failure(event, error)
    else:
        _write(event, state=state, error="", handled_at=timezone.now())


def _apply(event: StripeEvent) -> EventState:
    """Do what the event asks for, for the organization whose customer it is about, by our own record."""
    handler = next((handler for prefix, handler in HANDLERS if event.type.startswith(prefix)), None)
    if handler is None or not event.customer_id or not event.object_id:
        return EventState.IGNORED
    account = (
        BillingAccount.objects.select_related("organization")
        .filter(stripe_customer_id=event.customer_id)
        .first()
    )
    if account is None:
        logger.warning("stripe_event_of_unknown_customer", stripe_event=event.event_id)
        return EventState.IGNORED
    handler(account, event)
    return EventState.DONE


def _customer(account: BillingAccount, _event: StripeEvent) -> None:
    sync_customer(account)


def _subscription(account: BillingAccount, event: StripeEvent) -> None:
    sync_subscription(account, event.object_id)


def _invoice(account: BillingAccount, event: StripeEvent) -> None:
    sync_invoice(account, event.object_id)


def _card_setup(account: BillingAccount, _event: StripeEvent) -> None:
    """Look after each card set-up of the organization that waits: they are few, the event is of one."""
    waiting = StripeOperation.objects.for_org(account.organization_id).waiting_card_setups()
    for operation_id in waiting.values_list("pk", flat=True):
        check_card_setup(operation_id)


Handler = Callable[[BillingAccount, StripeEvent], None]

HANDLERS: list[tuple[tuple[str, ...], Handler]] = [
    (("customer.subscription.",), _subscription),
    (("customer.updated", "customer.deleted", "payment_method."), _customer),
    (("checkout.session.", "setup_intent."), _card_setup),
    (("invoice.",), _invoice),
]


def _note_failure(event: StripeEvent, error: Exception) -> None:
    unavailable = isinstance(error, gateway.GatewayUnavailable)
    logger.warning("stripe_event_not_handled", stripe_event=event.event_id, exc_info=not unavailable)
    given_up = event.attempts >= MAX_ATTEMPTS
    delay = min(FIRST_RETRY * 2 ** min(event.attempts - 1, 12), LONGEST_RETRY)
    _write(
        event,
        state=EventState.FAILED if given_up else EventState.RECEIVED,
        next_attempt_at=timezone.now() + delay,
        error=str(error) if unavailable else "".join(traceback.format_exception(error))[-4000:],
    )


def _write(event: StripeEvent, **values: object) -> None:
    """Write the end of an attempt, unless the lease ran out and another worker has the event."""
    StripeEvent.objects.filter(
        event_id=event.event_id, attempts=event.attempts, state=EventState.RECEIVED
    ).update(**values)
