"""Endpoints and deliveries as the services leave them."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from hooks.announcements import written
from hooks.models import Delivery, Endpoint
from hooks.secret import new_secret, sealed
from tests.factories import OrganizationFactory


class EndpointFactory(DjangoModelFactory[Endpoint]):
    class Meta:
        model = Endpoint

    organization: Any = factory.SubFactory(OrganizationFactory)
    url = "https://hooks.ledger.test/in"
    events: Any = factory.LazyFunction(lambda: ["membership.removed"])
    secret: Any = factory.LazyFunction(lambda: sealed(new_secret()))


class DeliveryFactory(DjangoModelFactory[Delivery]):
    class Meta:
        model = Delivery

    endpoint: Any = factory.SubFactory(EndpointFactory)
    event = "membership.removed"
    body = written("membership.removed", "2026-11-26T10:02:00+00:00", {"target_id": "1"})
