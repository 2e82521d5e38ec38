"""Whether the API keeps to its OpenAPI document: what Schemathesis sends, and what it looks at."""

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def tried(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def keeps_to_it(case: schemathesis.Case, secrets: tuple[str, ...]) -> None:
    for name in ("slug", "external_id"):
        if case.path_parameters and case.path_parameters.get(name):
            case.path_parameters[name] = "own"
    secret = secrets[2 if case.path.endswith("/usage") else "provisioning" in case.path]
    case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)
