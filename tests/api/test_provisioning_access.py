"""The product alone passes below /provisioning/, and its service token leads nowhere else."""

import pytest

from api.endpoints import Endpoints
from api.gate import HostNeeds, Needs
from api.schema import PortalAPI, needs_of, undeclared
from billing_portal.api import portal_api
from orgs.policy import FOR_HOST_ONLY, GRANTS, HOST_GRANTS, Permission, Role, may
from tests.api.program import Program, codes, is_problem, program_of, program_of_host, program_of_organization
from tests.api.test_access import TABLE, browser
from tests.api.test_provisioning import ACME, LEE, ROOT, provisioned
from tests.factories import MembershipFactory, OrganizationFactory
from tests.sampling import sampled
from tests.world import World
from tokens.models import ServiceToken

pytestmark = pytest.mark.django_db
P = Permission
ENDPOINTS = {
    ("GET", ROOT): P.ORGANIZATIONS_LIST,
    ("POST", ROOT): P.ORGANIZATIONS_CREATE,
    ("GET", f"{ROOT}/cus:42"): P.ORGANIZATIONS_LIST,
    ("POST", f"{ROOT}/cus:42/rename"): P.ORGANIZATIONS_RENAME,
    ("POST", f"{ROOT}/cus:42/people"): P.MEMBERS_INVITE,
    ("POST", f"{ROOT}/cus:42/people/resend"): P.MEMBERS_INVITE,
    ("POST", f"{ROOT}/cus:42/people/role"): P.MEMBERS_CHANGE_ROLE,
    ("PUT", f"{ROOT}/cus:42"): P.ORGANIZATIONS_LINK,
}
BODIES = {
    ("POST", ROOT): {**ACME, "external_id": "cus:43"},
    ("POST", f"{ROOT}/cus:42/rename"): {"name": "Acme"},
    ("POST", f"{ROOT}/cus:42/people"): {"people": [LEE]},
    ("POST", f"{ROOT}/cus:42/people/resend"): ACME["admin"],
    ("POST", f"{ROOT}/cus:42/people/role"): {"email": "mo@acme.test", "role": "billing_manager"},
}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_the_product_alone_passes_and_with_the_scope_alone(method: str, path: str, world: World) -> None:
    needed, body = ENDPOINTS[method, path], BODIES.get((method, path))
    organization = provisioned(program_of_host())
    if method == "PUT":
        body = {"id": str(organization.pk)}
    MembershipFactory(organization=organization, role=Role.MEMBER, user__email="mo@acme.test")
    admin = world.memberships[Role.ADMIN]
    is_problem(Program("", None).ask(method, path, body), 401)
    for secret in ("bps_wrong", "bps_" + "x" * 36, "bpo_" + "x" * 36):
        is_problem(Program("", secret).ask(method, path, body), 401)
    for other in (
        program_of(admin),
        program_of_organization(world.organization, *Permission),
        browser(admin, ""),
    ):
        assert is_problem(other.ask(method, path, body), 403)["permission"] == needed.value
    is_problem(program_of_host(days=-1).ask(method, path, body), 401)
    without = program_of_host(*(HOST_GRANTS - {needed}))
    assert is_problem(without.ask(method, path, body), 403)["permission"] == needed.value
    assert program_of_host().ask(method, path, body).status_code in {200, 201}


def test_a_row_for_every_endpoint() -> None:
    declared = {
        (one.methods[0], one.path.replace("{external_id}", "cus:42")): one
        for one in portal_api.operations()
        if one.path.startswith("/provisioning/")
    }
    assert {key: needs_of(one).permission for key, one in declared.items()} == ENDPOINTS  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sampled(list(TABLE), every=4))
def test_no_organization_lets_a_service_token_in(name: str, world: World) -> None:
    program = program_of_host()
    method, path = name.split(" ")
    for slug in (world.organization.slug, "no-such-organization"):
        program.slug = slug
        answer = program.ask(method, path.format(**world.own_ids), TABLE[name].data)
        assert "provisioning alone" in is_problem(answer, 403)["detail"]
    is_problem(program.get("/orgs"), 403)


def test_the_policy_gives_the_product_nothing_of_money_and_people_nothing_of_its_own() -> None:
    assert not [permission for permission in HOST_GRANTS if permission.resource == "billing"]
    assert not [role for role in Role if GRANTS[role] & FOR_HOST_ONLY]
    token = ServiceToken(scopes=codes(Permission))
    assert {permission for permission in Permission if may(token, permission)} == HOST_GRANTS
    assert token.within(OrganizationFactory.build()).permissions == HOST_GRANTS


def test_a_declaration_for_somebody_else_fails_a_check() -> None:
    endpoints = Endpoints("Wrong", outside=True)
    endpoints.get("/provisioning/open", Needs(None), None)(lambda request: None)
    endpoints.get("/open", HostNeeds(P.ORGANIZATIONS_LIST), None)(lambda request: None)
    endpoints.post("/provisioning/write", HostNeeds(P.ORGANIZATIONS_LIST), None)(lambda request: None)
    errors = [error.id for error in undeclared(PortalAPI("Wrong", [endpoints]))]
    assert errors == ["api.E003", "api.E003", "api.E002"]
