"""The plan: another edition, other seats, and undoing what is planned."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from billing.change_outcomes import sentence_of
from billing.models import OperationState, StripeOperation
from billing.operations.plans import accept_offer, undo_change
from billing.plans import changes_by
from billing.selectors import PlanChangePage, plan_page, seats_page
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def plan(request: OrgRequest) -> HttpResponse:
    """Choose an edition, see what it costs, change to it."""
    refusal = _accepted(request) if request.method == "POST" else ""
    if refusal is None:
        return redirect("billing", request.organization.slug)
    page = plan_page(request.membership, edition_code=request.GET.get("edition", ""))
    return _page(request, "plan", page, refusal)


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def seats(request: OrgRequest) -> HttpResponse:
    """Choose a number of seats; where the edition sells none, there is no such page."""
    if not request.organization.edition.per_seat:
        raise Http404
    refusal = _accepted(request) if request.method == "POST" else ""
    if refusal is None:
        return redirect("billing", request.organization.slug)
    page = seats_page(request.membership, seats=_number(request.GET.get("seats", "")))
    return _page(request, "seats", page, refusal)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _page(request: OrgRequest, name: str, page: PlanChangePage, refusal: str) -> HttpResponse:
    template = f"billing/_{name}_change.html" if request.htmx else f"billing/{name}.html"
    context = {"page": page, "refusal": refusal}
    return render(request, template, context, status=422 if refusal else 200)


def _accepted(request: OrgRequest) -> str | None:
    """Do what the page offered. Returns why nothing was done; None: it was, or is being."""
    try:
        operation = accept_offer(
            actor=request.membership,
            sealed=request.POST.get("offer", ""),
            stays=request.POST.getlist("stays"),
        )
    except Refused as refused:
        return str(refused.message)
    return _told(request, operation)


def _told(request: OrgRequest, operation: StripeOperation) -> str | None:
    if operation.state == OperationState.FAILED:
        return sentence_of(operation)
    tell(request, [operation])
    return None


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def undo(request: OrgRequest) -> HttpResponse:
    """Ask whether a planned change is to be undone, and undo it."""
    if request.method != "POST":
        changes = changes_by(request.GET.get("schedule", ""), request.organization)
        if not changes:
            raise Http404
        home = reverse("billing", args=[request.organization.slug])
        return render(request, "billing/plan_undo.html", {"changes": changes, "cancel_url": home})
    try:
        operation = undo_change(actor=request.membership, schedule_id=request.POST.get("schedule", ""))
        refusal = _told(request, operation)
    except Refused as refused:
        refusal = str(refused.message)
    if refusal:
        messages.error(request, refusal)
    return redirect("billing", request.organization.slug)
