"""The webhook inbox: put in by the web process, worked off by the workers, each event once."""

from collections.abc import Callable

import structlog
from django.utils import timezone

from billing import gateway
from billing.gateway.records import IncomingEvent
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.mirror.subscriptions import sync_subscription
from billing.models import BillingAccount, EventState, StripeEvent, StripeOperation
from billing.operations.life import resume

logger = structlog.get_logger(__name__)


def put_into_inbox(event: IncomingEvent) -> None:
    """Keep a verified event; one that is there already is left alone. One statement, committed at once."""
    if event.api_version != gateway.API_VERSION:
        # No harm: objects are fetched anew, in our version, and the event only says which.
        logger.warning(
            "stripe_event_of_other_version", stripe_event=event.event_id, version=event.api_version
        )
    row = StripeEvent(**vars(event))
    StripeEvent.objects.bulk_create([row], ignore_conflicts=True)


def handle(event_id: str) -> None:
    """Work off one event, unless it isn't due or another worker has it. A failure is tried again later."""
    event = StripeEvent.objects.due().lease(event_id)
    if event is None:
        return
    with event.attempt():
        try:
            state = _apply(event)
        except gateway.GatewayUnavailable as error:
            event.fail(error)
        else:
            event.release(state=state, handled_at=timezone.now())


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
    handler(account, event.object_id)
    return EventState.DONE


def _customer(account: BillingAccount, _customer_id: str) -> None:
    sync_customer(account)


def _card_setup(account: BillingAccount, _object_id: str) -> None:
    """Resume what waits for a person in the organization: it is little, and the event is of one."""
    waiting = StripeOperation.objects.for_org(account.organization_id).waiting()
    for operation_id in waiting.values_list("pk", flat=True):
        resume(operation_id)


# Each is called with the account and the id of the event's object.
Handler = Callable[[BillingAccount, str], object]

HANDLERS: list[tuple[tuple[str, ...], Handler]] = [
    (("customer.subscription.",), sync_subscription),
    (("customer.updated", "customer.deleted", "payment_method."), _customer),
    (("checkout.session.", "setup_intent."), _card_setup),
    (("invoice.",), sync_invoice),
]
