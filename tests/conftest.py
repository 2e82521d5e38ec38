"""What every test has: quick password hashes, quick clients, and people of each role in one organization."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.db import transaction
from django.test import Client, TransactionTestCase
from pytest_django import DjangoDbBlocker

from billing.gateway import patience
from billing_portal.templatetags.elements import FixedPart
from orgs import compiled
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.database import empty_tables
from tests.factories import MembershipFactory, OrganizationFactory
from tests.redis_server import RedisServer
from tests.sampling import shorten
from tests.world import World, build_world, signed_in
from work import doorbell

SignIn = Callable[[Membership], Client]


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files are looked for when asked for: to list them all for every client took most of a request.
    settings.WHITENOISE_AUTOREFRESH = True
    # A logger that keeps its processors writes past capture_logs.
    structlog.configure(cache_logger_on_first_use=False)
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """To read a file of slow tests alone takes long: where none of them is wanted it isn't."""
    unwanted = config.option.markexpr.startswith("not slow") and collection_path.stem.endswith("_slow")
    return True if unwanted else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shorten(items)


def pytest_collection_finish() -> None:
    # Modules and tests stay to the end: the garbage collector need not go through them again and again.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _ring_afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An earlier test may have rung in vain. The bell of this one ends with it."""
    monkeypatch.setattr(doorbell, "_doorbell", doorbell.Doorbell())
    yield
    doorbell._doorbell.finish()


@pytest.fixture(autouse=True)
def _stripe_hangs_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an earlier test people may have waited for Stripe in vain."""
    monkeypatch.setattr(patience, "_breaker", patience.Breaker())


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of this test's own, at which the doorbell rings."""
    server = RedisServer(tmp_path)
    server.start()
    monkeypatch.setenv("CELERY_BROKER_URL", server.url)
    yield server
    server.stop()


@pytest.fixture
def compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that changes the length of a page: it stands in statements that are compiled once."""
    for query in compiled.declared:
        monkeypatch.setattr(query, "statements", {})


@pytest.fixture
def written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that changes a setting: what hangs on settings alone is written once on all pages."""
    monkeypatch.setattr(FixedPart, "written", {})


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory()


@pytest.fixture
def admin(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.ADMIN)


@pytest.fixture
def member(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.MEMBER)


@pytest.fixture
def billing_manager(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)


@pytest.fixture(scope="module")
def built_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Built once, in a transaction around all tests of a file: each undoes what it did itself.

    A file with this has no tests that commit.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(built_world: World, db: None) -> World:
    """With browsers of each test's own: an answer may have signed out the one that asked."""
    return built_world.with_fresh_clients()


@pytest.fixture
def sign_in() -> SignIn:
    """Opens a client in which a membership's person has just signed in with a password."""
    return lambda membership: signed_in(membership.user)
