"""Programs for tests, one on the web that keeps a secret unless told otherwise, and what people allowed."""

import factory
from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django.utils.crypto import get_random_string

from orgs.policy import Role
from programs.credentials import SCOPE
from programs.models import DEVICE_LIFE, Connection, DeviceRequest
from tests.factories import MembershipFactory

SECRET = "kept-by-the-tool"
BACK = "https://tool.example/back"


class ProgramFactory(factory.django.DjangoModelFactory[Client]):
    class Meta:
        model = Client

    name = "Ledger Tool"
    type = Client.Type.CONFIDENTIAL
    secret = factory.LazyFunction(lambda: make_password(SECRET))
    scopes = default_scopes = SCOPE
    redirect_uris = BACK
    grant_types = "authorization_code\nrefresh_token"


class CommandLineFactory(ProgramFactory):
    name = "Ledger CLI"
    type = Client.Type.PUBLIC
    redirect_uris = ""
    grant_types = f"{Client.GrantType.DEVICE_CODE.value}\nrefresh_token"


class ConnectionFactory(factory.django.DjangoModelFactory[Connection]):
    class Meta:
        model = Connection

    client = factory.SubFactory(ProgramFactory)
    membership = factory.SubFactory(MembershipFactory, role=Role.BILLING_MANAGER)


class DeviceRequestFactory(factory.django.DjangoModelFactory[DeviceRequest]):
    """Of a device that waits for an answer."""

    class Meta:
        model = DeviceRequest

    client = factory.SubFactory(CommandLineFactory)
    digest = user_code_digest = factory.LazyFunction(lambda: get_random_string(64))
    expires_at = factory.LazyFunction(lambda: timezone.now() + DEVICE_LIFE)
