"""The page of tickets avoided, and its counts as a file."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from orgs.policy import Permission
from support.access import AdminRequest, staff_may
from support.count import SOURCE_A_DAY, SOURCE_A_MONTH, count_csv, count_page


@staff_may(GET=Permission.RECORDS_VIEW)
def count(request: AdminRequest) -> HttpResponse:
    context = {
        "page": count_page(request.GET.get("month", "")),
        "source_a_day": SOURCE_A_DAY,
        "source_a_month": SOURCE_A_MONTH,
    }
    return render(request, "support/count.html", context)


@staff_may(GET=Permission.RECORDS_VIEW)
def count_file(_request: AdminRequest) -> HttpResponse:
    name = f"jobs-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(count_csv(), content_type="text/csv; charset=utf-8", headers=headers)
