"""Prints the policy as the table of docs/roles.md."""

from django.core.management.base import BaseCommand

from orgs.policy import STAFF_GRANTS, Permission, Role, StaffRole, table

HEAD = """# Roles

Made by `python manage.py roles_table > docs/roles.md` from `orgs/policy.py`; a test compares them.
*If allowed*: where the organization lets billing managers manage billing managers, which is off at first.
A billing manager takes no seat and is not counted as a member.
"""
STAFF_HEAD = """
## Support staff

In the admin, in every organization, while a staff session is open.
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
    lines += [
        STAFF_HEAD,
        "| permission | may | " + " | ".join(str(role.label) for role in StaffRole) + " |",
        "|---|---|" + "---|" * len(StaffRole),
    ]
    for permission in Permission:
        of_staff = ["yes" if permission in STAFF_GRANTS[role] else "" for role in StaffRole]
        if any(of_staff):
            lines.append(f"| `{permission.value}` | {permission.label} | {' | '.join(of_staff)} |")
    return "\n".join(lines) + "\n"
