"""What support staff read: the search, an organization and a person on one page each."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.models import User
from orgs.models import Organization
from orgs.policy import Permission
from orgs.rows import uuid_in
from support.access import AdminRequest, staff_may
from support.queues import queue_counts
from support.search import search
from support.selectors.given_credits import given_credits
from support.selectors.organization import organization_page
from support.selectors.person import person_page
from support.services import open_organization


@staff_may(GET=Permission.RECORDS_VIEW)
def front(request: AdminRequest) -> HttpResponse:
    """The search, where staff begin. What names one thing alone leads there at once."""
    page = search(request.GET.get("find", ""))
    if page.only:
        return redirect(page.only.url)
    counts = [] if page.text else [count for count in queue_counts() if count.rows]
    return render(request, "support/search.html", {"page": page, "counts": counts})


@staff_may(GET=Permission.RECORDS_VIEW)
def organization(request: AdminRequest, organization_id: uuid.UUID) -> HttpResponse:
    """Its people read in their audit log that support opened it."""
    try:
        found = open_organization(request.staff, organization_id)
    except Organization.DoesNotExist as unknown:
        raise Http404 from unknown
    page = organization_page(found, invitation=uuid_in(request.GET.get("invitation", "")))
    return render(request, "support/organization.html", {"page": page})


@staff_may(GET=Permission.CREDITS_GIVE)
def credits_given(request: AdminRequest, organization_id: uuid.UUID) -> HttpResponse:
    """What support gave, and can take back."""
    found = get_object_or_404(Organization, pk=organization_id)
    page = {"organization": found, "grants": given_credits(found)}
    return render(request, "support/credits_given.html", page)


@staff_may(GET=Permission.RECORDS_VIEW)
def person(request: AdminRequest, user_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(User, pk=user_id)
    return render(request, "support/person.html", {"page": person_page(found)})
