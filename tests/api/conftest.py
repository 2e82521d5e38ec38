"""By what the tests of the OpenAPI document send their requests."""

from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from orgs.models import Membership, Organization
from tests.api.program import program_of, program_of_host, program_of_organization
from tokens import limits


@pytest.fixture
def one_connection() -> Iterator[None]:
    """The end of a request closes no connection, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def secrets(admin: Membership, monkeypatch: pytest.MonkeyPatch, one_connection: None) -> tuple[str, ...]:
    """An admin's, the product's, and the organization's by which usage is reported."""
    monkeypatch.setattr(limits, "A_MINUTE", 10**6)
    Organization.objects.filter(pk=admin.organization_id).update(slug="own", external_id="own")
    programs = program_of(admin), program_of_host(), program_of_organization(admin.organization)
    return tuple(program.secret or "" for program in programs)
