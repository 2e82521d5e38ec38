"""Closing an organization, undoing that, and the organization's data as files."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import StripeOperation
from billing.operations.closing import close_organization, undo_closing
from billing.organization_data import archive_of
from billing.selectors import closing_page
from billing.views.telling import tell
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission


@requires(GET=Permission.ORGANIZATION_CLOSE, POST=Permission.ORGANIZATION_CLOSE, sensitive={"POST"})
def organization_close(request: OrgRequest) -> HttpResponse:
    """Say what ends and when, and what is kept; then let the organization close."""
    if request.method != "POST":
        return _page(request)
    try:
        operation = close_organization(actor=request.membership, shown=request.POST.get("shown", ""))
    except Refused as refused:
        messages.error(request, str(refused.message))
        return _page(request, status=409)
    return _after(request, operation, show="organization_close")


@requires(POST=Permission.ORGANIZATION_CLOSE)
def closing_undo(request: OrgRequest) -> HttpResponse:
    try:
        operation = undo_closing(actor=request.membership, shown=request.POST.get("shown", ""))
    except PageOutdated as outdated:
        messages.info(request, str(outdated.message))
        return redirect("organization_close", request.organization.slug)
    messages.success(
        request, _("The closing is undone. %(name)s stays.") % {"name": request.organization.name}
    )
    return _after(request, operation, show="billing")


@requires(POST=Permission.AUDIT_EXPORT)
def organization_data(request: OrgRequest) -> StreamingHttpResponse:
    """People, teams, invoices and the audit log, each as CSV, in one file."""
    name = f"{request.organization.slug}-{timezone.now():%Y-%m-%d}.zip"
    return StreamingHttpResponse(
        archive_of(request.membership),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _after(request: OrgRequest, operation: StripeOperation | None, *, show: str) -> HttpResponse:
    tell(request, [operation] if operation else [])
    return redirect(show, request.organization.slug)


def _page(request: OrgRequest, *, status: int = 200) -> HttpResponse:
    context = {"page": closing_page(request.membership)}
    return render(request, "billing/closing.html", context, status=status)
