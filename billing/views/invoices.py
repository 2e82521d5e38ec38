"""The list of invoices, an invoice, and its PDF."""

import uuid
from io import BytesIO

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.text import get_valid_filename

from billing import gateway
from billing.models import Invoice
from billing.selectors import filter_in, invoice_list, issued_invoice, page_of
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


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
    page = page_of(invoice_or_404(request, invoice_id))
    return render(request, "billing/invoice.html", {"page": page, "invoice": page.invoice})


@requires(GET=Permission.BILLING_VIEW)
def invoice_pdf(request: OrgRequest, invoice_id: uuid.UUID) -> HttpResponseBase:
    """The PDF that Stripe keeps, through us: its address opens it to everybody who has it, for weeks.

    Stripe is waited for as for a press; so it occupies few web threads, and for seconds.
    """
    shown = invoice_or_404(request, invoice_id)
    try:
        with gateway.person_waits():
            pdf = gateway.invoice_pdf(shown.stripe_id, known_url=shown.pdf_url)
    except gateway.GatewayError as error:
        context = {"invoice": shown, "forbidden": isinstance(error, gateway.GatewayForbidden)}
        return render(request, "billing/invoice_pdf_missing.html", context, status=503)
    name = get_valid_filename(f"Invoice-{shown}.pdf")
    return FileResponse(BytesIO(pdf), as_attachment=True, filename=name, content_type="application/pdf")


def invoice_or_404(request: OrgRequest, invoice_id: uuid.UUID) -> Invoice:
    try:
        return issued_invoice(request.organization, invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None
