"""Invite people of many organizations from a file, by the same verb as the members page."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from invitations.services import Brought, bring_in
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Role

SAID = {
    Brought.INVITED: "invited as %(role)s",
    Brought.WAITING: "invited already",
    Brought.BELONGS: "belongs to it already",
}
COLUMNS = {"email", "role", "organization"}


class Wrong(Exception):
    """A line of the file that can't be carried out, and why."""


class Command(BaseCommand):
    help = (
        "Invite people from a CSV file with the columns email, role (admin, member, billing_manager) and "
        "organization (its slug). It can be run again: who is there or invited already is left alone. "
        "The limits of the members page hold, 50 mails a day among them: run it again the next day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--inviter",
            required=True,
            metavar="EMAIL",
            help="in whose name people are invited: they must be allowed to, in each organization",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say what would be done, each line for itself, and do nothing",
        )

    def handle(self, *_args: Any, file: Path, inviter: str, dry_run: bool, **_options: Any) -> None:
        lines = list(lines_of(file))
        wrong = 0
        for done, (number, line) in enumerate(lines, start=1):
            progress = f"[{done}/{len(lines)}] line {number}: {line['email']} in {line['organization']}"
            try:
                # Each line for itself: nobody waits for a lock until the whole file is tried.
                with transaction.atomic():
                    outcome = carry_out(line, inviter=inviter.lower())
                    transaction.set_rollback(dry_run)
            except Wrong as reason:
                wrong += 1
                self.stderr.write(f"{progress}: {reason}")
            else:
                self.stdout.write(f"{progress}: {outcome}")
        if wrong:
            raise CommandError(f"{wrong} of {len(lines)} lines could not be carried out.")
        self.stdout.write(
            "Nothing was done: this was a dry run." if dry_run else "All lines are carried out."
        )


def lines_of(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The file's lines with their numbers. Raises CommandError for a file that is none of this kind."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, restval="")
            missing = COLUMNS - set(reader.fieldnames or ())
            if missing:
                raise CommandError(f"The first line lacks {', '.join(sorted(missing))}.")
            for line in reader:
                yield reader.line_num, {name: line[name].strip() for name in COLUMNS}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"The file can't be read as CSV in UTF-8: {error}") from error


def carry_out(line: dict[str, str], *, inviter: str) -> str:
    """Invite one person, unless they are there or invited already. Returns what was done. Raises Wrong."""
    if line["role"] not in Role.values:
        raise Wrong(f"The role is one of {', '.join(Role.values)}.")
    role = Role(line["role"])
    actor = (
        Membership.objects.current()
        .filter(organization__slug=line["organization"], user__email=inviter)
        .select_related("organization", "user")
        .first()
    )
    if actor is None:
        raise Wrong(f"There is no such organization, or {inviter} is not in it.")
    try:
        return SAID[bring_in(actor=actor, email=line["email"], role=role)] % {"role": role.in_sentence}
    except Refused as refused:
        raise Wrong(str(refused.message)) from None
    except Denied:
        raise Wrong(f"{inviter} may not invite anybody as {role.in_sentence}.") from None
