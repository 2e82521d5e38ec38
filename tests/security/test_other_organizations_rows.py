"""Statements of our own ask for one organization: what others have changes nothing on its pages."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from billing.models import InvoiceStatus
from billing.selectors import billing_page, invoice_list, invoices, next_charges
from invitations.selectors import billing_managers_panel, members, members_page, pending_invitations
from orgs import rows
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.selectors import member_count
from tests.billing.factories import BillingAccountFactory, InvoiceFactory, SubscriptionFactory
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from usage.selectors import dashboard, resource_hours
from usage.services import HourlyReading, record_counts

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
FILTER = re.compile(r"(?:\w+\.)?organization_id = %\(organization\)s")
TABLE_READ = re.compile(r"\bFROM\s+\w")


def modules_with_statements() -> Iterator[ModuleType]:
    """Every module of our apps that selects for pages or runs statements of our own."""
    runners: list[object] = [rows, rows.fetch_rows, rows.fetch_page, rows.fetch_total]
    for app in apps.get_app_configs():
        if not app.path.startswith(f"{settings.BASE_DIR}/{app.name}"):
            continue
        for found in pkgutil.walk_packages([app.path], f"{app.name}."):
            if ".migrations" in found.name:
                continue
            module = importlib.import_module(found.name)
            runs = any(value is runner for value in vars(module).values() for runner in runners)
            if module is not rows and (runs or ".selectors" in found.name):
                yield module


def constants(module: ModuleType) -> dict[str, str]:
    return {
        name: value for name, value in vars(module).items() if isinstance(value, str) and "SELECT" in value
    }


STATEMENTS = {
    f"{module.__name__}.{name}": sql
    for module in modules_with_statements()
    for name, sql in constants(module).items()
}
# One for each filter; a constant that is only a part of others is seen to within these.
LOST_FILTERS = [
    pytest.param(statement, lost, id=f"{statement}-{lost.start()}")
    for statement, sql in STATEMENTS.items()
    if not any(sql in other for other in STATEMENTS.values() if other != sql)
    for lost in FILTER.finditer(sql)
]


@pytest.fixture(autouse=True)
def _short_pages_in_the_middle_of_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    monkeypatch.setattr(members, "PEOPLE_PER_PAGE", 2)
    monkeypatch.setattr(invoices, "PAGE_SIZE", 2)


def fill(organization: Organization, inviter: Membership, *, later: timedelta = timedelta()) -> None:
    """Invoices, people and invitations of four days, each day's some time later than at noon."""
    for days in range(1, 5):
        at = NOW - timedelta(days=days) + later
        status = InvoiceStatus.OPEN if days % 2 else InvoiceStatus.PAID
        InvoiceFactory(organization=organization, status=status, attempt_count=days % 4, created_at=at)
        for role in (Role.MEMBER, Role.BILLING_MANAGER):
            MembershipFactory(organization=organization, role=role, joined_at=at)
            InvitationFactory(organization=organization, inviter=inviter, role=role, sent_at=at)


def count(organization: Organization, *, resources: int, hours_ago: list[int]) -> None:
    hour = NOW.replace(minute=0)
    readings = [
        HourlyReading(
            stack=f"{organization.slug} {stack}", hour=hour - timedelta(hours=ago), resources=resources
        )
        for stack in range(2)
        for ago in hours_ago
    ]
    record_counts(organization_id=organization.pk, counts=readings)


def busy_organization(edition: str, *, with_card: bool) -> tuple[Membership, Membership]:
    """Its first admin and first billing manager; both see and have sent invitations."""
    organization = OrganizationFactory(edition_code=edition, seats=50, managers_manage_managers=True)
    admin, manager = (
        MembershipFactory(organization=organization, role=role, joined_at=NOW - timedelta(days=9))
        for role in (Role.ADMIN, Role.BILLING_MANAGER)
    )
    fill(organization, admin)
    InvitationFactory(organization=organization, inviter=manager, sent_at=NOW - timedelta(days=2))
    if with_card:
        BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, period_end=NOW + timedelta(days=10))
    count(organization, resources=5, hours_ago=[2, 3, 40])
    return admin, manager


def add_busier_organization(person: Membership) -> None:
    """Another one, to which the person belongs too, with rows before and after each of the first one's."""
    organization = OrganizationFactory(edition_code="team-growth", managers_manage_managers=True)
    again = MembershipFactory(
        organization=organization, user=person.user, role=Role.BILLING_MANAGER, joined_at=NOW
    )
    for hours in (-1, 1):
        fill(organization, again, later=timedelta(hours=hours))
    BillingAccountFactory(organization=organization, card_last4="9999", synced_at=NOW)
    SubscriptionFactory(organization=organization, period_end=NOW + timedelta(days=5))
    count(organization, resources=900, hours_ago=[1, 2, 3, 40, 60])


def all_that_is_read(admin: Membership, manager: Membership) -> dict[str, object]:
    """What every page tells these people, page by page."""
    organization = admin.organization
    first = members_page(admin)
    second = members_page(admin, after=first.older)
    newest = invoice_list(organization, older_than=None, newer_than=None)
    older = invoice_list(organization, older_than=UUID(newest.rows[-1].id), newer_than=None)
    readers = {"admin": admin, "manager": manager}
    return {
        "dashboard": dashboard(admin),
        "members": first,
        "older members": second,
        "newer members": members_page(admin, before=second.newer),
        "member count": member_count(organization.pk),
        "invoices": newest,
        "older invoices": older,
        "newer invoices": invoice_list(organization, older_than=None, newer_than=UUID(older.rows[0].id)),
        "resource hours": resource_hours(organization.pk, NOW.date() - timedelta(days=9), NOW.date()),
        **{f"billing for {name}": billing_page(reader) for name, reader in readers.items()},
        **{f"next charges for {name}": next_charges([reader]) for name, reader in readers.items()},
        **{f"managers for {name}": billing_managers_panel(reader) for name, reader in readers.items()},
        **{
            f"{role.value}s invited by {name}": pending_invitations(reader, role)
            for name, reader in readers.items()
            for role in (Role.MEMBER, Role.BILLING_MANAGER)
        },
    }


@pytest.mark.django_db
@pytest.mark.parametrize("with_card", [True, False], ids=["card", "no-card"])
@pytest.mark.parametrize("edition", ["team-growth", "team-pro", "enterprise-growth"])
def test_what_another_organization_has_changes_no_page(edition: str, with_card: bool) -> None:
    admin, manager = busy_organization(edition, with_card=with_card)
    alone = all_that_is_read(admin, manager)
    add_busier_organization(manager)
    beside_another = all_that_is_read(admin, manager)
    assert [page for page in alone if alone[page] != beside_another[page]] == []


@pytest.mark.django_db
@pytest.mark.parametrize(("statement", "lost"), LOST_FILTERS)
def test_no_statement_can_lose_its_organization_unnoticed(
    statement: str, lost: re.Match[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = lost.string[: lost.start()] + "true" + lost.string[lost.end() :]
    monkeypatch.setattr(statement, without)
    admin, manager = busy_organization("team-growth", with_card=False)
    alone = all_that_is_read(admin, manager)
    add_busier_organization(manager)
    assert all_that_is_read(admin, manager) != alone


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_table_of_a_statement_is_read_for_one_organization(statement: str) -> None:
    sql = STATEMENTS[statement]
    assert len(FILTER.findall(sql)) == len(TABLE_READ.findall(sql)) > 0


def test_statements_are_constants_so_that_they_are_found() -> None:
    assert len(STATEMENTS) >= 10
    hidden = [
        f"{module.__name__}.{function.name}"
        for module in modules_with_statements()
        for function in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "SELECT " in node.value
    ]
    assert hidden == []
