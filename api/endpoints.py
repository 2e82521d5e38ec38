"""How an app declares its endpoints: each with what it needs, what it answers, and the status of that."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponseBase
from ninja import Router, Status
from ninja.params.functions import Path
from ninja.utils import contribute_operation_args

from api.gate import ApiRequest, Needs
from api.idempotency import KEY_PARAMETER, run_once

INSIDE = "/orgs/{slug:slug}"
Endpoint = Callable[..., Any]


class Endpoints:
    """Those of one topic, below ``/orgs/<slug>`` unless ``outside`` an organization."""

    def __init__(self, topic: str, *, outside: bool = False) -> None:
        self.router = Router(tags=[topic])
        self.outside = outside

    def get(
        self, path: str, needs: Needs, answers: Any, *, sparse: bool = False
    ) -> Callable[[Endpoint], Endpoint]:
        """``sparse``: what is None is left out, and an answer that is None is 204."""
        return self._declare("GET", path, needs, answers, 200, sparse=sparse)

    def file(self, path: str, needs: Needs, content_type: str) -> Callable[[Endpoint], Endpoint]:
        """What is answered as it is."""
        return self._declare("GET", path, needs, None, 200, told=_file(content_type))

    def ask(self, path: str, needs: Needs, answers: Any) -> Callable[[Endpoint], Endpoint]:
        """A question too long for an address."""
        return self._declare("POST", path, needs, answers, 200)

    def post(
        self, path: str, needs: Needs, answers: Any, *, status: int = 200
    ) -> Callable[[Endpoint], Endpoint]:
        return self._declare("POST", path, needs, answers, status, writes=True)

    def take(
        self, path: str, needs: Needs, answers: Any, body: dict[str, Any]
    ) -> Callable[[Endpoint], Endpoint]:
        """A write that can be repeated by its nature. ``body``: what the OpenAPI document says of it."""
        return self._declare("POST", path, needs, answers, 200, told=body)

    def put(self, path: str, needs: Needs, answers: Any) -> Callable[[Endpoint], Endpoint]:
        return self._declare("PUT", path, needs, answers, 200, writes=True)

    def patch(self, path: str, needs: Needs, answers: Any) -> Callable[[Endpoint], Endpoint]:
        return self._declare("PATCH", path, needs, answers, 200, writes=True)

    def delete(self, path: str, needs: Needs) -> Callable[[Endpoint], Endpoint]:
        return self._declare("DELETE", path, needs, None, 204, writes=True)

    def _declare(
        self,
        method: str,
        path: str,
        needs: Needs,
        answers: Any,
        status: int,
        *,
        writes: bool = False,
        told: dict[str, Any] | None = None,
        sparse: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        def declare(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            def view(request: ApiRequest, **values: Any) -> Any:
                # The gate has found the organization by it.
                values.pop("slug", None)
                if not writes:
                    answer = endpoint(request, **values)
                    return _answer(204 if sparse and answer is None else status, answer)
                return run_once(request, lambda: endpoint(request, **values), status)

            if not self.outside:
                contribute_operation_args(view, "slug", str, SLUG)
            self.router.add_api_operation(
                path if self.outside else INSIDE + path,
                [method],
                view,
                operation_id=endpoint.__name__,
                # Not the name of a page.
                url_name=f"api_{endpoint.__name__}",
                auth=[needs],
                response={status: answers, 204: None} if sparse else {status: answers},
                exclude_none=sparse,
                openapi_extra=WRITES if writes else told,
            )
            return endpoint

        return declare


SLUG = Path(..., pattern="^[-a-zA-Z0-9_]+$", description="The organization, as in its address.")


# What the OpenAPI document says besides of a write, and of a file.
WRITES: dict[str, Any] = {"parameters": [KEY_PARAMETER]}


def _file(content_type: str) -> dict[str, Any]:
    content = {content_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"content": content}}}


def _answer(status: int, answer: Any) -> Any:
    return answer if isinstance(answer, HttpResponseBase) else Status(status, answer)
