"""Makes somebody support staff. No page does it, so nobody in support can raise themselves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from audit.services import Actor
from orgs.policy import StaffRole
from support.services import set_staff_roles


class Command(BaseCommand):
    help = "Give a person these roles in support and no other; without --role they are support staff no more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the person's mail address")
        parser.add_argument(
            "--role",
            action="append",
            choices=sorted(StaffRole),
            dest="roles",
            help="given once for each role",
        )

    def handle(self, *_args: Any, email: str, roles: list[str] | None, **_options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody has an account with the address {email}.")
        chosen = [StaffRole(role) for role in roles or []]
        set_staff_roles(user_id=user.pk, roles=chosen, actor=Actor.system())
        labels = ", ".join(str(role.label) for role in chosen)
        self.stdout.write(f"{user.email}: {labels or 'no support staff any more'}")
