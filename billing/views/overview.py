"""*Billing & usage*."""

from django.http import HttpResponse
from django.shortcuts import render

from billing.selectors import activity_page, billing_page, latest_activity, start_list
from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from orgs.rows import positive_int


@requires(GET=Permission.BILLING_VIEW)
def billing(request: OrgRequest) -> HttpResponse:
    page = billing_page(request.membership)
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
