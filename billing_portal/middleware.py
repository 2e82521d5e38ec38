"""Headers that every page of a signed-in person carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers


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
