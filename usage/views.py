"""The dashboard, and its figures as files."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render

from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from usage.dashboard import dashboard as dashboard_of
from usage.export import Export, export_days, export_stacks
from usage.forms import SpanForm
from usage.periods import Granularity
from usage.spans import usual_span


@requires(GET=Permission.ORGANIZATION_VIEW)
def dashboard(request: OrgRequest) -> HttpResponse:
    """Figures of the span that is asked for; where that can't be, the form says why beside the usual one."""
    form = SpanForm(request.GET)
    if form.is_valid():
        span = form.span
        form = SpanForm(initial={"first": span.first, "last": span.last})
    else:
        span = usual_span(form.cleaned_data.get("by", Granularity.DAILY))
    page = dashboard_of(request.membership, span)
    return render(request, "usage/dashboard.html", {"page": page, "form": form})


@requires(GET=Permission.RUM_SUMMARY)
def usage_by_day(request: OrgRequest) -> HttpResponseBase:
    return _file(request, export_days, "usage")


@requires(GET=Permission.RUM_PER_STACK)
def usage_by_stack(request: OrgRequest) -> HttpResponseBase:
    return _file(request, export_stacks, "stacks")


def _file(request: OrgRequest, export: Export, kind: str) -> StreamingHttpResponse:
    """The days that the dashboard shows for the same query. Raises BadRequest where it would refuse it."""
    form = SpanForm(request.GET)
    if not form.is_valid():
        raise BadRequest
    name = f"{kind}-{request.organization.slug}-{form.span.first}-{form.span.last}.csv"
    return StreamingHttpResponse(
        export(request.organization.pk, form.span),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
