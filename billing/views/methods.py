"""What is saved to pay with: the list, adding to it, choosing of it, removing from it."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.card_outcomes import Outcome, standing_of
from billing.models import OperationKind, OperationState, PaymentMethod, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.methods import STILL_PAYS, choose_method, remove_method
from billing.selectors.saved_methods import MethodsPage, SavedRow, methods_page
from billing.views.see_other import HttpResponseSeeOther
from billing.views.waiting import GOES_ON
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def methods(request: OrgRequest) -> HttpResponse:
    return render(request, "billing/methods.html", {"page": methods_page(request.organization)})


@requires(POST=Permission.BILLING_CARD_UPDATE)
def method_add(request: OrgRequest) -> HttpResponse:
    """Off to Stripe's page. What is saved there is kept beside what pays."""
    try:
        url = start_card_setup(actor=request.membership, kind=OperationKind.ADD_METHOD)
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect("methods", request.organization.slug)
    return HttpResponseSeeOther(url)


@requires(POST=Permission.BILLING_CARD_UPDATE)
def method_choose(request: OrgRequest, method_id: uuid.UUID) -> HttpResponse:
    """Make a saved one the default, of every subscription too."""
    row = _page_and_row_or_404(request, method_id)[1]
    try:
        operation = choose_method(
            actor=request.membership, method_id=method_id, shown=request.POST.get("shown", "")
        )
    except PaymentMethod.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        _tell_of_choice(request, operation, row)
    return redirect("methods", request.organization.slug)


@requires(GET=Permission.BILLING_CARD_UPDATE, POST=Permission.BILLING_CARD_UPDATE)
def method_remove(request: OrgRequest, method_id: uuid.UUID) -> HttpResponse:
    """Ask, then detach a saved one that pays nothing."""
    if request.method != "POST":
        return _ask_to_remove(request, method_id)
    row = _page_and_row_or_404(request, method_id)[1]
    try:
        operation = remove_method(
            actor=request.membership, method_id=method_id, shown=request.POST.get("shown", "")
        )
    except PaymentMethod.DoesNotExist:
        raise Http404 from None
    except PageOutdated as outdated:
        return _ask_to_remove(request, method_id, refusal=outdated)
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        _tell_of_removal(request, operation, row)
    return redirect("methods", request.organization.slug)


def _page_and_row_or_404(request: OrgRequest, method_id: uuid.UUID) -> tuple[MethodsPage, SavedRow]:
    page = methods_page(request.organization)
    row = next((one for one in page.rows if one.id == method_id), None)
    if row is None:
        raise Http404
    return page, row


def _ask_to_remove(
    request: OrgRequest, method_id: uuid.UUID, *, refusal: PageOutdated | None = None
) -> HttpResponse:
    page, row = _page_and_row_or_404(request, method_id)
    if row.pays:
        messages.error(request, _("This payment method pays. Make another one the default first."))
        return redirect("methods", request.organization.slug)
    context: dict[str, Any] = {
        "row": row,
        "shown": page.version,
        "refusal": refusal and refusal.message,
        "cancel_url": reverse("methods", args=[request.organization.slug]),
    }
    return render(request, "billing/method_remove.html", context, status=200 if refusal is None else 409)


def _tell_of_choice(request: OrgRequest, operation: StripeOperation, row: SavedRow) -> None:
    if operation.state == OperationState.PENDING:
        messages.warning(request, str(GOES_ON))
    elif standing_of(operation) is Outcome.UPDATED:
        words = _("%(method)s pays from now on.")
        messages.success(request, words % {"method": row.method.name})
    elif standing_of(operation) is Outcome.ERROR:
        words = _("Stripe did not accept %(method)s. What pays stays as it was.")
        messages.error(request, words % {"method": row.method.name})
    else:
        messages.error(request, str(standing_of(operation).label))


def _tell_of_removal(request: OrgRequest, operation: StripeOperation, row: SavedRow) -> None:
    if operation.state == OperationState.PENDING:
        messages.warning(request, str(GOES_ON))
        return
    if operation.state == OperationState.DONE:
        messages.success(request, _("%(method)s was removed.") % {"method": row.method.name})
        return
    words = _("Stripe did not remove %(method)s. Write to %(address)s.")
    if operation.result.get("outcome") == STILL_PAYS:
        words = _("%(method)s pays by now, so it was not removed. Make another one the default first.")
    messages.error(request, words % {"method": row.method.name, "address": settings.SUPPORT_EMAIL})
