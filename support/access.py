"""The gate of the admin: an open staff session, and for each page of ours a declared permission."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import Access, Audience, GatedView, SignedInRequest, not_allowed
from orgs.policy import Denied, Permission, ensure
from support.models import METHOD_LENGTH, PATH_LENGTH, StaffRequest, StaffSession
from support.principals import Staff, staff_in
from tokens.secret import without_secrets

# In the browser's session: the id of the staff session that was opened in it.
STAFF_SESSION = "staff_session"


class AdminRequest(SignedInRequest):
    """The request of support staff; ``staff`` is None only on the page that opens a session."""

    staff: Staff


@dataclass(frozen=True)
class StaffAccess(Access):
    """What a page of ours in the admin declares: a permission for each method."""

    permissions: Mapping[str, Permission]


Arguments = ParamSpec("Arguments")


def staff_may(
    **permissions: Permission,
) -> Callable[[Callable[Concatenate[AdminRequest, Arguments], HttpResponseBase]], GatedView]:
    """Declare the permission of each method of a page in the admin; GET stands for HEAD too.

    Who lacks it: 403. Whose session ends while the page works: asked to open one.
    """
    access = StaffAccess(Audience.STAFF, frozenset(permissions), permissions)

    def declare(view: Callable[Concatenate[AdminRequest, Arguments], HttpResponseBase]) -> GatedView:
        @wraps(view)
        def gate(request: AdminRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not access.allows(request.method):
                return not_allowed(request, access)
            try:
                ensure(request.staff, permissions[access.declared(request.method)])
                return cast("Callable[..., HttpResponseBase]", view)(request, *args, **kwargs)
            except Denied as denied:
                raise PermissionDenied from denied
            except StaffSession.DoesNotExist:
                return open_a_session_first(request)

        gated = cast("GatedView", gate)
        gated.access = access
        return gated

    return declare


def staff_of(request: HttpRequest) -> Staff | None:
    """Whose staff session is open in this browser; None without one. One statement."""
    session_id = request.session.get(STAFF_SESSION)
    if session_id is None or not request.user.is_authenticated:
        return None
    try:
        return staff_in(session_id, user_id=request.user.pk)
    except StaffSession.DoesNotExist:
        return None


def note_request(request: HttpRequest, staff: Staff, *, viewed_as: uuid.UUID | None = None) -> None:
    """Write down which URL was asked for, before anything of it is answered."""
    # A browser may send any word as the method.
    method = (request.method or "")[:METHOD_LENGTH]
    # A whole secret in the search box must not lie here in clear.
    path = without_secrets(request.get_full_path())[:PATH_LENGTH]
    StaffRequest.objects.create(session=staff.session, method=method, path=path, viewed_as=viewed_as)


def open_a_session_first(request: HttpRequest) -> HttpResponse:
    """Lead to the page that opens a staff session, and back afterwards."""
    if request.method in {"GET", "HEAD"}:
        resume_at = request.get_full_path()
    else:
        resume_at = reverse("admin:index")
        messages.warning(
            request, _("Your staff session had ended, so nothing was done. Open one, then do it again.")
        )
    return HttpResponseRedirect(f"{reverse('admin:staff_session')}?{urlencode({'next': resume_at})}")


def needs_no_session(view: GatedView) -> GatedView:
    """Mark a page that staff open without a session; it shows nothing of any customer."""
    view.needs_no_session = True  # type: ignore[attr-defined]
    return view
