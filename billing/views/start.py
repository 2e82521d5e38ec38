"""The list of what a billing manager begins with: what they have looked at, and that they hide it."""

from django.http import HttpResponse
from django.urls import reverse

from billing.selectors import Shown
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
