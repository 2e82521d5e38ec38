"""Several people invited at once: what is read in a list, what becomes of each, and what the page keeps."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.addresses import entries_in
from audit.models import AuditEvent
from invitations import services
from invitations.forms import MOST_AT_ONCE
from invitations.models import Invitation
from invitations.services import mail_limits
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import UserFactory
from tests.invitations.pages import text

LEE, KIM = "lee@ledger.test", "kim@ledger.test"


@pytest.mark.parametrize(
    ("pasted", "addresses"),
    [
        (LEE, [LEE]),
        (f"{LEE}, {KIM}", [LEE, KIM]),
        (f"{LEE};{KIM};", [LEE, KIM]),
        (f"\n{LEE}\r\n\r\n {KIM} \n", [LEE, KIM]),
        (f"{LEE}\t{KIM}", [LEE, KIM]),
        (f"Lee Doe <{LEE}>, Kim <{KIM}>", [LEE, KIM]),
        (f"<{LEE}> , {KIM}", [LEE, KIM]),
        (f'"Doe, Lee" <{LEE}>; Zoë O\'Hara, Kim <{KIM}>', [LEE, KIM]),
        (f"{LEE}, Doe, Kim <{KIM}>", [LEE, KIM]),
        (f"{LEE}, {LEE.upper()}\nLee <{LEE}>", [LEE]),
        # Nothing is dropped without a word, and no name hides another address.
        (f"lee.ledger.test, Kim <{KIM}>", ["lee.ledger.test", KIM]),
        (f"{LEE} <{KIM}>", [f"{LEE} <{KIM}>"]),
        (f'"{LEE}"@evil.test', [f'"{LEE}"@evil.test']),
        (f"{LEE} {KIM}", [f"{LEE} {KIM}"]),
        ("<>", [""]),
        (" ,;\n,, ", []),
    ],
)
def test_what_is_read_in_a_list(pasted: str, addresses: list[str]) -> None:
    assert [entry.address for entry in entries_in(pasted)] == addresses


def test_a_long_text_is_read_at_once() -> None:
    """Without end of a name, bracket or quote: no pattern of ours looks at it again and again."""
    for text_of_one in (
        "a" * 10_000,
        "a " * 5_000,
        '"' * 10_000,
        "<" * 10_000,
        "a, " * 3_000,
        "a'- " * 2_500,
    ):
        assert len(entries_in(text_of_one)) < 10_000


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def invite(client: Client, organization: Organization, emails: str, **headers: str) -> HttpResponse:
    url = reverse("managers_invite", args=[organization.slug])
    return client.post(url, {"email": emails}, headers=headers)


def waiting() -> set[str]:
    return set(Invitation.objects.pending().values_list("email", flat=True))


@pytest.mark.django_db
def test_a_list_invites_each(admin: Membership, client: Client) -> None:
    answer = invite(client, admin.organization, f"Lee <{LEE}>; {KIM}")
    assert answer.status_code == 302
    assert waiting() == {LEE, KIM}
    assert AuditEvent.objects.filter(action="invitation.sent").count() == 2
    page = text(client.get(answer.headers["Location"]))
    assert f"2 invitations sent: to {LEE}, {KIM}." in page


@pytest.mark.django_db
def test_the_good_ones_are_sent_and_the_field_keeps_the_others(
    admin: Membership, member: Membership, client: Client
) -> None:
    bad = f"lee@\n{member.user.email}\nL\u0435e <l\u0435e@ledger.test>"
    answer = invite(client, admin.organization, f"{LEE}\n{bad}\n{KIM}")
    assert answer.status_code == 422
    assert waiting() == {LEE, KIM}
    page = text(answer)
    assert f"2 invitations sent: to {LEE}, {KIM}." in page
    assert "lee@: Enter one email address, such as lee@example.com." in page
    assert f"{member.user.email}: {member.user.email} belongs to {admin.organization} already." in page
    assert answer.context["form"]["email"].value() == bad


@pytest.mark.django_db
def test_each_entry_has_its_outcome(admin: Membership) -> None:
    entries = entries_in(f"{LEE}\nkim@")
    outcomes = services.invite_each(actor=admin, entries=entries, role=Role.MEMBER)
    assert [outcome.entry for outcome in outcomes] == entries
    assert [outcome.refused is None for outcome in outcomes] == [True, False]


@pytest.mark.django_db
def test_sent_again_as_the_page_keeps_it_a_list_sends_nobody_a_second_mail(
    admin: Membership, client: Client
) -> None:
    for _press in range(2):
        assert invite(client, admin.organization, f"{LEE}, {KIM}").status_code == 302
    assert OutgoingEmail.objects.filter(kind="invitation_sent").count() == 2


@pytest.mark.django_db
def test_a_limit_counts_each_line(admin: Membership, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_limits, "MAILS_PER_DAY", 1)
    answer = invite(client, admin.organization, f"{LEE}, {KIM}")
    assert waiting() == {LEE}
    assert f"{KIM}: 1 invitations were mailed today" in text(answer)


@pytest.mark.django_db
def test_the_last_place_goes_to_the_first_line(admin: Membership, client: Client) -> None:
    Organization.objects.filter(pk=admin.organization_id).update(edition_code="team-growth")
    answer = invite(client, admin.organization, f"{LEE}, {KIM}")
    assert waiting() == {LEE}
    assert f"{KIM}: Team Growth has room for 1 billing manager" in text(answer)
    assert answer.context["form"]["email"].value() == KIM


@pytest.mark.django_db
def test_more_than_can_be_mailed_are_refused_before_any_is_sent(admin: Membership, client: Client) -> None:
    emails = "\n".join(f"lee{number}@ledger.test" for number in range(MOST_AT_ONCE + 1))
    assert "Enter at most 50 addresses at once." in text(invite(client, admin.organization, emails))
    assert waiting() == set()


@pytest.mark.django_db
def test_in_a_dialog_the_list_behind_is_renewed(admin: Membership, client: Client) -> None:
    page = text(invite(client, admin.organization, f"{LEE}, lee@", **{"HX-Request": "true"}))
    assert 'id="billing-managers"' in page
    url = reverse("members_invite", args=[admin.organization.slug])
    answer = client.post(url, {"email": f"{KIM}, lee@", "role": "member"}, headers={"HX-Request": "true"})
    assert KIM in text(answer).partition('id="pending-invitations" hx-swap-oob="true"')[2]


@pytest.mark.django_db
def test_a_list_tells_of_no_account(admin: Membership, client: Client) -> None:
    known = UserFactory(email=LEE)
    for email in (known.email, KIM):
        answer = invite(client, admin.organization, email)
        assert (answer.status_code, answer.headers["Location"]) == (
            302,
            reverse("billing", args=[admin.organization.slug]),
        )


@pytest.mark.django_db
def test_a_list_goes_to_members_in_the_role_that_was_chosen(admin: Membership, client: Client) -> None:
    url = reverse("members_invite", args=[admin.organization.slug])
    client.post(url, {"email": f"{LEE}, {KIM}", "role": "admin"})
    assert set(Invitation.objects.values_list("email", "role")) == {(LEE, Role.ADMIN), (KIM, Role.ADMIN)}
