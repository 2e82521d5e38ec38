"""Editions: compared, bought on Stripe's page, and back from there."""

import uuid
from dataclasses import asdict

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.forms import EstimateForm
from billing.models import StripeOperation
from billing.operations.purchases import start_purchase
from billing.selectors import editions_page, own_purchase
from billing.tasks import resume_operations
from billing.views.see_other import HttpResponseSeeOther
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission
from work.doorbell import ring


@requires(GET=Permission.BILLING_VIEW)
def editions(request: OrgRequest) -> HttpResponse:
    """All that is sold, side by side, with what a month of resources would cost on each."""
    form = EstimateForm(request.GET)
    if not form.is_valid():
        page = editions_page(request.membership)
        return render(request, "billing/editions.html", {"page": page, "form": form})
    page = editions_page(request.membership, **form.cleaned_data)
    form = EstimateForm(initial=asdict(page.month) if page.month else form.cleaned_data)
    return render(request, "billing/editions.html", {"page": page, "form": form})


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def purchase(request: OrgRequest) -> HttpResponse:
    """Choose an edition; off to Stripe's page, where it is paid."""
    if request.method == "POST":
        return _begin(request)
    page = editions_page(request.membership, chosen=request.GET.get("edition", ""))
    if page.subscribed:
        messages.info(request, _("There is a subscription already."))
        return redirect("billing", request.organization.slug)
    return render(request, "billing/purchase.html", {"page": page})


def _begin(request: OrgRequest) -> HttpResponse:
    chosen = request.POST.get("edition", "")
    try:
        url = start_purchase(
            actor=request.membership, edition_code=chosen, shown_price=request.POST.get("shown_price", "")
        )
    except PageOutdated as outdated:
        context = {"page": editions_page(request.membership, chosen=chosen), "refusal": outdated.message}
        return render(request, "billing/purchase.html", context, status=409)
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect(reverse("purchase", args=[request.organization.slug]))
    return HttpResponseSeeOther(url)


@requires(GET=Permission.BILLING_VIEW)
def purchase_return(request: OrgRequest) -> HttpResponse:
    """Back from Stripe's page. Changes nothing: rings for the worker, and waits for what it makes of it."""
    try:
        operation = own_purchase(request.membership, uuid.UUID(request.GET.get("operation", "")))
    except (ValueError, StripeOperation.DoesNotExist):
        raise Http404 from None
    if operation.is_settled:
        return _after_purchase(request, operation)
    if not request.htmx:
        ring(resume_operations, str(operation.pk))
    template = "billing/_starting.html" if request.htmx else "billing/purchase_return.html"
    return render(request, template, {"url": request.get_full_path()})


def _after_purchase(request: OrgRequest, operation: StripeOperation) -> HttpResponse:
    tell(request, [operation])
    return redirect("billing", request.organization.slug)
