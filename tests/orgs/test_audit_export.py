"""The audit log as a file: all of what the filter finds, safe to open, and told of in the log."""

import csv
import json
from io import StringIO

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from audit.models import AuditEvent
from audit.services import Actor, record
from orgs import audit_export
from orgs.actions import MEMBERSHIP_LEFT, ORGANIZATION_RENAMED
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.spreadsheets import csv_text
from tests.conftest import SignIn
from tests.factories import MembershipFactory

FORMULA_STARTS = "=+-@\t\r\n\0＝＋－＠"


def exported(client: Client, organization: Organization, **filters: str) -> list[dict[str, str]]:
    answer = client.post(reverse("audit_export", args=[organization.slug]), filters)
    assert answer.status_code == 200
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith(
        f'attachment; filename="audit-{organization.slug}-'
    )
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def rename(organization: Organization, new: str, *, by: Membership | None = None) -> AuditEvent:
    actor = Actor.person(by.user) if by else Actor.stripe()
    return record(ORGANIZATION_RENAMED, actor=actor, organization=organization, old="Acme", new=new)


def test_the_file_holds_codes_and_words_newest_first(admin: Membership, sign_in: SignIn) -> None:
    event = rename(admin.organization, "Jörg & Söhne", by=admin)
    rename(admin.organization, "Globex")
    newest, oldest = exported(sign_in(admin), admin.organization)
    assert newest["actor_kind"] == "stripe"
    assert oldest == {
        "time_utc": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "actor_kind": "person",
        "actor_id": str(admin.user_id),
        "actor": admin.user.name,
        "action": "organization.renamed",
        "what_happened": "renamed the organization from Acme to Jörg & Söhne",
        "target_id": "",
        "target": "",
        "facts": json.dumps({"new": "Jörg & Söhne", "old": "Acme"}, ensure_ascii=False),
        "ticket": "",
        "reason": "",
    }


def test_the_filter_of_the_page_holds_for_its_file(admin: Membership, sign_in: SignIn) -> None:
    rename(admin.organization, "Globex", by=admin)
    rename(admin.organization, "Initech")
    left = record(
        MEMBERSHIP_LEFT, actor=Actor.person(admin.user), organization=admin.organization, role="admin"
    )
    client = sign_in(admin)
    filters = {"action": ORGANIZATION_RENAMED.code, "person": admin.user.name[:4]}
    page = client.get(reverse("audit_log", args=[admin.organization.slug]), filters).content.decode()
    for name, value in filters.items():
        assert f'<input name="{name}" type="hidden" value="{value}">' in page
    (row,) = exported(client, admin.organization, **filters)
    assert "Globex" in row["what_happened"]
    assert left.sentence not in str(row)


def test_the_log_tells_who_exported_what(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    exported(client, admin.organization)
    exported(client, admin.organization, action="organization.renamed", person="Mira")
    narrow, whole = AuditEvent.objects.filter(action="audit.exported")
    assert str(whole) == f"{admin.user.name} exported the audit log (every action; everybody)"
    assert narrow.sentence == "exported the audit log (Renamed the organization; Mira)"


def test_a_long_log_is_written_piece_by_piece_each_event_once(
    admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "EVENTS_AT_A_TIME", 2)
    for number in range(5):
        rename(admin.organization, f"Name {number}")
    rows = exported(sign_in(admin), admin.organization)
    assert [json.loads(row["facts"])["new"] for row in rows] == [f"Name {n}" for n in (4, 3, 2, 1, 0)]


def test_the_file_is_of_one_organization(admin: Membership, sign_in: SignIn) -> None:
    rename(MembershipFactory(role=Role.ADMIN).organization, "Elsewhere")
    assert exported(sign_in(admin), admin.organization) == []


@pytest.mark.parametrize("filters", [{"action": "membership.flew"}, {"person": "\0"}, {"person": "x" * 81}])
def test_a_filter_that_no_page_sends_is_refused(
    admin: Membership, sign_in: SignIn, filters: dict[str, str]
) -> None:
    url = reverse("audit_export", args=[admin.organization.slug])
    assert sign_in(admin).post(url, filters).status_code == 400
    assert not AuditEvent.objects.exists()


def cells(text: str, separator: str) -> list[str]:
    """As a spreadsheet reads a file whose list separator is another one than the comma."""
    lines = text.replace("\r", "\n").split("\n")
    return [cell for line in lines for cell in line.split(separator)]


@given(st.lists(st.text(alphabet=FORMULA_STARTS + ",;|\" 'ab1", max_size=12), min_size=1, max_size=3))
def test_no_cell_is_taken_for_a_formula(row: list[str]) -> None:
    text = csv_text([row])
    (read,) = csv.reader(StringIO(text, newline=""))
    assert len(read) == len(row)
    assert not any(cell.strip(' "').startswith(tuple(FORMULA_STARTS)) for cell in read if cell)
    for separator in ";|\t":
        for cell in cells(text, separator):
            assert not cell.strip(' "').startswith(tuple("=+-@＝＋－＠")), cell


@pytest.mark.parametrize(
    "honest", ["J.P. Morgan", "a-b", "jo+billing@acme.test", "3 > 2; that's all", "", "{}"]
)
def test_an_honest_text_stays_as_it_is(honest: str) -> None:
    assert list(csv.reader(StringIO(csv_text([[honest, "x"]])))) == [[honest, "x"]]
