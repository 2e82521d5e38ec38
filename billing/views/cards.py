"""The card: off to Stripe's page, and back."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from billing.card_outcomes import Outcome, standing_of
from billing.failures import told_by_support
from billing.models import OperationKind, StripeOperation
from billing.models.operations import GIVEN_UP
from billing.operations.cards import BEGUN_ON, start_card_setup
from billing.selectors import is_something_owed, own_card_setup
from billing.tasks import resume_operations
from billing.views.see_other import HttpResponseSeeOther
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission
from work.doorbell import ring


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
    if operation.is_settled:
        return _after_card_setup(request, operation)
    if not request.htmx:
        ring(resume_operations, str(operation.pk))
    template = "billing/_confirming.html" if request.htmx else "billing/card_return.html"
    return render(request, template, {"operation": operation, "url": request.get_full_path()})


def _after_card_setup(request: OrgRequest, operation: StripeOperation) -> HttpResponse:
    standing = standing_of(operation)
    if standing is Outcome.UPDATED and is_something_owed(request.organization):
        # The page says that it is saved, and asks whether it is to pay.
        return redirect(f"{reverse('billing', args=[request.organization.slug])}?saved={operation.pk}")
    level = {
        Outcome.UPDATED: messages.SUCCESS,
        Outcome.ADDED: messages.SUCCESS,
        Outcome.SUPERSEDED: messages.INFO,
        Outcome.UNUSED: messages.INFO,
    }.get(standing, messages.ERROR)
    said = told_by_support(operation) if GIVEN_UP in operation.result else str(standing.label)
    messages.add_message(request, level, said)
    return redirect(BEGUN_ON[OperationKind(operation.kind)], request.organization.slug)
