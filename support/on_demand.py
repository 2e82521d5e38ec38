"""The page that compares on-demand credits with Stripe, and the act that makes good what is missing."""

from datetime import date, timedelta
from functools import partial

from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.operations.on_demand import ask_for_missing_items
from billing.selectors.on_demand import PAGE, compare
from orgs.policy import Permission, may
from orgs.rows import key_in_text, uuid_in
from support.access import AdminRequest, staff_may


@staff_may(GET=Permission.RECORDS_VIEW, POST=Permission.OPERATIONS_SETTLE)
def on_demand(request: AdminRequest) -> HttpResponse:
    """All staff see the page; who may settle operations asks for what is missing."""
    if request.method == "POST":
        return _ask(request)
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
            "may_ask": may(request.staff, Permission.OPERATIONS_SETTLE),
        },
    )


def _ask(request: AdminRequest) -> HttpResponse:
    """For the charges that the page showed as missing."""
    charge_ids = [pk for pk in map(uuid_in, request.POST.getlist("charge")[:PAGE]) if pk]
    session = request.staff.session
    within = partial(request.staff.within, ticket=session.ticket, reason=session.reason)
    asked = ask_for_missing_items(charge_ids=charge_ids, within=within)
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
