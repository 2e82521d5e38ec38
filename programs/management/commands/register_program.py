"""Register a program that people can let read billing, and print what its makers need."""

from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.crypto import get_random_string

from accounts.validators import validate_display_name
from programs.credentials import SCOPE

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SECRET_LENGTH = 40
CODE, DEVICE, REFRESH = (
    Client.GrantType.AUTHORIZATION_CODE,
    Client.GrantType.DEVICE_CODE,
    Client.GrantType.REFRESH_TOKEN,
)


class Command(BaseCommand):
    help = (
        "Register a program, such as a finance tool, that people can let read billing (OAuth 2.0). "
        "The secret of one that keeps secrets is printed once; only its hash is stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="as people read it when they are asked")
        parser.add_argument(
            "--redirect-uri",
            action="append",
            default=[],
            help="where people come back to, letter by letter: https, or http on their own computer",
        )
        parser.add_argument(
            "--device", action="store_true", help="it may sign in by a code, as a command line"
        )
        parser.add_argument(
            "--public", action="store_true", help="it can keep no secret: it runs on people's computers"
        )

    def handle(
        self, *_args: Any, name: str, redirect_uri: list[str], device: bool, public: bool, **_options: Any
    ) -> None:
        _check(name, redirect_uri, device=device, public=public)
        secret = get_random_string(SECRET_LENGTH)
        client = Client(
            name=name,
            type=Client.Type.PUBLIC if public else Client.Type.CONFIDENTIAL,
            scopes=SCOPE,
            default_scopes=SCOPE,
        )
        client.set_grant_types([REFRESH, *([CODE] if redirect_uri else []), *([DEVICE] if device else [])])
        client.set_redirect_uris(redirect_uri)
        client.set_secret(secret)
        client.save()
        self.stdout.write(f"client_id: {client.pk}")
        if not public:
            self.stdout.write(f"client_secret: {secret}")


def _check(name: str, addresses: list[str], *, device: bool, public: bool) -> None:
    try:
        validate_display_name(name)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    if not (addresses or device):
        raise CommandError("Give a --redirect-uri, or --device, or both.")
    if device and not public:
        raise CommandError("A program that signs in by a code keeps no secret: give --public too.")
    for address in addresses:
        parts = urlsplit(address)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if (
            not (safe and parts.hostname)
            or parts.fragment
            or parts.username
            or any(map(str.isspace, address))
        ):
            raise CommandError(f"{address} is no address to come back to: https, without a fragment.")
