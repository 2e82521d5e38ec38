"""*Billing & usage*."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render

from billing.card_outcomes import Outcome, standing_of
from billing.models import OperationState, StripeOperation
from billing.selectors import activity_page, billing_page, latest_activity, own_card_setup, start_list
from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from orgs.rows import positive_int


@requires(GET=Permission.BILLING_VIEW)
def billing(request: OrgRequest) -> HttpResponse:
    return billing_response(request)


def billing_response(request: OrgRequest) -> HttpResponse:
    card_saved = "saved" in request.GET and _has_saved_card(request)
    page = billing_page(
        request.membership, card_saved=card_saved, managers_after=request.GET.get("managers_after", "")
    )
    context = {
        "page": page,
        "start": start_list(request.membership, page),
        "activity": latest_activity(request.membership),
    }
    return render(request, "billing/billing.html", context)


@requires(GET=Permission.BILLING_VIEW)
def activity(request: OrgRequest) -> HttpResponse:
    """All of the billing activity, newest first, a page by key."""
    page = activity_page(request.membership, before=positive_int(request.GET.get("before")))
    return render(request, "billing/activity.html", {"page": page})


def _has_saved_card(request: OrgRequest) -> bool:
    """Whether the address names a card set-up of this person's whose card pays now."""
    try:
        operation = own_card_setup(request.membership, uuid.UUID(request.GET["saved"]))
    except (ValueError, StripeOperation.DoesNotExist):
        return False
    return operation.state == OperationState.DONE and standing_of(operation) is Outcome.UPDATED
