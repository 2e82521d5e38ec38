"""What every test has: quick password hashes, and people of each role in one organization."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.factories import MembershipFactory, OrganizationFactory
from tests.world import signed_in

SignIn = Callable[[Membership], Client]


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


@pytest.fixture
def sign_in() -> SignIn:
    """Opens a client in which a membership's person has just signed in with a password."""
    return lambda membership: signed_in(membership.user)
