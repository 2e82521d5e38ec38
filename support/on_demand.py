"""The page that compares on-demand credits with Stripe, and the act that makes good what is missing."""

import uuid
from datetime import date, timedelta
from typing import cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from audit.models import ActorKind
from audit.services import Actor
from billing.operations.on_demand import ask_for_missing_items
from billing.selectors.on_demand import PAGE, compare
from orgs.rows import key_in_text


@require_http_methods(["GET", "HEAD", "POST"])
def on_demand(request: HttpRequest) -> HttpResponse:
    """Staff who may see operations see the page; who may add some ask for what is missing."""
    user = cast("User", request.user)
    if not user.has_perm("billing.view_stripeoperation"):
        raise PermissionDenied
    if request.method == "POST":
        if not user.has_perm("billing.add_stripeoperation"):
            raise PermissionDenied
        return _ask(request, user)
    return TemplateResponse(
        request,
        "support/on_demand.html",
        {
            **admin.site.each_context(request),
            "title": _("On-demand credits and Stripe"),
            "comparison": compare(
                _month_in(request.GET.get("month", "")),
                after=key_in_text(request.GET.get("after", "")),
                everything="all" in request.GET,
            ),
            "everything": "all" in request.GET,
            "may_ask": user.has_perm("billing.add_stripeoperation"),
        },
    )


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    """For the charges that the page showed as missing."""
    charge_ids = [pk for pk in map(_uuid, request.POST.getlist("charge")[:PAGE]) if pk]
    asked = ask_for_missing_items(charge_ids=charge_ids, actor=Actor(ActorKind.STAFF, str(user), user.pk))
    if asked:
        said = ngettext(
            "Asked Stripe for %(count)d item. It shows here in a moment.",
            "Asked Stripe for %(count)d items. They show here in a moment.",
            len(asked),
        )
        messages.success(request, said % {"count": len(asked)})
    else:
        messages.info(request, _("Nothing was asked for: none of it is missing any more."))
    month = _month_in(request.POST.get("month", ""))
    return HttpResponseRedirect(f"{reverse('admin:on_demand')}?month={month:%Y-%m}")


def _month_in(text: str) -> date:
    """Its first day; where the text names none, that of the last whole month."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        month = date.min
    if month.year not in range(2000, 3000):
        month = timezone.now().date().replace(day=1) - timedelta(days=1)
    return month.replace(day=1)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
