"""Where a person is signed in, and when each session was last used. allauth lists them."""

import time
from collections.abc import Callable
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.internal.httpkit import HTTP_USER_AGENT_MAX_LENGTH
from allauth.usersessions.models import UserSession
from django.core.cache import caches
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User

NOTED_EVERY = timedelta(minutes=5)


class LastUseMiddleware:
    """Notes when, and from where, a session was last used: in each process once in five minutes at most.

    So a page costs no statement more. The session itself is not written: of two requests side by side, the
    later writer would undo what the other stored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = request.session.session_key
        if key and _began_a_while_ago(request) and caches["process"].add(key, True, NOTED_EVERY.seconds):
            note_use(request, key)
        return response


def _began_a_while_ago(request: HttpRequest) -> bool:
    """Whether this is the session of a sign-in so long ago that what the sign-in noted is old."""
    # Pages that ask for no session, such as the health checks, must not begin to here.
    if not request.session.accessed:
        return False
    proofs = get_authentication_records(request, request.user if request.user.is_authenticated else None)
    return bool(proofs) and time.time() - proofs[0]["at"] > NOTED_EVERY.seconds


def note_use(request: HttpRequest, key: str) -> None:
    now = timezone.now()
    # Another process may have noted it.
    UserSession.objects.filter(session_key=key, last_seen_at__lte=now - NOTED_EVERY).update(
        last_seen_at=now,
        ip=get_adapter().get_client_ip(request),
        user_agent=request.headers.get("User-Agent", "")[:HTTP_USER_AGENT_MAX_LENGTH],
    )


def reference(session: UserSession) -> str:
    """What the list's forms name a session by. It holds for its own person only, and nobody can guess one."""
    return _signer(session.user_id).sign(str(session.pk))


def _signer(user_id: object) -> Signer:
    return Signer(salt=f"session of {user_id}")


def session_named(user: User, reference: str) -> UserSession | None:
    """The person's session, or None if it has ended. Raises Http404 for what was never one of theirs."""
    try:
        pk = _signer(user.pk).unsign(reference)
    except BadSignature:
        raise Http404 from None
    return UserSession.objects.filter(pk=pk, user=user).first()


def end_all_sessions(user: User) -> None:
    """Sign the person out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()
