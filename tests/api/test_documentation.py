"""The OpenAPI document, the page that is drawn from it, and whether the API keeps to it."""

import re

import pytest
import schemathesis
from django.test import Client

from billing_portal.api import portal_api
from billing_portal.api_docs import PATH
from orgs.models import Membership
from orgs.policy import Permission
from tests.api.document import SCHEMA, keeps_to_it, tried
from tests.api.program import told
from tests.programs.factories import ProgramFactory
from tests.programs.tool import connected

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


# One of each kind; all of them are slow.
SOME = [
    "organizations",
    "members",
    "invite",
    "invoices",
    "authorize_batch",
    "provisioning_people",
]


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
