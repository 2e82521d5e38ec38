"""What every request is held to, and the headers that every page carries."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


class RequestLimitsMiddleware:
    """Refuse, with 400, what no page asks for: a large body, files included, and a NUL in the query.

    Django's own limit leaves files out, and Postgres stores no NUL. A body without a length isn't read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest
        return self.get_response(request)


class PrivateResponseMiddleware:
    """Nothing that depends on who asks may lie in a cache; a page and its part never mix."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        return response


class WindowRedirectMiddleware:
    """A redirect leads the window, never a part of the page, into which htmx would put the page it leads to.

    Whoever has to sign in, or to give the password again, does so on a whole page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Read before the view: allauth gives this request the META of the one it resumes after the password.
        for_htmx = request.headers.get("HX-Request") == "true"
        response = self.get_response(request)
        if for_htmx and isinstance(response, HttpResponseRedirect):
            return HttpResponseClientRedirect(response.url)
        return response
