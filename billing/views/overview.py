"""*Billing & usage*."""

from django.http import HttpResponse
from django.shortcuts import render

from billing.selectors import billing_page, start_list
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def billing(request: OrgRequest) -> HttpResponse:
    page = billing_page(request.membership)
    context = {"page": page, "start": start_list(request.membership, page)}
    return render(request, "billing/billing.html", context)
