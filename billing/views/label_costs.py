"""*Cost by label*."""

from django.http import HttpResponse
from django.shortcuts import render

from billing.selectors.label_costs import label_costs_page
from orgs.access import OrgRequest, requires
from orgs.dates import instant_in
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def label_costs(request: OrgRequest) -> HttpResponse:
    """Of the latest period, or of the one in which an instant of the address lies."""
    page = label_costs_page(request.organization, at=instant_in(request.GET.get("at")))
    return render(request, "billing/label_costs.html", {"page": page})
