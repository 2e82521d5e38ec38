"""What every request is held to, and the headers that every page carries."""

import re
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    UnreadablePostError,
)
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from psycopg.errors import UniqueViolation

from billing_portal.health import healthz, readyz
from usage.uploads import MOST_BYTES

logger = structlog.get_logger(__name__)

# What is read as it comes, and how large it may be.
REPORTS_OF_USAGE = re.compile(r"/api/v1/orgs/[-\w]+/usage")
# RFC 9110, 8.6; more digits than these are too much in any case.
CONTENT_LENGTH = re.compile("[0-9]{1,20}")


class RequestLimitsMiddleware:
    """Refuse what no page asks for: with 400 a large body, files included, a broken one, a NUL in the query.

    Django's own limit leaves files out, and Postgres stores no NUL: with 404, no address has one either.
    A body without a length isn't read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not CONTENT_LENGTH.fullmatch(length):
            raise BadRequest
        streamed = REPORTS_OF_USAGE.fullmatch(request.path_info)
        if int(length) > (MOST_BYTES if streamed else settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            raise RequestDataTooBig
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest
        if "\0" in request.path_info:
            raise Http404
        if request.method == "POST" and request.content_type == "multipart/form-data":
            self._read_parts(request)
        return self.get_response(request)

    @staticmethod
    def _read_parts(request: HttpRequest) -> None:
        """Read the parts of a form here, once for all: some headers of a part break the parser."""
        try:
            # Kept, for a view that reads the body itself.
            _ = request.body
            _ = request.POST
        except (TypeError, LookupError, UnreadablePostError):
            request.POST = QueryDict()
            raise BadRequest from None


class ProbesMiddleware:
    """Answers probes before a session is looked for: they hold without Postgres, whatever cookie comes."""

    PROBES = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = self.PROBES.get(request.path_info) if request.method in {"GET", "HEAD"} else None
        if probe is None:
            return self.get_response(request)
        # Refuses a host that isn't ours, as CommonMiddleware does for pages.
        request.get_host()
        return probe(request)


class AtOnceMiddleware:
    """Two requests at once may both find free what the database gives only once: the later one is told so.

    Our own verbs lock first, and never come here; the pages of libraries look, then write.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception.__cause__, UniqueViolation):
            return None
        logger.error("done_twice_at_once", path=request.path, exc_info=exception)
        return render(request, "409.html", status=409)


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

    A person who has to sign in, or to give the password again, does so on a whole page.
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
