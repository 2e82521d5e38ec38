"""The page of the admin requests that wait for a colleague."""

from django.http import HttpResponse
from django.shortcuts import render

from orgs.policy import Permission
from support.access import AdminRequest as Request
from support.access import staff_may
from support.models import AdminRequest

# They wait for 7 days at most.
SHOWN = 100


@staff_may(GET=Permission.RECORDS_VIEW)
def admin_requests(request: Request) -> HttpResponse:
    waiting = AdminRequest.objects.open().select_related("organization")
    page = {"waiting": waiting.order_by("expires_at", "id")[:SHOWN]}
    return render(request, "support/admin_requests.html", page)
