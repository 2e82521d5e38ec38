"""The page of connected programs, the command that registers them, and what is public."""

import json
from io import StringIO

import pytest
from allauth.idp.oidc.models import Client as Registered
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import AuditEvent
from orgs.models import Membership
from orgs.policy import Denied
from outbox.models import OutgoingEmail
from programs.models import Connection
from programs.services import disconnect
from tests.programs.factories import BACK, ConnectionFactory, ProgramFactory
from tests.programs.tool import Tool, allow, connect, program, refused, told
from tests.world import signed_in

pytestmark = pytest.mark.django_db


def registered(*arguments: str) -> dict[str, str]:
    out = StringIO()
    call_command("register_program", *arguments, stdout=out)
    return dict(line.split(": ") for line in out.getvalue().splitlines())


def test_staff_register_a_program_whose_secret_is_told_once(billing_manager: Membership) -> None:
    told_of_it = registered("Ledger Tool", "--redirect-uri", BACK)
    client = Registered.objects.get(pk=told_of_it["client_id"])
    assert told_of_it["client_secret"] not in client.secret
    told(Tool(client, secret=told_of_it["client_secret"]).redeem(allow(Tool(client), billing_manager)))


def test_a_program_on_peoples_computers_has_no_secret() -> None:
    assert list(registered("Ledger CLI", "--public", "--device")) == ["client_id"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("Tool",),
        ("Tool", "--device"),
        ("Tool", "--redirect-uri", "http://tool.example/back"),
        ("Tool", "--redirect-uri", "tool:/back"),
        ("Tool", "--redirect-uri", "https:///back"),
        ("Tool", "--redirect-uri", "https://tool.example/back#part"),
        ("Tool", "--redirect-uri", "https://tool.example/back\nhttps://evil.example/"),
        ("https://evil.example", "--redirect-uri", BACK),
    ],
)
def test_a_program_is_registered_whole_or_not(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        registered(*arguments)
    assert not Registered.objects.exists()


def test_staff_remove_a_program_from_all_organizations(billing_manager: Membership) -> None:
    tool = Tool(ProgramFactory())
    tokens = connect(tool, billing_manager)
    kept = ConnectionFactory()
    call_command("remove_program", tool.registered.pk, stdout=StringIO())
    assert program(tokens, billing_manager).get("billing").status_code == 401
    assert refused(tool.refresh(tokens["refresh_token"])) == "invalid_client"
    assert Connection.objects.get() == kept
    assert AuditEvent.objects.get(action="program.ended").data["reason"] == "program"
    with pytest.raises(CommandError):
        call_command("remove_program", tool.registered.pk)


def test_a_person_sees_and_ends_what_they_allowed(billing_manager: Membership, admin: Membership) -> None:
    tool = Tool(ProgramFactory())
    tokens = connect(tool, billing_manager)
    told(program(tokens, billing_manager).get("billing"))
    browser = signed_in(billing_manager.user)
    page = browser.get("/accounts/programs/").content.decode()
    assert "Ledger Tool" in page
    assert billing_manager.organization.name in page
    assert "Not yet" not in page
    assert "No program is connected" in signed_in(admin.user).get("/accounts/programs/").content.decode()
    url = f"/accounts/programs/{Connection.objects.get().pk}/disconnect/"
    assert signed_in(admin.user).post(url).status_code == 404
    assert "Disconnect Ledger Tool?" in browser.get(url).content.decode()
    assert Connection.objects.exists()
    assert "Ledger Tool is disconnected" in browser.post(url, follow=True).content.decode()
    assert program(tokens, billing_manager).get("billing").status_code == 401
    told_of_it = AuditEvent.objects.get(action="program.revoked")
    assert (told_of_it.actor_id, told_of_it.target_name) == (billing_manager.user_id, "Ledger Tool")
    assert browser.post(url).status_code == 404
    assert not OutgoingEmail.objects.filter(kind="program_disconnected").exists()


def test_an_admin_sees_and_ends_what_people_allowed(
    admin: Membership, member: Membership, billing_manager: Membership
) -> None:
    tokens = connect(Tool(ProgramFactory()), billing_manager)
    elsewhere = ConnectionFactory(client__name="Elsewhere")
    slug, connection = admin.organization.slug, Connection.objects.get(membership=billing_manager)
    home = f"/orgs/{slug}/settings/tokens/"
    url = f"{home}programs/{connection.pk}/disconnect/"
    browser = signed_in(admin.user)
    page = browser.get(home).content.decode()
    assert "Ledger Tool" in page
    assert billing_manager.user.name in page
    assert elsewhere.name not in page
    assert "Ledger Tool" not in signed_in(member.user).get(home).content.decode()
    assert signed_in(billing_manager.user).post(url).status_code == 403
    assert browser.post(f"{home}programs/{elsewhere.pk}/disconnect/").status_code == 404
    assert f"{billing_manager.user.name} gets a mail about it" in browser.get(url).content.decode()
    assert "Ledger Tool is disconnected" in browser.post(url, follow=True).content.decode()
    assert program(tokens, billing_manager).get("billing").status_code == 401
    event = AuditEvent.objects.get(action="program.revoked")
    assert (event.actor_id, event.data) == (admin.user_id, {"owner": billing_manager.user.name})
    mail = OutgoingEmail.objects.get(kind="program_disconnected")
    assert (mail.to, mail.params["actor"]) == (billing_manager.user.email, admin.user.name)


def test_a_program_of_somebody_else_is_ended_by_admins_alone(member: Membership) -> None:
    theirs = ConnectionFactory(membership__organization=member.organization)
    with pytest.raises(Denied):
        disconnect(actor=member, connection_id=theirs.pk)
    assert Connection.objects.exists()


def test_what_a_program_finds_out_by_itself() -> None:
    document = json.loads(Client().get("/.well-known/oauth-authorization-server").content)
    assert document["issuer"] == settings.SITE_URL
    assert document["authorization_response_iss_parameter_supported"] is True
    for name, url in document.items():
        if name.endswith("_endpoint"):
            answer = Client().get(url.removeprefix(settings.SITE_URL))
            assert answer.status_code == (400 if name == "authorization_endpoint" else 405), name
    for unused in ("/.well-known/openid-configuration", "/.well-known/jwks.json", "/identity/o/api/token"):
        assert Client().get(unused).status_code == 404


def test_endpoints_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.ACCOUNT_RATE_LIMITS, "program_endpoint", "2/m/ip")
    tool = Tool(ProgramFactory())
    assert [refused(tool.refresh("wrong")) for _request in range(2)] == ["invalid_grant"] * 2
    answer = tool.refresh("wrong")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert json.loads(answer.content)["error"] == "temporarily_unavailable"


def test_the_form_may_lead_to_the_program_and_nowhere_else(billing_manager: Membership) -> None:
    tool = Tool(ProgramFactory())
    browser = signed_in(billing_manager.user)

    def policy(url: str) -> str:
        return browser.get(url).headers["Content-Security-Policy"]

    assert "https://tool.example" in policy(tool.address())
    assert "evil" not in policy(tool.address(redirect_uri="https://evil.example/back"))
    assert "tool.example" not in policy("/accounts/programs/")


def test_who_leaves_reads_in_words_for_them_that_their_programs_end(billing_manager: Membership) -> None:
    ConnectionFactory(membership=billing_manager)
    page = signed_in(billing_manager.user).get(f"/orgs/{billing_manager.organization.slug}/leave/")
    assert "<li>1 connected program</li>" in page.content.decode()
