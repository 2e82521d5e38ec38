"""The page of stacks."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission
from usage.forms import LabelForm
from usage.labels import label_stacks
from usage.stacks import LONGEST_SEARCH, stacks_page


@requires(GET=Permission.RUM_PER_STACK, POST=Permission.STACKS_LABEL)
def stacks(request: OrgRequest) -> HttpResponse:
    """The stacks, by name or by resources now, with those that match a search. A POST labels some of them."""
    if request.method != "POST":
        return _page(request)
    form = LabelForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error)
        return _page(request, status=422)
    label, shown = form.cleaned_data["label"], form.shown
    try:
        label_stacks(actor=request.membership, names=shown, label=label, shown=shown)
    except Refused as refused:
        messages.error(request, str(refused.message))
        return _page(request, status=409)
    messages.success(request, _("Label set.") if label else _("Label taken off."))
    return redirect(request.get_full_path())


def _page(request: OrgRequest, *, status: int = 200) -> HttpResponse:
    page = stacks_page(
        request.organization.pk,
        search=request.GET.get("search", "")[:LONGEST_SEARCH].strip(),
        sort=request.GET.get("sort", ""),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    return render(request, "usage/stacks.html", {"page": page}, status=status)
