"""Letting a subscription end with its period, and keeping it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.endings import EndingAct
from billing.forms import CancelForm
from billing.models import StripeOperation, Subscription
from billing.operations.endings import cancel_subscription, keep_subscription
from billing.selectors import EndingPage, ending_page
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission

TEMPLATES = {
    EndingAct.CANCEL: "billing/subscription_cancel.html",
    EndingAct.KEEP: "billing/subscription_keep.html",
}


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def subscription_cancel(request: OrgRequest, subscription_id: uuid.UUID) -> HttpResponse:
    page = _page_or_404(request, subscription_id)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, EndingAct.CANCEL, page, form=form)
    try:
        operation = cancel_subscription(
            actor=request.membership,
            subscription_id=subscription_id,
            shown_end=request.POST.get("shown_end", ""),
            feedback=form.cleaned_data["feedback"],
            comment=form.cleaned_data["comment"],
        )
    except PageOutdated as outdated:
        return _ask_anew(request, EndingAct.CANCEL, subscription_id, outdated, form=form)
    except Refused as refused:
        return _refuse(request, refused)
    return _after(request, operation)


@requires(GET=Permission.BILLING_SUBSCRIPTION_UPDATE, POST=Permission.BILLING_SUBSCRIPTION_UPDATE)
def subscription_keep(request: OrgRequest, subscription_id: uuid.UUID) -> HttpResponse:
    page = _page_or_404(request, subscription_id)
    if request.method != "POST":
        return _ask(request, EndingAct.KEEP, page)
    try:
        operation = keep_subscription(
            actor=request.membership,
            subscription_id=subscription_id,
            shown_end=request.POST.get("shown_end", ""),
        )
    except PageOutdated as outdated:
        return _ask_anew(request, EndingAct.KEEP, subscription_id, outdated)
    except Refused as refused:
        return _refuse(request, refused)
    return _after(request, operation)


def _page_or_404(request: OrgRequest, subscription_id: uuid.UUID) -> EndingPage:
    try:
        return ending_page(request.membership, subscription_id)
    except Subscription.DoesNotExist:
        raise Http404 from None


def _ask(
    request: OrgRequest, act: EndingAct, page: EndingPage, *, refusal: Refused | None = None, **context: Any
) -> HttpResponse:
    """The question, while it can be answered with yes."""
    if page.ending.act is not act:
        done = {
            EndingAct.CANCEL: _("The subscription is to end already."),
            EndingAct.KEEP: _("The subscription goes on already."),
        }
        messages.info(request, done[act])
        return redirect("billing", request.organization.slug)
    if page.ending.obstacle is not None:
        return _refuse(request, Refused(page.ending.obstacle.label))
    invalid = "form" in context and bool(context["form"].errors)
    context |= {
        "page": page,
        "refusal": refusal and refusal.message,
        "cancel_url": reverse("billing", args=[request.organization.slug]),
    }
    return render(request, TEMPLATES[act], context, status=409 if refusal else 422 if invalid else 200)


def _ask_anew(
    request: OrgRequest, act: EndingAct, subscription_id: uuid.UUID, outdated: PageOutdated, **context: Any
) -> HttpResponse:
    return _ask(request, act, _page_or_404(request, subscription_id), refusal=outdated, **context)


def _refuse(request: OrgRequest, refused: Refused) -> HttpResponse:
    messages.error(request, str(refused.message))
    return redirect("billing", request.organization.slug)


def _after(request: OrgRequest, operation: StripeOperation) -> HttpResponse:
    tell(request, [operation])
    return redirect("billing", request.organization.slug)
