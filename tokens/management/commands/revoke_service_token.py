"""Ends a service token at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tokens.models import ServiceToken
from tokens.service_tokens import revoke_service_token


class Command(BaseCommand):
    help = "Revoke a service token. The product can no longer act by it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name that it was made with")

    def handle(self, *_args: Any, name: str, **_options: Any) -> None:
        try:
            revoke_service_token(name=name)
        except ServiceToken.DoesNotExist:
            raise CommandError(f"There is no service token of the name {name}.") from None
        self.stdout.write("It is revoked.")
