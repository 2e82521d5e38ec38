"""*Billing & usage*."""

from django.http import HttpResponse
from django.shortcuts import render

from billing.selectors import billing_page
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def billing(request: OrgRequest) -> HttpResponse:
    return render(request, "billing/billing.html", {"page": billing_page(request.membership)})
