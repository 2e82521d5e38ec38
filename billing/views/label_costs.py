"""*Cost by label*."""

from datetime import UTC, datetime

from django.http import HttpResponse
from django.shortcuts import render

from billing.selectors.label_costs import label_costs_page
from orgs.access import OrgRequest, requires
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def label_costs(request: OrgRequest) -> HttpResponse:
    """Of the current period, or of the one in which an instant of the address lies."""
    page = label_costs_page(request.organization, at=_instant_in(request.GET.get("at", "")))
    return render(request, "billing/label_costs.html", {"page": page})


def _instant_in(text: str) -> datetime | None:
    """None: there is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
