"""Hints on *Billing & usage*: what a person has looked at of the list to begin with, and what they hide."""

from django.http import HttpResponse
from django.urls import reverse

from billing.selectors import Shown
from billing.selectors.accounts import account_of
from billing.selectors.continuity import billing_warnings
from billing.views.see_other import HttpResponseSeeOther
from orgs import services
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


@requires(POST=Permission.BILLING_CARD_UPDATE)
def start_step(request: OrgRequest) -> HttpResponse:
    """Note it of this person alone, and lead on to what they wanted to look at."""
    billing = reverse("billing", args=[request.organization.slug])
    noted = request.POST.get("looks_at", "")
    if noted not in list(Shown):
        return HttpResponseSeeOther(billing)
    services.dismiss(membership=request.membership, code=noted)
    leads_to = {
        Shown.NEXT_CHARGE: f"{billing}#next-charge",
        Shown.INVOICES: reverse("invoices", args=[request.organization.slug]),
        Shown.HIDDEN: billing,
    }
    return HttpResponseSeeOther(leads_to[Shown(noted)])


@requires(POST=Permission.BILLING_DETAILS_UPDATE)
def warning_hide(request: OrgRequest) -> HttpResponse:
    """Hide a warning that the person has on their page, from them alone."""
    code = request.POST.get("code", "")
    warnings = billing_warnings(request.membership, account_of(request.organization.pk))
    if code in {warning.code for warning in warnings}:
        services.dismiss(membership=request.membership, code=code)
    return HttpResponseSeeOther(reverse("billing", args=[request.organization.slug]))
