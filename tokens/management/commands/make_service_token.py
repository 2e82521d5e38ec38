"""Makes a token by which the product beside the portal provisions organizations: see docs/api.md."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orgs.errors import Refused
from orgs.policy import HOST_GRANTS, Permission
from tokens.service_tokens import make_service_token


class Command(BaseCommand):
    help = "Make a service token for the provisioning API. Its secret is printed once, and stored nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what it is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=sorted(HOST_GRANTS),
            dest="scopes",
            help="what it may do, given once for each; without, all of these",
        )
        parser.add_argument("--days", type=int, default=365, help="after how many days it ends; 366 at most")

    def handle(self, *_args: Any, name: str, scopes: list[str] | None, days: int, **_options: Any) -> None:
        chosen = [Permission(scope) for scope in scopes or HOST_GRANTS]
        try:
            token, secret = make_service_token(name=name, scopes=chosen, life=timedelta(days=days))
        except Refused as refused:
            raise CommandError(str(refused.message)) from None
        self.stderr.write(f"Ends on {token.expires_at:%Y-%m-%d} (UTC). The secret is shown this once:")
        self.stdout.write(secret)
