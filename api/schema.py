"""The API as a whole: joined of its endpoints, and described as OpenAPI 3.1."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, reverse
from ninja import NinjaAPI
from ninja.operation import Operation

from api.endpoints import Endpoints
from api.gate import SAFE_METHODS, HostNeeds, Needs
from api.problems import CONTENT_TYPE, Problem, answer_problems
from orgs.policy import BILLING_READ
from programs.credentials import SCOPE

DESCRIPTION = """What a program may do is what its access token may do, and never more than its maker may.

- **Sums** are integers in the currency's minor unit. **Times** are UTC, in ISO 8601. **States** are codes.
- **Lists** come a page at a time: send `next` of one page as `cursor` for the next.
- **Writes** take an `Idempotency-Key`, so that a request can be sent again without doing it twice.
- **Errors** are problem details (RFC 9457). What belongs to another organization is not found.
- **Limits**: 600 requests a minute with one token; beyond, 429 says when to go on.
"""
# Below it the product beside the portal asks, by a service token.
PROVISIONING = "/provisioning/"
SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token; for provisioning a service token.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The session of a person. Writes need the header X-CSRFToken as well.",
    },
}


# For programs that a person lets read billing, where an endpoint is open to them.
OAUTH = "oauth"


def _oauth() -> dict[str, Any]:
    token_url = settings.SITE_URL + reverse("program_token")
    return {
        "type": "oauth2",
        "description": f"{settings.SITE_URL}{reverse('oauth_server')} tells of devices too.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": settings.SITE_URL + reverse("program_authorize"),
                "tokenUrl": token_url,
                "refreshUrl": token_url,
                "scopes": {SCOPE: "Read the billing of one organization."},
            }
        },
    }


class PortalAPI(NinjaAPI):
    """Serves no pages of its own: they would load scripts from elsewhere."""

    def __init__(self, title: str, endpoints: Iterable[Endpoints]) -> None:
        super().__init__(
            title=title,
            version="1",
            description=DESCRIPTION,
            urls_namespace="api",
            docs_url=None,
            openapi_url=None,
            openapi_extra={"security": [{name: []} for name in SECURITY]},
        )
        for topic in endpoints:
            self.add_router("", topic.router)
        answer_problems(self)

    @property
    def addresses(self) -> list[URLPattern | URLResolver]:
        """Those of its endpoints, without the library's own root."""
        return [address for address in self.urls[0] if getattr(address, "name", None) != "api-root"]

    def operations(self) -> Iterator[Operation]:
        for bound in self._get_bound_routers():
            for view in bound.path_operations.values():
                yield from view.operations

    def described(self, path: str) -> dict[str, Any]:
        """The OpenAPI document. ``path``: below which the API lies."""
        document: dict[str, Any] = self.get_openapi_schema(path_prefix=path)
        components = document["components"]
        components["securitySchemes"] = {**SECURITY, OAUTH: _oauth()}
        components["schemas"]["Problem"] = Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        components["schemas"] |= components["schemas"]["Problem"].pop("$defs")
        content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        needed = {operation.operation_id: needs_of(operation) for operation in self.operations()}
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["responses"]["default"] = {"description": "An error", "content": content}
                needs = needed[operation["operationId"]]
                if needs is not None and needs.permission is not None:
                    operation["x-permission"] = needs.permission.value
                    if needs.permission in BILLING_READ:
                        operation["security"] = [*document["security"], {OAUTH: [SCOPE]}]
        return document


def needs_of(operation: Operation) -> Needs | None:
    """What an operation has declared."""
    return next((found for found in operation.auth_callbacks if isinstance(found, Needs)), None)


def undeclared(api: PortalAPI) -> list[CheckMessage]:
    """The system check of the API: no endpoint without a permission, none that changes things by reading."""
    errors: list[CheckMessage] = []
    for operation in api.operations():
        needs, method = needs_of(operation), operation.methods[0]
        if needs is None or (needs.permission is None and "{slug" in operation.path):
            errors.append(Error(f"{method} {operation.path}: declares no permission.", id="api.E001"))
        elif isinstance(needs, HostNeeds) is not operation.path.startswith(PROVISIONING):
            errors.append(
                Error(
                    f"{method} {operation.path}: the product, and it alone, asks below {PROVISIONING}.",
                    id="api.E003",
                )
            )
        elif (
            method not in SAFE_METHODS
            and not needs.asks
            and (needs.permission is None or needs.permission.reads)
        ):
            errors.append(
                Error(f"{method} {operation.path}: changes things, by a permission to read.", id="api.E002")
            )
    return errors
