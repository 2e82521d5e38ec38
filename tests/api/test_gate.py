"""Who asks: tokens in each state, sessions with the CSRF token, and limits."""

from datetime import timedelta

import pytest
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.utils import timezone

from bench.statements import sent_statements
from orgs import services as orgs
from orgs.models import Membership
from orgs.policy import Permission, Role
from tests.api.program import Program, is_problem, program_of, program_of_organization, told
from tests.factories import MembershipFactory
from tests.world import signed_in
from tokens import limits
from tokens.limits import A_MINUTE, AT_ONCE, Allowances
from tokens.models import AccessToken
from tokens.services import revoke_token

pytestmark = pytest.mark.django_db
P = Permission


@pytest.fixture(autouse=True)
def _no_allowances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_allowances", Allowances())


@pytest.mark.parametrize("ending", ["revoked", "expired", "removed", "role", "shut"])
def test_an_ended_token_opens_nothing_at_once(admin: Membership, member: Membership, ending: str) -> None:
    program = program_of(member, P.MEMBERS_LIST, P.ORGANIZATION_VIEW)
    told(program.get(""))
    match ending:
        case "revoked":
            revoke_token(actor=admin, token_id=AccessToken.objects.get().pk)
        case "expired":
            AccessToken.objects.update(expires_at=timezone.now())
        case "removed":
            orgs.remove_member(actor=admin, membership_id=member.pk)
        case "role":
            Membership.objects.filter(pk=member.pk).update(role=Role.BILLING_MANAGER)
        case "shut":
            type(member.user).objects.filter(pk=member.user_id).update(is_active=False)
    answer = program.get("")
    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_shrinks_with_its_persons_role(admin: Membership) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    program = program_of(admin, P.AUDIT_READ, P.MEMBERS_LIST)
    told(program.get("audit-events"))
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    is_problem(program.get("audit-events"), 403)


def test_a_token_of_the_organization_outlives_its_maker(admin: Membership) -> None:
    program = program_of_organization(admin.organization, P.ORGANIZATION_VIEW)
    admin.user.delete()
    assert told(program.get(""))["role"] is None


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer bpp_x", "Bearer{}", "Bearer {} x"]
)
def test_a_wrong_header_is_no_session(admin: Membership, header: str) -> None:
    program = program_of(admin)
    shown = header.format(program.secret)
    program.secret = None
    program.client.cookies = signed_in(admin.user).cookies
    is_problem(program.get("", authorization=shown), 401)


def test_the_scheme_is_spelled_as_one_likes(admin: Membership) -> None:
    """RFC 9110, 11.1: it is case-insensitive."""
    program = program_of(admin)
    told(program.get("", authorization=f"bearer {program.secret}"))


def test_a_session_needs_the_csrf_token_to_write(admin: Membership, billing_manager: Membership) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in(admin.user).cookies
    url = f"/api/v1/orgs/{admin.organization.slug}/billing-managers/{billing_manager.pk}"
    is_problem(client.delete(url), 403)
    request = RequestFactory().get("/")
    token = get_token(request)
    client.cookies["csrftoken"] = request.META["CSRF_COOKIE"]
    assert client.delete(url, headers={"X-CSRFToken": token}).status_code == 204
    assert client.get(f"/api/v1/orgs/{admin.organization.slug}").status_code == 200


def test_a_token_needs_none(admin: Membership, billing_manager: Membership) -> None:
    program = program_of(admin)
    program.client = Client(enforce_csrf_checks=True)
    told(program.ask("DELETE", f"billing-managers/{billing_manager.pk}"), 204)


def test_a_token_has_so_many_requests_a_minute(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "A_MINUTE", 2 * AT_ONCE)
    at = timezone.now().replace(second=20)
    monkeypatch.setattr(limits.timezone, "now", lambda: at)
    program = program_of(admin, P.ORGANIZATION_VIEW)
    answers = [program.get("").status_code for _request in range(2 * AT_ONCE + 2)]
    assert answers == [*[200] * 2 * AT_ONCE, 429, 429]
    refused = program.get("")
    assert refused.headers["Retry-After"] == "40"
    is_problem(refused, 429)
    # Another process has no more: the count is everybody's.
    monkeypatch.setattr(limits, "_allowances", Allowances())
    is_problem(program.get(""), 429)
    told(program_of(admin, P.ORGANIZATION_VIEW).get(""))
    monkeypatch.setattr(limits.timezone, "now", lambda: at + timedelta(minutes=1))
    told(program.get(""))
    assert A_MINUTE % AT_ONCE == 0


def test_use_is_noted_once_a_minute(admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    at = timezone.now().replace(second=20, microsecond=5)
    monkeypatch.setattr(limits.timezone, "now", lambda: at)
    program = program_of(admin, P.ORGANIZATION_VIEW)
    with sent_statements() as first:
        program.get("")
    with sent_statements() as second:
        program.get("")
    assert (len(first), len(second)) == (2, 1)
    assert AccessToken.objects.get().last_used_at == at.replace(second=0, microsecond=0)


def test_an_unknown_secret_costs_no_statement(admin: Membership) -> None:
    with sent_statements() as statements:
        Program(admin.organization.slug, "bpp_" + "x" * 36).get("")
    assert not statements
