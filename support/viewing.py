"""Seeing the portal as a person sees it: how a staff member's browser comes to it, and back.

django-hijack swaps the person of the browser's session, each time under a new key and with a new CSRF token.
Nobody signs in by that: no mail, no last sign-in, no line in the person's list of sessions. What may be seen,
and that nothing can be written, is up to ``support.view_only``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

from allauth.usersessions.models import UserSession
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth.models import update_last_login
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from hijack.views import AcquireUserView, ReleaseUserView

from accounts.models import User
from orgs.acting import acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission
from support.access import STAFF_SESSION
from support.actions import PORTAL_SEEN_AS
from support.principals import StaffInOrganization

# In the browser's session, while somebody is viewed.
VIEWING = "viewing"
# Of hijack's: who comes back.
HISTORY = "hijack_history"
OF_THE_PERSON = {SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY}


@dataclass(frozen=True)
class Viewing:
    """``slug``: of the organization whose pages alone can be seen. ``back``: the page that it began on.

    ``kept``: what the staff member's own session held; ``sign_in``: the part of it that a new password ends.
    """

    slug: str
    back: str
    kept: dict[str, Any]
    sign_in: str

    @property
    def staff_session_id(self) -> str:
        return str(self.kept[STAFF_SESSION])

    def is_signed_in(self, staff: User) -> bool:
        """Whether the staff member has the password still with which they signed in."""
        return constant_time_compare(self.sign_in, staff.get_session_auth_hash())


def viewing_in(session: SessionBase) -> Viewing | None:
    found = session.get(VIEWING)
    return Viewing(**found) if found else None


def may_be_viewed(*, hijacker: User, hijacked: User) -> bool:
    """Whether anybody may see the portal as that person; hijack asks, and our own verb before it."""
    is_staff = hijacked.is_staff or hijacked.is_superuser
    return hijacked.is_active and not is_staff and hijacked.pk != hijacker.pk


def note_viewing(principal: StaffInOrganization, membership: Membership, *, shown_person: str) -> None:
    """Tell the organization, before anything is seen. Raises Refused, and Membership.DoesNotExist."""
    principal.refuse_own(membership.user_id)
    with acting(principal, Permission.PEOPLE_VIEW_AS) as act:
        people = Membership.objects.for_org(act.organization).current().select_related("user")
        person = people.get(pk=membership.pk).user
        if str(person.pk) != shown_person:
            raise PageOutdated(_("Somebody else is here now. Check who it is, then do it again."))
        if not may_be_viewed(hijacker=act.principal.staff.user, hijacked=person):
            raise Refused(_("Support staff, and people whose account is shut, can't be viewed as."))
        act.record(PORTAL_SEEN_AS, target=(person.pk, str(person)))


def begin_viewing(request: HttpRequest, *, slug: str, back: str, first_page: str) -> HttpResponse:
    """See that organization as the person whom the form names (``user_pk``), beginning with that page.

    The answer is hijack's own: it brings the new CSRF cookie. Raises PermissionDenied for a person who may
    not be viewed.
    """
    sign_in = request.session[HASH_SESSION_KEY]
    kept = {name: value for name, value in request.session.items() if name not in OF_THE_PERSON}
    with _swapping(request):
        answer = cast("HttpResponse", AcquireUserView.as_view(success_url=first_page)(request))
        request.session[VIEWING] = asdict(Viewing(slug=slug, back=back, kept=kept, sign_in=sign_in))
    return answer


def stop_viewing(request: HttpRequest, viewing: Viewing) -> HttpResponse:
    """Give the browser back to the staff member, with the session as it was.

    Who has changed their password meanwhile has to sign in again, as everywhere.
    """
    staff = User.objects.filter(pk=request.session[HISTORY][-1]).first()
    if staff is None or not viewing.is_signed_in(staff):
        logout(request)
        return HttpResponseRedirect(viewing.back)
    with _swapping(request):
        answer = cast("HttpResponse", ReleaseUserView.as_view(success_url=viewing.back)(request))
        del request.session[HISTORY]
        request.session.update(viewing.kept)
    return answer


@contextmanager
def _swapping(request: HttpRequest) -> Iterator[None]:
    """Under its new key the session stays in the staff member's own list, from which they can end it."""
    key = request.session.session_key
    request.is_swapping = True  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            yield
            request.session.save()
            UserSession.objects.filter(session_key=key).update(session_key=request.session.session_key)
    finally:
        request.is_swapping = False  # type: ignore[attr-defined]


def note_sign_in(sender: type[User], request: HttpRequest, user: User, **_kwargs: object) -> None:
    """In place of Django's own receiver, which hijack unhooks for all threads during a swap, and would not
    hook again after one that failed.
    """
    if not getattr(request, "is_swapping", False):
        update_last_login(sender, user)
