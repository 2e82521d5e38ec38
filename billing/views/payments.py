"""The press that pays, on *Billing & usage* and on an invoice."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from billing.models import Invoice
from billing.operations.payments import Shown, pay_invoices
from billing.payment_outcomes import Outcome, outcome_of
from billing.views.invoices import invoice_or_404
from billing.views.see_other import HttpResponseSeeOther
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission

# More than a page shows are nobody's press.
MOST_INVOICES = 100


@requires(POST=Permission.BILLING_INVOICES_PAY)
def pay(request: OrgRequest) -> HttpResponse:
    invoices = [_uuid(text) for text in request.POST.getlist("invoice")[:MOST_INVOICES]]
    return _pay(request, invoices, back=redirect("billing", request.organization.slug))


@requires(POST=Permission.BILLING_INVOICES_PAY)
def invoice_pay(request: OrgRequest, invoice_id: uuid.UUID) -> HttpResponse:
    invoice_or_404(request, invoice_id)
    return _pay(request, [invoice_id], back=redirect("invoice", request.organization.slug, invoice_id))


def _pay(request: OrgRequest, invoices: Sequence[uuid.UUID], *, back: HttpResponse) -> HttpResponse:
    try:
        operations = pay_invoices(actor=request.membership, shown=_shown(request.POST, invoices))
    except Refused as refused:
        messages.error(request, str(refused.message))
        return back
    if len(operations) == 1 and operations[0].is_settled and outcome_of(operations[0]) is Outcome.CONFIRM:
        asked = Invoice.objects.for_org(request.organization).get(stripe_id=operations[0].stripe_id)
        return HttpResponseSeeOther(asked.hosted_url) if asked.hosted_url else back
    tell(request, operations)
    return back


def _shown(posted: QueryDict, invoices: Sequence[uuid.UUID]) -> Shown:
    """What the form says that its page showed; what no page has shown equals nothing that is so."""
    amount = posted.get("amount", "")
    return Shown(
        invoices=invoices,
        amount=int(amount) if amount.isdecimal() and len(amount) < 20 else 0,
        currency=posted.get("currency", ""),
        method_id=posted.get("method", ""),
    )


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
