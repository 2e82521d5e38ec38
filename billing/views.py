"""*Billing & usage*, invoices, the card, and Stripe's webhook."""

import uuid
from io import BytesIO

import structlog
from django.contrib import messages
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.utils.text import get_valid_filename
from django.views.decorators.csrf import csrf_exempt

from accounts.access import Audience, open_to
from billing import gateway
from billing.card_outcomes import Outcome, standing_of
from billing.models import Invoice, OperationState, StripeOperation
from billing.operations.cards import start_card_setup
from billing.selectors import billing_page, filter_in, invoice_list, issued_invoice, own_card_setup, page_of
from billing.tasks import handle_event, resume_operations
from billing.webhooks import put_into_inbox
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission
from work.doorbell import ring

logger = structlog.get_logger(__name__)

# Stripe's events are far smaller: https://docs.stripe.com/webhooks
WEBHOOK_BYTES = 256_000


class HttpResponseSeeOther(HttpResponseRedirect):
    """To another page by GET, after a POST (RFC 9110, 15.4.4)."""

    status_code = 303


@requires(GET=Permission.BILLING_VIEW)
def billing(request: OrgRequest) -> HttpResponse:
    return render(request, "billing/billing.html", {"page": billing_page(request.membership)})


@requires(POST=Permission.BILLING_CARD_UPDATE)
def card(request: OrgRequest) -> HttpResponse:
    """Off to Stripe's page, where the card is typed in."""
    try:
        return HttpResponseSeeOther(start_card_setup(actor=request.membership))
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("billing", request.organization.slug)


@requires(GET=Permission.BILLING_VIEW)
def card_return(request: OrgRequest) -> HttpResponse:
    """Back from Stripe's page. Changes nothing: rings for the worker, and waits for what it makes of it."""
    try:
        operation = own_card_setup(request.membership, uuid.UUID(request.GET.get("operation", "")))
    except (ValueError, StripeOperation.DoesNotExist):
        raise Http404 from None
    if operation.state in {OperationState.DONE, OperationState.FAILED}:
        return _after_card_setup(request, operation)
    if not request.htmx:
        ring(resume_operations, str(operation.pk))
    template = "billing/_confirming.html" if request.htmx else "billing/card_return.html"
    return render(request, template, {"operation": operation, "url": request.get_full_path()})


def _after_card_setup(request: OrgRequest, operation: StripeOperation) -> HttpResponse:
    standing = standing_of(operation)
    level = {
        Outcome.UPDATED: messages.SUCCESS,
        Outcome.SUPERSEDED: messages.INFO,
        Outcome.UNUSED: messages.INFO,
    }.get(standing, messages.ERROR)
    messages.add_message(request, level, str(standing.label))
    return redirect("billing", request.organization.slug)


@requires(GET=Permission.BILLING_VIEW)
def invoices(request: OrgRequest) -> HttpResponse:
    listed = invoice_list(
        request.organization,
        filter_in(request.GET),
        after=_uuid(request.GET.get("after")),
        before=_uuid(request.GET.get("before")),
    )
    template = "billing/_invoice_list.html" if request.htmx else "billing/invoices.html"
    return render(request, template, {"page": listed})


def _uuid(text: str | None) -> uuid.UUID | None:
    """A page key from the address line; anything else shows the first page."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


@requires(GET=Permission.BILLING_VIEW)
def invoice(request: OrgRequest, invoice_id: uuid.UUID) -> HttpResponse:
    page = page_of(_invoice_or_404(request, invoice_id))
    return render(request, "billing/invoice.html", {"page": page, "invoice": page.invoice})


@requires(GET=Permission.BILLING_VIEW)
def invoice_pdf(request: OrgRequest, invoice_id: uuid.UUID) -> HttpResponseBase:
    """The PDF that Stripe keeps, through us: its address opens it to everybody who has it, for weeks.

    Stripe is waited for as for a press; so it occupies few web threads, and for seconds.
    """
    shown = _invoice_or_404(request, invoice_id)
    try:
        with gateway.person_waits():
            pdf = gateway.invoice_pdf(shown.stripe_id, known_url=shown.pdf_url)
    except gateway.GatewayError as error:
        context = {"invoice": shown, "forbidden": isinstance(error, gateway.GatewayForbidden)}
        return render(request, "billing/invoice_pdf_missing.html", context, status=503)
    name = get_valid_filename(f"Invoice-{shown}.pdf")
    return FileResponse(BytesIO(pdf), as_attachment=True, filename=name, content_type="application/pdf")


def _invoice_or_404(request: OrgRequest, invoice_id: uuid.UUID) -> Invoice:
    try:
        return issued_invoice(request.organization, invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None


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
