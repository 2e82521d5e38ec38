"""What was charged, as files for finance tools."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from billing.focus.columns import Dataset
from billing.focus.files import Export
from billing.focus.months import Months, NoMonths, months_in
from billing.focus.page import exports_page
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def exports(request: OrgRequest) -> HttpResponse:
    """Of the months that are asked for; where that can't be, the page says why beside the usual ones."""
    refused = ""
    try:
        months = _months(request)
    except NoMonths as error:
        refused, months = str(error), months_in("", "", today=timezone.now().date())
    page = exports_page(request.organization, months)
    return render(request, "billing/exports.html", {"page": page, "refused": refused})


@requires(GET=Permission.BILLING_VIEW)
def focus_file(request: OrgRequest) -> StreamingHttpResponse:
    """Raises BadRequest where the page wouldn't offer it."""
    try:
        dataset = Dataset(request.GET.get("dataset", Dataset.COST_AND_USAGE))
        export = Export(request.organization, _months(request))
    except ValueError:
        raise BadRequest from None
    return StreamingHttpResponse(
        export.file(dataset),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{export.file_name(dataset)}"'},
    )


def _months(request: OrgRequest) -> Months:
    """Raises NoMonths."""
    asked = request.GET
    return months_in(asked.get("first", ""), asked.get("last", ""), today=timezone.now().date())
