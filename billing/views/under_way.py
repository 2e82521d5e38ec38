"""What is under way at Stripe, looked at again until it is settled. Changes nothing."""

import uuid
from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from billing.selectors.under_way import awaited, is_watched
from billing.views.overview import billing_response
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.policy import Permission

# More than a page shows are nobody's look.
MOST_OPERATIONS = 100


@requires(GET=Permission.BILLING_VIEW)
def under_way(request: OrgRequest) -> HttpResponse:
    """*Billing & usage* anew once something is settled, with what became of it.

    A page that asks by itself keeps what it has until then, or until it is to ask no more.
    """
    operations = awaited(request.organization, _ids(request.GET.getlist("operation")[:MOST_OPERATIONS]))
    nothing_new = not any(one.is_told for one in operations)
    if request.htmx and nothing_new and is_watched(one.created_at for one in operations):
        return HttpResponse(status=204)
    tell(request, operations)
    if nothing_new:
        messages.info(request, _("Stripe has not answered yet."))
    return billing_response(request) if request.htmx else redirect("billing", request.organization.slug)


def _ids(texts: Iterable[str]) -> list[uuid.UUID]:
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
