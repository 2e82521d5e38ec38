"""Remove a program, with all that people let it do."""

from typing import Any

from allauth.idp.oidc.models import Client
from django.core.management.base import BaseCommand, CommandError, CommandParser

from programs.services import remove_program


class Command(BaseCommand):
    help = "Remove a program by its client_id: it is refused from now on, and nobody can connect it any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id")

    def handle(self, *_args: Any, client_id: str, **_options: Any) -> None:
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise CommandError(f"No program has the client_id {client_id}.")
        remove_program(client)
        self.stdout.write(f"{client.name} is removed.")
