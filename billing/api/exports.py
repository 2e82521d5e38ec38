"""What was charged, as files for finance tools."""

from typing import Annotated

from django.http import StreamingHttpResponse
from django.utils import timezone
from ninja import Query
from ninja.errors import ValidationError

from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from billing.focus.columns import Dataset
from billing.focus.files import Export
from billing.focus.months import WRITTEN, NoMonths, months_in
from orgs.policy import Permission

endpoints = Endpoints("Invoices")
Month = Annotated[str | None, Query(pattern=f"^{WRITTEN.pattern}$", examples=["2026-11"])]


@endpoints.file("/billing/exports", Needs(Permission.BILLING_VIEW), "text/csv")
def focus_file(
    request: ApiRequest,
    dataset: Dataset = Dataset.COST_AND_USAGE,
    first: Month = None,
    last: Month = None,
) -> StreamingHttpResponse:
    """Get what was charged as a file of FOCUS 1.4, by default of the last twelve months."""
    try:
        months = months_in(first or "", last or "", today=timezone.now().date())
    except NoMonths as error:
        raise ValidationError([{"loc": ("query", "first"), "msg": str(error)}]) from None
    export = Export(request.organization, months)
    return StreamingHttpResponse(
        export.file(dataset),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{export.file_name(dataset)}"'},
    )
