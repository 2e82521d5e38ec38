"""The OpenAPI document, the page that is drawn from it, and whether the API keeps to it."""

import re
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from billing_portal.api import portal_api
from billing_portal.api_docs import PATH
from orgs.models import Membership, Organization
from orgs.policy import Permission
from tests.api.program import program_of, program_of_host, program_of_organization, told
from tests.programs.factories import ProgramFactory
from tests.programs.tool import connected
from tokens import limits

pytestmark = pytest.mark.django_db


def test_the_document_names_permission_and_errors_of_each_operation() -> None:
    document = told(Client().get("/api/v1/openapi.json"))
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(list(portal_api.operations()))
    assert all("default" in one["responses"] for one in operations)
    assert all("x-permission" in one for one in operations if one["operationId"].endswith("members"))
    assert {one["x-permission"] for one in operations if "x-permission" in one} <= set(Permission.values)
    open_to_programs = {
        one["operationId"] for one in operations if {"oauth": ["billing.read"]} in one.get("security", [])
    }
    assert "invoices" in open_to_programs
    assert not open_to_programs & {"members", "invite", "audit_events", "authorize"}
    pdf = document["paths"]["/api/v1/orgs/{slug}/billing/invoices/{invoice_id}/pdf"]["get"]
    assert list(pdf["responses"]["200"]["content"]) == ["application/pdf"]
    assert document["info"]["title"].endswith("API")


def test_the_page_tells_of_every_operation_without_a_script() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    for path in portal_api.described(PATH)["paths"]:
        assert f"<code>{path}</code>" in page
    assert "<script>" not in page
    assert not re.search(r"\sstyle=", page)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
# One of each kind; all of them are slow.
SOME = [
    "organizations",
    "members",
    "invite",
    "invoices",
    "authorize_batch",
    "provisioning_people",
]
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


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The end of a request closes no connection, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def secrets(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """An admin's, the product's, and the organization's by which usage is reported."""
    monkeypatch.setattr(limits, "A_MINUTE", 10**6)
    Organization.objects.filter(pk=admin.organization_id).update(slug="own", external_id="own")
    programs = program_of(admin), program_of_host(), program_of_organization(admin.organization)
    return tuple(program.secret or "" for program in programs)


def keeps_to_it(case: schemathesis.Case, secrets: tuple[str, ...]) -> None:
    for name in ("slug", "external_id"):
        if case.path_parameters and case.path_parameters.get(name):
            case.path_parameters[name] = "own"
    secret = secrets[2 if case.path.endswith("/usage") else "provisioning" in case.path]
    case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)


@SCHEMA.include(operation_id=SOME).parametrize()
@tried(2)
def test_the_api_keeps_to_its_document(case: schemathesis.Case, secrets: tuple[str, ...]) -> None:
    keeps_to_it(case, secrets)


@SCHEMA.include(operation_id=["organization", "members"]).parametrize()
@tried(1)
def test_it_does_so_for_a_connected_program(
    case: schemathesis.Case, secrets: tuple[str, ...], admin: Membership
) -> None:
    keeps_to_it(case, (connected(admin, ProgramFactory()).secret or "", *secrets[1:]))


@pytest.mark.slow
@SCHEMA.parametrize()
@tried(40)
def test_the_api_keeps_to_its_document_whatever_is_sent(
    case: schemathesis.Case, secrets: tuple[str, ...]
) -> None:
    keeps_to_it(case, secrets)
