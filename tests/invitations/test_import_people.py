"""People brought in from a file: each line for itself, and as often as one likes.

Mutants of the command that are the same program: without `select_related` a line takes more statements; with
line ends translated the columns say the same, as none that is accepted holds a line end; the name of an
encoding has no case. Its help is for people to read.
"""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from invitations.models import Invitation
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory

HEAD = "email,role,organization\n"


@pytest.fixture
def ada(db: None) -> Membership:
    return MembershipFactory(
        role=Role.ADMIN, user__email="ada@acme.test", organization__slug="acme", organization__seats=9
    )


def run(path: Path, lines: str, *options: str, inviter: str = "Ada@acme.test") -> tuple[str, str]:
    """What it says of lines that went well, and of others."""
    file = path / "people.csv"
    file.write_text(lines)
    said, wrong = StringIO(), StringIO()
    try:
        call_command("import_people", str(file), "--inviter", inviter, *options, stdout=said, stderr=wrong)
    except CommandError as error:
        wrong.write(str(error))
    return said.getvalue(), wrong.getvalue()


def invited() -> set[tuple[str, str]]:
    return set(Invitation.objects.values_list("email", "role"))


def test_each_line_is_invited_by_the_verb_of_the_members_page(ada: Membership, tmp_path: Path) -> None:
    lines = "Lee@ledger.test,member,acme\nmilo@ledger.test,billing_manager,acme\n"
    said, wrong = run(tmp_path, "\ufeff" + HEAD + lines)
    assert wrong == ""
    assert "[1/2] line 2: Lee@ledger.test in acme: invited as member" in said
    assert invited() == {("lee@ledger.test", "member"), ("milo@ledger.test", "billing_manager")}
    assert Invitation.objects.filter(invited_by=ada.user_id).count() == 2
    assert OutgoingEmail.objects.count() == 2
    assert said.endswith("\nAll lines are carried out.\n")


def test_run_again_it_leaves_alone_who_is_there_or_invited(ada: Membership, tmp_path: Path) -> None:
    there = MembershipFactory(organization=ada.organization, role=Role.MEMBER)
    lines = f"{HEAD}lee@ledger.test,member,acme\n{there.user.email},member,acme\n"
    run(tmp_path, lines)
    said, wrong = run(tmp_path, f"{lines}lee@ledger.test,admin,acme\n")
    assert "line 4: lee@ledger.test in acme: An invitation for lee@ledger.test is waiting already." in wrong
    assert "lee@ledger.test in acme: invited already" in said
    assert f"{there.user.email} in acme: belongs to it already" in said
    assert OutgoingEmail.objects.count() == 1


def test_a_dry_run_says_the_same_and_does_nothing(ada: Membership, tmp_path: Path) -> None:
    said, wrong = run(tmp_path, f"{HEAD}lee@ledger.test,member,acme\nnobody,member,acme\n", "--dry-run")
    assert "lee@ledger.test in acme: invited as member" in said
    assert "nobody in acme: Enter one email address, such as lee@example.com." in wrong
    assert invited() == set()
    assert not OutgoingEmail.objects.exists()


def test_a_wrong_line_says_why_and_keeps_back_no_other(ada: Membership, tmp_path: Path) -> None:
    member = MembershipFactory(organization=ada.organization, role=Role.MEMBER)
    MembershipFactory(user=ada.user, role=Role.MEMBER, organization__slug="globex")
    lines = (
        "lee@ledger.test,owner,acme\n"
        "lee@ledger.test,member,elsewhere\n"
        "lee@ledger.test,member,globex\n"
        f"{member.user.email},billing_manager,acme\n"
        "lee@ledger.test\n"
        "milo@ledger.test,member,acme\n"
    )
    _said, wrong = run(tmp_path, HEAD + lines)
    for reason in (
        "line 2: lee@ledger.test in acme: The role is one of admin, member, billing_manager, billing_viewer.",
        "line 3: lee@ledger.test in elsewhere: There is no such organization, or ada@acme.test is not in it.",
        "line 4: lee@ledger.test in globex: ada@acme.test may not invite anybody as member.",
        f"line 5: {member.user.email} in acme: {member.user.email} belongs to Organization",
        "line 6: lee@ledger.test in : The role is one of",
        "\n5 of 6 lines could not be carried out.",
    ):
        assert reason in wrong
    assert invited() == {("milo@ledger.test", "member")}


def test_a_dry_run_that_goes_well_says_that_nothing_was_done(ada: Membership, tmp_path: Path) -> None:
    said, wrong = run(tmp_path, f"{HEAD}  lee@ledger.test , member ,acme\n", "--dry-run")
    assert wrong == ""
    assert said == (
        "[1/1] line 2: lee@ledger.test in acme: invited as member\nNothing was done: this was a dry run.\n"
    )


@pytest.mark.parametrize(
    ("file", "lacks"),
    [("", "email, organization, role"), ("email,role\nlee@ledger.test,member\n", "organization")],
)
def test_a_file_of_another_kind_is_refused(ada: Membership, tmp_path: Path, file: str, lacks: str) -> None:
    assert run(tmp_path, file) == ("", f"The first line lacks {lacks}.")


@pytest.mark.parametrize(
    "content",
    [None, "Zoë,member,acme".encode("latin-1"), b"x" * 200_000],
    ids=["not-there", "another-encoding", "endless-column"],
)
def test_a_file_that_is_no_csv_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "people.csv"
    if content is not None:
        file.write_bytes(HEAD.encode() + content)
    with pytest.raises(CommandError, match=r"^The file can't be read as CSV in UTF-8: "):
        call_command("import_people", str(file), "--inviter", "ada@acme.test")


def test_nobody_is_invited_in_nobodys_name(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--inviter"):
        call_command("import_people", str(tmp_path / "people.csv"))


def test_whose_last_day_has_passed_invites_nobody(ada: Membership, tmp_path: Path) -> None:
    Organization.objects.update(managers_manage_managers=True)
    MembershipFactory(
        organization=ada.organization,
        role=Role.BILLING_MANAGER,
        last_day="2026-01-31",
        user__email="bo@acme.test",
    )
    line = "lee@ledger.test,billing_manager,acme\n"
    _said, wrong = run(tmp_path, HEAD + line, inviter="bo@acme.test")
    assert "There is no such organization, or bo@acme.test is not in it." in wrong
