"""Credits from their hours to the cent."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import render

from billing.selectors import credits_page
from billing.selectors.credit_hours import NoPeriodError
from orgs.access import OrgRequest, requires
from orgs.dates import instant_in
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def credits_used(request: OrgRequest) -> HttpResponse:
    """Of the span that is asked for by any instant in it; an address that can't be read shows the latest."""
    at, opened = instant_in(request.GET.get("since")), _day(request.GET.get("day"))
    try:
        page = credits_page(request.organization, at=at, opened=opened)
    except NoPeriodError:
        raise Http404 from None
    return render(request, "billing/credits.html", {"page": page})


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
