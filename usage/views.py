"""The dashboard."""

from django.http import HttpResponse
from django.shortcuts import render

from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from usage import selectors


@requires(GET=Permission.ORGANIZATION_VIEW)
def dashboard(request: OrgRequest) -> HttpResponse:
    return render(request, "usage/dashboard.html", {"page": selectors.dashboard(request.membership)})
