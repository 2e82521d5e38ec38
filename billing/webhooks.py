"""The webhook inbox: put in by the web process, worked off by the workers, each event once.

What happens to one customer within moments is worked off together: whatever it was, their subscriptions are
fetched once, and each invoice once.
"""

from collections.abc import Sequence

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from billing import gateway
from billing.findings import note_unknown_customer
from billing.gateway.records import IncomingEvent
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice, sync_unsettled
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, EventState, StripeEvent, StripeOperation, Subscription
from billing.operations.life import resume

logger = structlog.get_logger(__name__)

# What we follow, by how the event's type begins. A deployment's endpoint must be sent these.
OF_CUSTOMER = ("customer.updated", "customer.deleted", "customer.discount.", "customer.tax_id.")
OF_METHOD = ("payment_method.", "customer.source.")
OF_SUBSCRIPTION = ("customer.subscription.", "subscription_schedule.", "invoiceitem.")
OF_INVOICE = ("invoice.",)
OF_CREDIT_NOTE = ("credit_note.",)
OF_INVOICE_PAYMENT = ("invoice_payment.",)
# Of other payment intents and charges there is an event of the invoice, too.
OF_PAYMENT = ("payment_intent.processing", "charge.refunded", "refund.")
OF_SETUP = ("checkout.session.", "setup_intent.")
# What waits for a person is looked at: a subscription that came up elsewhere closes the page that sells one.
OF_WAITING = (*OF_SETUP, "customer.subscription.created")
FOLLOWED = (
    *OF_CUSTOMER,
    *OF_METHOD,
    *OF_SUBSCRIPTION,
    *OF_INVOICE,
    *OF_CREDIT_NOTE,
    *OF_INVOICE_PAYMENT,
    *OF_PAYMENT,
    *OF_SETUP,
)


def put_into_inbox(event: IncomingEvent) -> None:
    """Keep a verified event; one that is there already is left alone. One statement, committed at once."""
    if event.api_version != gateway.API_VERSION:
        # No harm: objects are fetched anew, in our version, and the event only says which.
        logger.warning(
            "stripe_event_of_other_version", stripe_event=event.event_id, version=event.api_version
        )
    StripeEvent.objects.keep(StripeEvent(**vars(event)))


def handle(event_id: str) -> None:
    """Work off one event, unless it isn't due or another worker has it. A failure is tried again later.

    With it go the other events of its customer that are due; if it fails, it does so alone. Without the scope
    that it needs, it is given up at once.
    """
    leased = StripeEvent.objects.lease_together(event_id, types=FOLLOWED)
    if not leased:
        return
    event, *others = leased
    # Those that another worker has taken meanwhile, since the lease ran out, are left to it.
    came_before = StripeEvent.objects.untried().filter(pk__in=[other.pk for other in others])
    with structlog.contextvars.bound_contextvars(stripe_event=event.event_id), event.attempt():
        account = _account_of(event) if event.type.startswith(FOLLOWED) and event.customer_id else None
        if account is None:
            event.release(state=EventState.IGNORED, handled_at=timezone.now())
            return
        try:
            _apply(account, [event, *others])
        except gateway.GatewayUnavailable as error:
            event.fail(error)
        except gateway.GatewayForbidden as error:
            # Nobody grants a scope within the hours of the tries; reconciliation heals what is given up.
            event.park(str(error))
        else:
            event.release(state=EventState.DONE, handled_at=timezone.now())
            # It is in what was fetched later.
            came_before.update(state=EventState.DONE, handled_at=Now(), leased_until=None)
            return
    came_before.update(leased_until=None)


def _account_of(event: StripeEvent) -> BillingAccount | None:
    """The account whose customer the event is about, also a former one, by our own record."""
    accounts = BillingAccount.objects.select_related("organization")
    account = accounts.filter(organization__stripe_customers=event.customer_id).first()
    if account is None:
        note_unknown_customer(event)
        logger.warning("stripe_event_of_unknown_customer", stripe_event=event.event_id)
    return account


def _apply(account: BillingAccount, events: Sequence[StripeEvent]) -> None:
    """Fetch what the events are about, each object once, and what comes next for the customer.

    What was invoiced to a former customer goes on, and nothing else of theirs does.
    """
    types = [event.type for event in events]
    if any(name.startswith(OF_WAITING) for name in types):
        _resume_waiting(account)
        account.refresh_from_db()
    is_former = account.stripe_customer_id != events[0].customer_id
    is_about_customer = any(name.startswith((*OF_CUSTOMER, *OF_METHOD)) for name in types)
    if is_about_customer and not is_former:
        _sync_customer(account)
    for invoice_id in sorted({_invoice_of(event) for event in events} - {""}):
        sync_invoice(account, invoice_id)
    if is_former or not account.has_customer:
        return
    goes_on = _sync_subscriptions(account)
    # Deleting a customer ends all subscriptions at once: https://docs.stripe.com/api/customers/delete
    if account.has_customer and not goes_on and not is_about_customer:
        _sync_customer(account)


def _sync_customer(account: BillingAccount) -> None:
    """The customer; and what a deleted one has left unpaid."""
    sync_customer(account)
    account.refresh_from_db()
    if account.customer_deleted:
        sync_unsettled(account)


def _sync_subscriptions(account: BillingAccount) -> bool:
    """Whether any goes on, by what Stripe lists now."""
    try:
        sync_subscriptions(account)
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused:
        # For a deleted customer it may: its reference doesn't say.
        _sync_customer(account)
        if not account.customer_deleted:
            raise
    return Subscription.objects.for_org(account.organization_id).current().exists()


def _resume_waiting(account: BillingAccount) -> None:
    """Resume what waits for a person in the organization: it is little, and the event is of one."""
    waiting = StripeOperation.objects.for_org(account.organization_id).waiting()
    for operation_id in waiting.values_list("pk", flat=True):
        resume(operation_id)


def _invoice_of(event: StripeEvent) -> str:
    """The id of the invoice that an event is about; empty: of none."""
    if event.type.startswith(OF_INVOICE):
        return event.object_id
    subject = event.payload["data"]["object"]
    if event.type.startswith((*OF_CREDIT_NOTE, *OF_INVOICE_PAYMENT)):
        return str(subject.get("invoice") or "")
    if event.type.startswith(OF_PAYMENT):
        intent = (
            event.object_id if subject.get("object") == "payment_intent" else subject.get("payment_intent")
        )
        return gateway.invoice_of_payment(intent) if intent else ""
    return ""
