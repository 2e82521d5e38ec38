"""In which language and time zone a request is answered: those that its person chose.

Without a choice the language is the browser's, of those that the site has, and times are in UTC.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.models import User
from outbox.readers import Reader


class PreferencesMiddleware:
    """Both hold for the request alone: the thread's next one is somebody else's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reader = _reader(request)
        language = reader.known_language or translation.get_language_from_request(request)
        with translation.override(language), timezone.override(reader.zone):
            return self.get_response(request)


def _reader(request: HttpRequest) -> Reader:
    # What comes without a session, such as Stripe's webhooks, must not begin to look for one here.
    user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    return user.reader if isinstance(user, User) else Reader()
