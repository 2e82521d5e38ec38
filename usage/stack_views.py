"""The page of stacks."""

from django.http import HttpResponse
from django.shortcuts import render

from orgs.access import OrgRequest, requires
from orgs.policy import Permission
from usage.stacks import LONGEST_SEARCH, stacks_page


@requires(GET=Permission.RUM_PER_STACK)
def stacks(request: OrgRequest) -> HttpResponse:
    """The stacks, by name or by resources now, with those that match a search."""
    page = stacks_page(
        request.organization.pk,
        search=request.GET.get("search", "")[:LONGEST_SEARCH].strip(),
        sort=request.GET.get("sort", ""),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    return render(request, "usage/stacks.html", {"page": page})
