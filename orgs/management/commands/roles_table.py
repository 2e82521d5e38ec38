"""Prints the policy as the table of docs/roles.md."""

from django.core.management.base import BaseCommand

from orgs.policy import Role, table

HEAD = """# Roles

Made by `python manage.py roles_table > docs/roles.md` from `orgs/policy.py`; a test compares them.
*If allowed*: where the organization lets billing managers manage billing managers, which is off at first.
A billing manager takes no seat and is not counted as a member.
"""
MARKS = {"yes": "yes", "no": "", "delegable": "if allowed"}


class Command(BaseCommand):
    help = "Print what each role may do, as Markdown."

    def handle(self, **_options: object) -> None:
        self.stdout.write(roles_table(), ending="")


def roles_table() -> str:
    lines = [
        HEAD,
        "| resource | permission | may | " + " | ".join(str(role.label) for role in Role) + " |",
        "|---|---|---|" + "---|" * len(Role),
    ]
    for resource, rows in table():
        for permission, grants in rows:
            marks = " | ".join(MARKS[grants[role]] for role in Role)
            lines.append(f"| {resource} | `{permission.value}` | {permission.label} | {marks} |")
    return "\n".join(lines) + "\n"
