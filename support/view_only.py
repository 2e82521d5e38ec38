"""While staff see the portal as a person sees it, nothing can be changed: not by a press, not by a page.

Each page is made in a transaction that Postgres lets only read, and in which the gateway doesn't call Stripe.
It is rolled back, so that nothing is rung for either. Written are the log of what staff look at, before, and
the browser's own session, around it.
"""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh
from psycopg.errors import InFailedSqlTransaction, ReadOnlySqlTransaction
from structlog.contextvars import bind_contextvars

from accounts.access import Audience, SignedInRequest, open_to
from accounts.models import display_name
from billing.gateway.errors import InsideTransactionError
from orgs.access import OrganizationAccess
from orgs.policy import Permission, may
from support.access import note_request
from support.models import StaffSession
from support.principals import Staff, staff_in
from support.viewing import Viewing, stop_viewing, viewing_in

# Pages of what opens something: tokens, and webhooks, whose addresses may be secrets themselves.
SECRETS = frozenset(
    {Permission.ACCESS_TOKENS_OWN, Permission.ACCESS_TOKENS_MANAGE, Permission.WEBHOOKS_MANAGE}
)


class ViewingRequest(SignedInRequest):
    """The request of a staff member who sees what ``user`` sees."""

    viewing: Viewing


class ViewOnlyMiddleware:
    """Lets through what only reads, of the organization that is viewed; no other request is concerned."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        viewing = _viewing(request)
        if viewing is None or request.path_info == reverse("viewing_stop"):
            return self.get_response(request)
        staff = _staff(viewing)
        if staff is None:
            return _ended(request)
        viewer = cast("ViewingRequest", request)
        viewer.viewing = viewing
        note_request(viewer, staff, viewed_as=viewer.user.pk)
        # Lines of the log name the person; this tells them from what the person does.
        bind_contextvars(staff_session=str(staff.session.pk))
        if viewer.method not in {"GET", "HEAD"}:
            return _nothing_changes(viewer)
        return self._read(viewer) if _may_be_shown(viewer) else _not_shown(viewer)

    def _read(self, request: ViewingRequest) -> HttpResponse:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            response = self.get_response(request)
            transaction.set_rollback(True)
        return response if _is_page(request, response) else _not_shown(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Whatever page tried to write, or to ask Stripe: its answer is replaced once that is rolled back."""
        if not hasattr(request, "viewing") or not _would_write(exception):
            return None
        return HttpResponse(status=403, content_type="text/plain")


def _viewing(request: HttpRequest) -> Viewing | None:
    """What comes without a session must not begin to look for one here."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    viewing = viewing_in(request.session)
    if viewing is not None and not request.user.is_authenticated:
        # The account of the person was shut.
        request.session.flush()
        return None
    return viewing


def _staff(viewing: Viewing) -> Staff | None:
    """Who views; None once their staff session has ended, or anything that it stands on."""
    try:
        staff = staff_in(UUID(viewing.staff_session_id))
    except StaffSession.DoesNotExist:
        return None
    signed_in = viewing.is_signed_in(staff.user)
    return staff if signed_in and may(staff, Permission.PEOPLE_VIEW_AS) else None


def _may_be_shown(request: ViewingRequest) -> bool:
    """Raises Http404 for another organization, as for an unknown one."""
    try:
        match = resolve(request.path_info)
    except Resolver404 as unknown:
        raise Http404 from unknown
    access = getattr(match.func, "access", None)
    if not isinstance(access, OrganizationAccess):
        return False
    if match.kwargs["slug"] != request.viewing.slug:
        raise Http404
    return access.permissions.get("GET") not in SECRETS


def _is_page(request: ViewingRequest, response: HttpResponseBase) -> bool:
    """Files are exports, which take an organization's data out of the house. A redirect stays here."""
    if "Location" in response.headers:
        return url_has_allowed_host_and_scheme(response["Location"], allowed_hosts={request.get_host()})
    is_html = response.headers.get("Content-Type", "").startswith("text/html")
    return not response.streaming and (is_html or response.status_code == 204)


def _would_write(exception: Exception) -> bool:
    """Also by the statements after it, where a view went on."""
    refused = (ReadOnlySqlTransaction, InFailedSqlTransaction)
    mishaps = (InsideTransactionError, TransactionManagementError)
    return isinstance(exception, mishaps) or isinstance(exception.__cause__, refused)


def _nothing_changes(request: ViewingRequest) -> HttpResponse:
    if request.htmx:
        messages.warning(request, _("Nothing was done: while you view as somebody, nothing can be changed."))
        return HttpResponseClientRefresh()
    return render(request, "support/view_only.html", {"why": "changes"}, status=403)


def _not_shown(request: ViewingRequest) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRedirect(request.get_full_path())
    return render(request, "support/view_only.html", {"why": "not_shown"}, status=403)


def _ended(request: HttpRequest) -> HttpResponse:
    if cast("ViewingRequest", request).htmx:
        return HttpResponseClientRefresh()
    return render(request, "support/view_only.html", {"why": "ended"}, status=403)


@open_to(Audience.SIGNED_IN, "POST")
def viewing_stop(request: SignedInRequest) -> HttpResponse:
    """Back to the page from which it began."""
    viewing = viewing_in(request.session)
    if viewing is None:
        raise Http404
    person = display_name(request.user)
    answer = stop_viewing(request, viewing)
    messages.success(request, _("You no longer see what %(person)s sees.") % {"person": person})
    return answer
