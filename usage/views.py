"""The dashboard."""

from django.http import HttpResponse
from django.shortcuts import render

from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from usage.dashboard import dashboard as dashboard_of
from usage.forms import SpanForm
from usage.spans import usual_span


@requires(GET=Permission.ORGANIZATION_VIEW)
def dashboard(request: OrgRequest) -> HttpResponse:
    """Figures of the span that is asked for; where that can't be, the form says why beside the usual one."""
    form = SpanForm(request.GET)
    span = usual_span()
    if form.is_valid():
        span = form.span
        form = SpanForm(initial={"first": span.first, "last": span.last})
    page = dashboard_of(request.membership, span)
    return render(request, "usage/dashboard.html", {"page": page, "form": form})
