from collections.abc import Iterator

import pytest
from pytest_django import Settings

from hooks.models import Endpoint
from orgs.models import Organization
from tests.hooks.factories import EndpointFactory
from tests.hooks.receiver import Receiver


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A server of the customer's, which stands on this machine."""
    settings.WEBHOOKS_MAY_STAY_INSIDE = True
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def endpoint(organization: Organization, receiver: Receiver) -> Endpoint:
    return EndpointFactory(organization=organization, url=receiver.url)
