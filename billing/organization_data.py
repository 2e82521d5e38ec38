"""What an organization takes with it, as CSV files in one archive: who belongs to it, what it bought and has,
and its audit log.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile

from billing.models import Invoice
from credits.models import Grant, OnDemandCharge
from orgs.audit_export import export_audit_log
from orgs.models import Membership
from orgs.policy import Permission, ensure
from orgs.spreadsheets import BYTE_ORDER_MARK, csv_text
from teams.models import Team
from usage.models import Stack

# The names of columns are part of the format, as those of the audit log's file.
PEOPLE_COLUMNS = ("id", "name", "email", "role", "joined_utc", "last_day")
# A row for each person in it; of a team without people one, with nobody.
TEAM_COLUMNS = ("id", "name", "description", "person_id", "added_utc")
# Amounts in minor units of the currency.
INVOICE_COLUMNS = ("number", "status", "currency", "total", "paid", "remaining", "issued_utc", "stripe_id")
# ``left``: once what was used is settled. ``source``: the period or the invoice that they came with.
GRANT_COLUMNS = ("kind", "credits", "left", "effective_utc", "expires_utc", "voided_utc", "source")
# What was invoiced together. The price of a credit in US dollars, the amount in cents.
ON_DEMAND_COLUMNS = ("since_utc", "until_utc", "credits", "price", "amount")
STACK_COLUMNS = ("name", "cost_label")


class Written:
    """A file that is only written to: what was written since somebody took it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """There is nothing behind it."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def archive_of(actor: Membership) -> Iterator[bytes]:
    """The pieces of the archive. Raises Denied; the audit log tells of it."""
    for permission in (
        Permission.MEMBERS_LIST,
        Permission.TEAMS_LIST,
        Permission.BILLING_MANAGERS_LIST_MAILS,
        Permission.BILLING_VIEW,
        Permission.RUM_PER_STACK,
    ):
        ensure(actor, permission)
    return _pieces(
        {
            "people.csv": [_text(PEOPLE_COLUMNS, _people(actor))],
            "teams.csv": [_text(TEAM_COLUMNS, _teams(actor))],
            "invoices.csv": [_text(INVOICE_COLUMNS, _invoices(actor))],
            "credits.csv": [_text(GRANT_COLUMNS, _grants(actor))],
            "on-demand-credits.csv": [_text(ON_DEMAND_COLUMNS, _on_demand(actor))],
            "stacks.csv": [_text(STACK_COLUMNS, _stacks(actor))],
            "audit-log.csv": export_audit_log(actor=actor),
        }
    )


def _pieces(files: dict[str, Iterable[str]]) -> Iterator[bytes]:
    written = Written()
    with ZipFile(cast("IO[bytes]", written), "w", ZIP_DEFLATED) as archive:
        for name, texts in files.items():
            with archive.open(name, "w") as file:
                for text in texts:
                    file.write(text.encode())
                    yield written.taken()
    yield written.taken()


def _text(columns: Iterable[str], rows: Iterable[list[str]]) -> str:
    return BYTE_ORDER_MARK + csv_text([columns, *rows])


def _people(actor: Membership) -> Iterator[list[str]]:
    people = Membership.objects.for_org(actor.organization).select_related("user")
    for person in people.order_by("joined_at", "id"):
        yield [
            str(person.user_id),
            person.user.name,
            person.user.email,
            person.role,
            _at(person.joined_at),
            person.last_day.isoformat() if person.last_day else "",
        ]


def _teams(actor: Membership) -> Iterator[list[str]]:
    teams = Team.objects.for_org(actor.organization).order_by("name_key", "team_memberships__added_at")
    in_them = ("team_memberships__membership__user", "team_memberships__added_at")
    for pk, name, description, person, added_at in teams.values_list("pk", "name", "description", *in_them):
        yield [str(pk), name, description, str(person or ""), _at(added_at) if added_at else ""]


def _invoices(actor: Membership) -> Iterator[list[str]]:
    invoices = Invoice.objects.for_org(actor.organization).issued().defer("document")
    for invoice in invoices.order_by("issued_at", "id"):
        yield [
            invoice.number,
            invoice.status,
            invoice.currency,
            str(invoice.total),
            str(invoice.amount_paid),
            str(invoice.amount_remaining),
            _at(invoice.issued_at),
            invoice.stripe_id,
        ]


def _grants(actor: Membership) -> Iterator[list[str]]:
    grants = Grant.objects.for_org(actor.organization).with_left(actor.organization_id)
    for grant in grants.select_related("voiding").order_by("effective_at", "id"):
        yield [
            grant.kind,
            str(grant.credits),
            str(grant.left),
            _at(grant.effective_at),
            _at(grant.expires_at),
            _at(grant.voided_at) if grant.voided_at else "",
            grant.source,
        ]


def _on_demand(actor: Membership) -> Iterator[list[str]]:
    for charge in OnDemandCharge.objects.for_org(actor.organization).order_by("since"):
        price = f"{charge.price.normalize():f}"
        yield [_at(charge.since), _at(charge.until), str(charge.credits), price, str(charge.amount)]


def _stacks(actor: Membership) -> Iterator[list[str]]:
    stacks = Stack.objects.filter(organization=actor.organization).order_by("name")
    yield from map(list, stacks.values_list("name", "cost_label"))


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
