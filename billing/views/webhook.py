"""Stripe's webhook."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.access import Audience, open_to
from billing import gateway
from billing.tasks import handle_event
from billing.webhooks import put_into_inbox
from work.doorbell import ring

logger = structlog.get_logger(__name__)

# Stripe's events are far smaller: https://docs.stripe.com/webhooks
WEBHOOK_BYTES = 256_000


@csrf_exempt
@open_to(Audience.ANYONE, "POST")
def webhook(request: HttpRequest) -> HttpResponse:
    """Keep what Stripe tells, and answer at once: a worker acts on it.

    400: not signed by Stripe for us, altered, or older than five minutes, or signed and yet no event that we
    can keep. The log tells them apart: the first is an attempt by a stranger, the second a fault. 413: larger
    than any event.
    """
    if len(request.body) > WEBHOOK_BYTES:
        return HttpResponse("The event is too large.\n", status=413, content_type="text/plain")
    try:
        event = gateway.verified_event(request.body, request.headers.get("Stripe-Signature", ""))
    except gateway.ForgedEventError as forged:
        logger.warning("stripe_event_forged", reason=str(forged))
        return HttpResponse("The signature is missing or wrong.\n", status=400, content_type="text/plain")
    except gateway.UnusableEventError as unusable:
        logger.error("stripe_event_unusable", reason=str(unusable))
        return HttpResponse("The event can't be read.\n", status=400, content_type="text/plain")
    put_into_inbox(event)
    ring(handle_event, event.event_id)
    return HttpResponse(status=200)
