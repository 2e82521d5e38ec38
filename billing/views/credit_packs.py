"""More prepaid credits: what they cost, and the press that buys them."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from billing.credit_outcomes import CreditOutcome, credit_outcome_of, sentence_of
from billing.models import Invoice, OperationState, StripeOperation
from billing.operations.credit_purchases import buy_credits
from billing.selectors import credit_packs_page
from billing.views.see_other import HttpResponseSeeOther
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission
from orgs.rows import positive_int


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def credits_buy(request: OrgRequest) -> HttpResponse:
    """Choose how many packs, see what they cost, buy them; where none are sold, there is no such page."""
    if not request.organization.edition.prepaid:
        raise Http404
    if request.method != "POST":
        return _page(request)
    try:
        operation = buy_credits(actor=request.membership, sealed=request.POST.get("offer", ""))
    except Refused as refused:
        return _page(request, str(refused.message))
    if operation.state == OperationState.FAILED:
        return _page(request, sentence_of(operation))
    return _after(request, operation)


def _page(request: OrgRequest, refusal: str = "") -> HttpResponse:
    page = credit_packs_page(request.membership, packs=positive_int(request.GET.get("packs", "1")))
    template = "billing/_credit_packs.html" if request.htmx else "billing/credit_packs.html"
    context = {"page": page, "refusal": refusal}
    return render(request, template, context, status=422 if refusal else 200)


def _after(request: OrgRequest, operation: StripeOperation) -> HttpResponse:
    """To the bank where it asks, else back, with what became of it."""
    if operation.is_told and credit_outcome_of(operation) is CreditOutcome.CONFIRM:
        asked = Invoice.objects.for_org(request.organization).get(stripe_id=operation.stripe_id)
        if asked.hosted_url:
            return HttpResponseSeeOther(asked.hosted_url)
    tell(request, [operation])
    return redirect("billing", request.organization.slug)
