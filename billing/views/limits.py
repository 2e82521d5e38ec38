"""The limits of use: a budget for a period, and whether the product is to stop at 100%."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from billing.forms import LimitsForm
from billing.operations.limits import change_limits
from billing.selectors.limits import limits_page
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def usage_limits(request: OrgRequest) -> HttpResponse:
    """How far use has come, and the form of the limits for those who may change them."""
    form = LimitsForm(request.POST or None, organization=request.organization)
    if request.method == "POST" and form.is_valid():
        try:
            change_limits(actor=request.membership, changes=form.changes())
        except PageOutdated as outdated:
            messages.error(request, str(outdated.message))
            request.organization.refresh_from_db()
            return _page(request, LimitsForm(organization=request.organization), status=409)
        messages.success(request, _("Limits saved."))
        return redirect("usage_limits", request.organization.slug)
    return _page(request, form, status=422 if form.errors else 200)


def _page(request: OrgRequest, form: LimitsForm, *, status: int) -> HttpResponse:
    context = {"page": limits_page(request.organization), "form": form}
    return render(request, "billing/limits.html", context, status=status)
