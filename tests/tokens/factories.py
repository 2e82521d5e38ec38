"""Access tokens for tests: of the organization, live, and unable to do anything, unless told otherwise."""

from datetime import timedelta

import factory
from django.utils import timezone

from tests.factories import OrganizationFactory
from tokens.models import AccessToken
from tokens.secret import OF_ORGANIZATION, SHOWN, digest_of, new_secret


class AccessTokenFactory(factory.django.DjangoModelFactory[AccessToken]):
    """``secret``: what a program shows."""

    class Meta:
        model = AccessToken

    class Params:
        secret = factory.LazyFunction(lambda: new_secret(OF_ORGANIZATION))

    organization = factory.SubFactory(OrganizationFactory)
    name = "CI"
    digest = factory.LazyAttribute(lambda row: digest_of(row.secret))
    start = factory.LazyAttribute(lambda row: row.secret[:SHOWN])
    maker_name = "Ada"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
