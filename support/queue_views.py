"""The page of what needs a human."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.dashboard import dashboard_url
from billing.selectors.prohibitions import prohibitions
from orgs.policy import Permission, may
from support.access import AdminRequest, staff_may
from support.acts import ACTS
from support.acts.base import Text
from support.acts.queues import SettleRow
from support.links import page_url
from support.principals import Staff
from support.queues import QueueRow, queue_page


class Link(NamedTuple):
    label: Text
    url: str
    opens_dialog: bool = True


class ShownRow(NamedTuple):
    """A row, with the stock page of its record, and what can be done about it at Stripe and by this staff
    member.
    """

    row: QueueRow
    url: str
    acts: list[Link]


@staff_may(GET=Permission.RECORDS_VIEW)
def queues(request: AdminRequest) -> HttpResponse:
    page = queue_page(queue=request.GET.get("queue", ""), after=request.GET.get("after", ""))
    context = {
        "page": page,
        "rows": [_shown(row, request.staff) for row in page.rows],
        "next_url": _next_url(page.chosen.code if page.chosen else "", page.after),
        "prohibitions": prohibitions(),
    }
    return render(request, "support/queues.html", context)


def _shown(row: QueueRow, staff: Staff) -> ShownRow:
    url = reverse(f"admin:{row.source.record}_change", args=[quote(row.key)])
    keys: dict[str, str] = {}
    # What is nobody's can't be acted on, but taken out.
    if row.organization is not None:
        keys |= dict.fromkeys(row.source.acts, row.key)
        keys |= dict.fromkeys(row.source.organization_acts, str(row.organization.pk))
    keys[SettleRow.name] = row.name
    acts = [
        Link(ACTS[name].submit, ACTS[name].url(key))
        for name, key in keys.items()
        if name in ACTS and may(staff, ACTS[name].permission)
    ]
    return ShownRow(row, url, [*_ways(row), *acts])


def _ways(row: QueueRow) -> Iterator[Link]:
    """To where it is mended, if that is no act on the row."""
    if at_stripe := dashboard_url(row.stripe_id):
        yield Link(_("Open at Stripe"), at_stripe, opens_dialog=False)
    if row.source.mended_on:
        yield Link(_("Compare with Stripe"), page_url(row.source.mended_on), opens_dialog=False)


def _next_url(queue: str, after: str) -> str:
    if not after:
        return ""
    query = {"queue": queue, "after": after} if queue else {"after": after}
    return f"?{urlencode(query)}"
