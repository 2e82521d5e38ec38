"""The policy equals seed 001's table, and nothing asks it for a name that it doesn't have."""

from datetime import date

import pytest
from django.conf import settings
from django.template import Context, Template

from orgs.management.commands.roles_table import roles_table
from orgs.models import Membership, Organization
from orgs.policy import (
    FOR_ORGANIZATIONS_ONLY,
    FOR_STAFF_ONLY,
    GRANTS,
    HOST_GRANTS,
    INVITE_PERMISSIONS,
    OF_PEOPLE,
    PARTS,
    REMOVE_PERMISSIONS,
    WITHOUT_PAGE,
    Denied,
    May,
    Permission,
    Role,
    StaffRole,
    UnknownPermissionError,
    ensure,
    granting_roles,
    may,
    may_invite,
    permissions_by_program,
    permissions_by_token,
    permissions_of,
    permissions_of_organization,
    permissions_of_staff,
    somebody_of,
)

ALL, NONE = "all", ""

# Seed 001's table with the decisions of the design beside it: what a member and a billing manager may do.
# One who only views has the same rows, but for what they change.
CHANGES = {"card_update", "subscription_update", "details_update", "invoices_pay"}
SEED_TABLE: dict[str, tuple[str, str]] = {
    "organization": ("view leave", "view leave"),
    "access": ("request", "request"),
    "webhooks": (NONE, NONE),
    "roles": ("view", NONE),
    "members": ("count list api_list", "count api_list"),
    "teams": ("list api_list", "api_list"),
    "access_tokens": ("own", NONE),
    "policy_groups": ("read", NONE),
    "policy_packs": ("read", NONE),
    "stacks": ("read", NONE),
    "audit": (NONE, NONE),
    "billing": (NONE, "view card_update subscription_update details_update invoices_pay"),
    "billing_managers": (NONE, "list_names"),
    "rum": ("summary per_stack", "summary"),
}


# A name has one dot. So no test tells ``partition`` from ``rpartition`` in Permission.resource and reads.
def granted(role: Role, resource: str) -> set[str]:
    return {p.value.partition(".")[2] for p in GRANTS[role] if p.resource == resource}


def test_the_table_has_a_row_for_every_resource() -> None:
    parts = [resource for _label, resources in PARTS for resource in resources]
    assert set(SEED_TABLE) == {p.resource for p in OF_PEOPLE} == set(parts)
    assert len(parts) == len(set(parts))


@pytest.mark.parametrize("resource", SEED_TABLE)
def test_roles_may_do_what_the_seed_says(resource: str) -> None:
    member, billing_manager = SEED_TABLE[resource]
    assert granted(Role.MEMBER, resource) == set(member.split())
    assert granted(Role.BILLING_MANAGER, resource) == set(billing_manager.split())
    assert granted(Role.BILLING_VIEWER, resource) == set(billing_manager.split()) - CHANGES
    assert granted(Role.ADMIN, resource) == {
        p.value.partition(".")[2] for p in OF_PEOPLE if p.resource == resource
    }


def membership(role: Role, *, delegated: bool = False) -> Membership:
    return Membership(role=role, organization=Organization(managers_manage_managers=delegated))


READ_WHILE_CLOSING = {
    "view",
    "count",
    "list",
    "api_list",
    "read",
    "list_names",
    "list_mails",
    "summary",
    "per_stack",
}
DONE_WHILE_CLOSING = {
    "organization.close",
    "organization.leave",
    "audit.export",
    "billing.card_update",
    "billing.invoices_pay",
    "members.remove",
    "billing_managers.remove",
    "access_tokens.own",
    "access_tokens.manage",
    "webhooks.manage",
}


@pytest.mark.parametrize("role", Role)
def test_a_closing_organization_can_be_read_paid_for_and_kept(role: Role) -> None:
    held = membership(role, delegated=True)
    before = held.permissions
    held.organization.closes_after = date(2027, 3, 31)
    assert held.permissions == {
        p for p in before if p.value.partition(".")[2] in READ_WHILE_CLOSING or p.value in DONE_WHILE_CLOSING
    }
    assert held.permissions < before


def test_what_only_lets_see_is_told_by_its_name() -> None:
    assert {p for p in Permission if p.reads} == {
        p for p in Permission if p.value.partition(".")[2] in READ_WHILE_CLOSING
    }


DELEGATED = ["billing_managers.invite", "billing_managers.link", "billing_managers.remove"]


@pytest.mark.parametrize("permission", DELEGATED)
def test_a_billing_manager_manages_billing_managers_only_where_the_organization_says_so(
    permission: str,
) -> None:
    assert not may(membership(Role.BILLING_MANAGER), permission)
    assert may(membership(Role.BILLING_MANAGER, delegated=True), permission)
    assert not may(membership(Role.MEMBER, delegated=True), permission)
    assert not may(membership(Role.BILLING_VIEWER, delegated=True), permission)


def test_the_setting_gives_a_billing_manager_nothing_else() -> None:
    gained = {
        p.value
        for p in Permission
        if may(membership(Role.BILLING_MANAGER, delegated=True), p)
        and not may(membership(Role.BILLING_MANAGER), p)
    }
    assert gained == set(DELEGATED)


@pytest.mark.parametrize(
    ("actor", "target", "plain", "delegated"),
    [
        (Role.ADMIN, Role.ADMIN, True, True),
        (Role.ADMIN, Role.MEMBER, True, True),
        (Role.ADMIN, Role.BILLING_MANAGER, True, True),
        (Role.BILLING_MANAGER, Role.BILLING_MANAGER, False, True),
        (Role.BILLING_MANAGER, Role.BILLING_VIEWER, False, True),
        (Role.BILLING_VIEWER, Role.BILLING_MANAGER, False, False),
        (Role.BILLING_VIEWER, Role.BILLING_VIEWER, False, False),
        (Role.BILLING_MANAGER, Role.MEMBER, False, False),
        (Role.BILLING_MANAGER, Role.ADMIN, False, False),
        (Role.MEMBER, Role.ADMIN, False, False),
        (Role.MEMBER, Role.MEMBER, False, False),
        (Role.MEMBER, Role.BILLING_MANAGER, False, False),
    ],
)
def test_who_invites_and_removes_whom(actor: Role, target: Role, plain: bool, delegated: bool) -> None:
    for permission in (INVITE_PERMISSIONS[target], REMOVE_PERMISSIONS[target]):
        assert may(membership(actor), permission) is plain
        assert may(membership(actor, delegated=True), permission) is delegated
    assert may_invite(membership(actor), target) is plain


def test_for_every_role_there_is_a_rule_who_invites_to_it_and_who_removes() -> None:
    assert set(INVITE_PERMISSIONS) == set(REMOVE_PERMISSIONS) == set(Role)


def test_nobody_may_do_anything_without_a_membership() -> None:
    assert not any(may(None, p) for p in Permission)


def test_ensure_names_the_missing_permission() -> None:
    with pytest.raises(Denied) as denied:
        ensure(membership(Role.MEMBER), Permission.BILLING_VIEW)
    assert denied.value.permission is Permission.BILLING_VIEW
    assert str(denied.value) == "billing.view"
    ensure(membership(Role.BILLING_MANAGER), Permission.BILLING_VIEW)


def test_an_unknown_permission_raises() -> None:
    with pytest.raises(UnknownPermissionError, match=r"billing\.fly"):
        may(membership(Role.ADMIN), "billing.fly")


def test_an_unknown_permission_raises_in_a_template_too() -> None:
    context = Context({"may": May(membership(Role.ADMIN))})
    assert Template("{% if may.billing_view %}yes{% endif %}").render(context) == "yes"
    with pytest.raises(UnknownPermissionError, match="billing_fly"):
        Template("{% if may.billing_fly %}yes{% endif %}").render(context)


def test_a_token_reaches_as_far_as_both_its_person_and_its_scopes() -> None:
    scopes = frozenset({Permission.MEMBERS_LIST, Permission.BILLING_VIEW})
    assert permissions_by_token(GRANTS[Role.MEMBER], scopes) == {Permission.MEMBERS_LIST}
    assert permissions_by_token(GRANTS[Role.ADMIN], scopes) == scopes
    # Who may have no tokens does nothing by those of an earlier role.
    assert permissions_by_token(GRANTS[Role.BILLING_MANAGER], scopes) == frozenset()


def test_a_program_reads_billing_where_its_person_sees_it() -> None:
    reads = {Permission.ORGANIZATION_VIEW, Permission.BILLING_VIEW}
    for role in (Role.ADMIN, Role.BILLING_MANAGER, Role.BILLING_VIEWER):
        assert permissions_by_program(GRANTS[role]) == reads
    assert permissions_by_program(GRANTS[Role.MEMBER]) == frozenset()


def test_the_product_beside_the_portal_makes_organizations_and_invites_to_them() -> None:
    alone = {"organizations.list", "organizations.create", "organizations.rename", "organizations.link"}
    people = {"members.invite", "billing_managers.invite", "members.change_role"}
    assert {p.value for p in HOST_GRANTS} == alone | people
    assert {p.value for p in set(Permission) - OF_PEOPLE - FOR_ORGANIZATIONS_ONLY - FOR_STAFF_ONLY} == alone


def granted_to_staff(*roles: StaffRole, closing: bool = False) -> set[str]:
    return {permission.value for permission in permissions_of_staff(roles, closing=closing)}


LOOK = {"records.view", "people.view_as", "mails.send_again", "queues.settle"}
HELP_PEOPLE = {"sessions.end", "admins.propose", "admins.confirm"}
PEOPLE = {
    "members.list",
    "members.invite",
    "members.change_role",
    "members.remove",
    "billing_managers.list_names",
    "billing_managers.list_mails",
    "billing_managers.invite",
    "billing_managers.remove",
}
HELP_WITH_MONEY = {
    "stripe_events.replay",
    "operations.settle",
    "billing.reconcile",
    "grace.extend",
    "credits.give",
    "customers.merge",
}


def test_of_support_staff_some_help_with_people_and_some_with_money() -> None:
    assert granted_to_staff() == set()
    assert granted_to_staff(StaffRole.SUPPORT) == LOOK | HELP_PEOPLE | PEOPLE
    assert granted_to_staff(StaffRole.BILLING_SUPPORT) == LOOK | HELP_WITH_MONEY
    assert granted_to_staff(*StaffRole) == LOOK | HELP_PEOPLE | PEOPLE | HELP_WITH_MONEY


def test_where_an_organization_closes_staff_let_nobody_in() -> None:
    gone = {"members.invite", "members.change_role", "billing_managers.invite"}
    assert granted_to_staff(*StaffRole, closing=True) == granted_to_staff(*StaffRole) - gone


def test_what_staff_alone_do_nobody_else_may() -> None:
    assert not [role for role in Role if GRANTS[role] & FOR_STAFF_ONLY]
    assert not (HOST_GRANTS | permissions_of_organization(closing=False)) & FOR_STAFF_ONLY


def test_what_is_charged_is_reported_by_the_organization_and_no_person() -> None:
    assert {Permission.USAGE_RECORD} == FOR_ORGANIZATIONS_ONLY
    assert not [role for role in Role if Permission.USAGE_RECORD in GRANTS[role]]
    for closing in (False, True):
        granted = permissions_of_organization(closing=closing)
        assert granted - {Permission.USAGE_RECORD} == permissions_of(
            Role.ADMIN, delegated=False, closing=closing
        )
        assert Permission.USAGE_RECORD in granted


def test_the_roles_page_leaves_out_what_programs_ask_for() -> None:
    assert {
        p
        for p in Permission
        if p.value.endswith(".api_list") or p.resource in {"stacks", "policy_groups", "policy_packs"}
    } - {Permission.STACKS_LABEL} == WITHOUT_PAGE


def test_roles_are_named_in_sentences_and_people_by_their_role() -> None:
    assert {role: (str(role.in_sentence), somebody_of(role.value)) for role in Role} == {
        Role.ADMIN: ("admin", "An admin"),
        Role.MEMBER: ("member", "A member"),
        Role.BILLING_MANAGER: ("billing manager", "A billing manager"),
        Role.BILLING_VIEWER: ("view-only billing manager", "A billing manager"),
    }
    assert somebody_of(None) == "Somebody who has left"


def test_billing_managers_are_those_who_pay_or_only_look_on() -> None:
    assert [role for role in Role if role.is_billing_manager] == [Role.BILLING_MANAGER, Role.BILLING_VIEWER]
    assert granting_roles(Permission.BILLING_VIEW) == [Role.ADMIN, Role.BILLING_MANAGER, Role.BILLING_VIEWER]
    assert granting_roles(Permission.MEMBERS_LIST) == [Role.ADMIN, Role.MEMBER]


def test_the_table_in_the_docs_is_the_policy() -> None:
    assert (settings.BASE_DIR / "docs" / "roles.md").read_text() == roles_table()
