"""A finance tool on the web: the code with PKCE, tokens, and every misuse with its error of RFC 6749."""

import base64
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.idp.oidc.models import Client as Registered
from allauth.idp.oidc.models import Token
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from orgs import services as orgs
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from programs.credentials import ACCESS_LIFE, CODE_LIFE, REFRESH_LIFE
from programs.models import Connection
from programs.services import delete_old, disconnect
from tests.api.program import is_problem
from tests.factories import MembershipFactory
from tests.programs.factories import BACK, CommandLineFactory, ProgramFactory
from tests.programs.tool import (
    DEVICE_GRANT,
    VERIFIER,
    Tool,
    allow,
    connect,
    program,
    refused,
    sent_back,
    told,
)
from tests.sampling import sampled
from tests.world import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def tool() -> Tool:
    return Tool(ProgramFactory())


def tokens_there() -> set[str]:
    return set(Token.objects.values_list("hash", flat=True))


def test_a_billing_manager_lets_a_tool_read_billing(tool: Tool, billing_manager: Membership) -> None:
    back = signed_in(billing_manager.user).post(
        tool.address(), {"answer": "allow", "organization": str(billing_manager.organization_id)}
    )
    answered = sent_back(back)
    assert answered["state"] == "st"
    tokens = told(tool.redeem(answered["code"]))
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == ACCESS_LIFE.total_seconds()
    assert tokens["scope"] == "billing.read"
    told(program(tokens, billing_manager).get("billing"))
    event = AuditEvent.objects.get(action="program.allowed")
    assert (event.actor_id, event.target_name) == (billing_manager.user_id, "Ledger Tool")
    assert event.target_id == tool.registered.pk
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.to) == ("program_allowed", billing_manager.user.email)


def test_nothing_that_opens_anything_lies_in_clear(tool: Tool, billing_manager: Membership) -> None:
    code = allow(tool, billing_manager)
    (row,) = Token.objects.values()
    assert code not in str(row)
    tokens = told(tool.redeem(code))
    rows = str([*Token.objects.values(), *Connection.objects.values()])
    assert tokens["access_token"] not in rows
    assert tokens["refresh_token"] not in rows
    assert tool.secret not in tool.registered.secret


UNKNOWN: list[dict[str, str | None]] = [
    {"client_id": "nobody"},
    {"client_id": None},
    {"redirect_uri": None},
    {"redirect_uri": "https://evil.example/back"},
    {"redirect_uri": f"{BACK}/"},
    {"redirect_uri": f"{BACK}?more=1"},
    {"redirect_uri": f"{BACK}#x"},
    {"redirect_uri": "https://tool.example:444/back"},
]


def test_a_program_or_address_that_is_not_known_is_told_on_a_page_of_ours(
    tool: Tool, admin: Membership
) -> None:
    visitor, person = Client(), signed_in(admin.user)
    for wrong in UNKNOWN:
        answer = visitor.get(tool.address(**wrong))
        assert answer.status_code == 400, wrong
        assert "Nothing was allowed" in answer.content.decode()
        choice = {"answer": "allow", "organization": str(admin.organization_id)}
        assert person.post(tool.address(**wrong), choice).status_code == 400, wrong
    assert not Connection.objects.exists()


WRONG_QUESTIONS: list[tuple[dict[str, str | None], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unauthorized_client"),
    ({"response_type": None}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"response_mode": "fragment", "scope": "openid"}, "invalid_scope"),
    ({"scope": "openid"}, "invalid_scope"),
    ({"scope": "billing.read billing.write"}, "invalid_scope"),
]


def test_a_wrong_question_goes_back_before_anybody_signs_in(tool: Tool, admin: Membership) -> None:
    visitor, person = Client(), signed_in(admin.user)
    answer = {"answer": "allow", "organization": str(admin.organization_id)}
    for wrong, error in WRONG_QUESTIONS:
        for back in (visitor.get(tool.address(**wrong)), person.post(tool.address(**wrong), answer)):
            assert sent_back(back)["error"] == error, wrong
    assert not Connection.objects.exists()
    assert not Token.objects.exists()


def test_an_answer_comes_back_where_the_tool_looks_for_it(tool: Tool, billing_manager: Membership) -> None:
    browser = signed_in(billing_manager.user)
    choice = {"answer": "allow", "organization": str(billing_manager.organization_id)}
    for mode in ("query", "fragment"):
        for answer, told_of in (("allow", "code"), ("deny", "error")):
            back = browser.post(tool.address(response_mode=mode), {**choice, "answer": answer})
            assert getattr(urlsplit(back.headers["Location"]), mode)
            assert told_of in sent_back(back)


def test_nothing_is_allowed_without_a_press(tool: Tool, admin: Membership) -> None:
    assert "/login/" in Client().get(tool.address()).headers["Location"]
    assert "/login/" in Client().post(tool.address(), {"answer": "allow"}).headers["Location"]
    browser = signed_in(admin.user)
    assert browser.get(tool.address()).status_code == 200
    assert sent_back(browser.post(tool.address(), {"answer": "deny"}))["error"] == "access_denied"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    choice = {"answer": "allow", "organization": str(admin.organization_id)}
    assert strict.post(tool.address(), choice).status_code == 403
    # Neither of the two buttons.
    assert browser.post(tool.address(), {**choice, "answer": ""}).status_code == 200
    assert not Connection.objects.exists()
    assert not Token.objects.exists()


def test_the_password_is_asked_for_before_the_question(tool: Tool, admin: Membership) -> None:
    browser = signed_in(admin.user, ago=timedelta(hours=1))
    assert "/reauthenticate/" in browser.get(tool.address()).headers["Location"]
    choice = {"answer": "allow", "organization": str(admin.organization_id)}
    assert browser.post(tool.address(), choice).headers["Location"] == tool.address()
    assert not Connection.objects.exists()


def test_only_organizations_whose_billing_one_sees_are_offered(tool: Tool, member: Membership) -> None:
    viewer = MembershipFactory(user=member.user, role=Role.BILLING_VIEWER)
    stranger = MembershipFactory()
    browser = signed_in(member.user)
    page = browser.get(tool.address()).content.decode()
    assert str(viewer.organization_id) in page
    assert str(member.organization_id) not in page
    for wrong in (member, stranger):
        choice = {"answer": "allow", "organization": str(wrong.organization_id)}
        assert browser.post(tool.address(), choice).status_code == 422
    assert not Connection.objects.exists()
    told(program(connect(tool, viewer), viewer).get("billing"))


def test_who_sees_no_billing_can_only_refuse(tool: Tool, member: Membership) -> None:
    page = signed_in(member.user).get(tool.address()).content.decode()
    assert "nothing to allow" in page
    assert "Allow program" not in page


WRONG_USES: list[tuple[dict[str, str | None], str]] = [
    ({"code": "wrong"}, "invalid_grant"),
    ({"code": None}, "invalid_request"),
    ({"redirect_uri": f"{BACK}/"}, "invalid_grant"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"code_verifier": "w" * 64}, "invalid_grant"),
    ({"code_verifier": None}, "invalid_request"),
    ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ({"grant_type": None}, "unsupported_grant_type"),
    # Devices keep no secrets, and this one does.
    ({"grant_type": DEVICE_GRANT, "device_code": "x"}, "unauthorized_client"),
]


def test_a_code_opens_nothing_in_a_wrong_way(tool: Tool, billing_manager: Membership) -> None:
    code = allow(tool, billing_manager)
    before = tokens_there()
    for wrong, error in WRONG_USES:
        assert refused(tool.redeem(**{"code": code, **wrong})) == error, wrong
        assert tokens_there() == before
    told(tool.redeem(code))


def test_a_code_is_of_one_program_that_proves_itself(tool: Tool, billing_manager: Membership) -> None:
    code = allow(tool, billing_manager)
    assert refused(Tool(ProgramFactory()).redeem(code)) == "invalid_grant"
    assert refused(Tool(tool.registered, secret="guessed").redeem(code)) == "invalid_client"
    nameless = {"client_id": tool.registered.pk, "client_secret": ""}
    posing = Tool(CommandLineFactory(grant_types="authorization_code"))
    assert refused(posing.redeem(code, **nameless)) == "invalid_client"
    told(tool.redeem(code))


def test_a_program_without_a_secret_proves_itself_by_its_challenge(billing_manager: Membership) -> None:
    tool = Tool(ProgramFactory(type=Registered.Type.PUBLIC))
    code = allow(tool, billing_manager)
    assert refused(tool.redeem(code, code_verifier="w" * 64)) == "invalid_grant"
    tokens = told(tool.redeem(code))
    told(tool.refresh(tokens["refresh_token"]))


def test_a_code_is_used_once_and_soon(
    tool: Tool, billing_manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = allow(tool, billing_manager)
    tokens = told(tool.redeem(code))
    before = tokens_there()
    assert refused(tool.redeem(code)) == "invalid_grant"
    assert tokens_there() == before
    told(program(tokens, billing_manager).get("billing"))
    late = allow(tool, billing_manager)
    later = timezone.now() + CODE_LIFE
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert refused(tool.redeem(late)) == "invalid_grant"


def test_a_refresh_token_is_used_once(tool: Tool, billing_manager: Membership) -> None:
    first = connect(tool, billing_manager)
    second = told(tool.refresh(first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    told(program(second, billing_manager).get("billing"))
    before = tokens_there()
    assert refused(tool.refresh(first["refresh_token"])) == "invalid_grant"
    assert refused(tool.refresh(second["access_token"])) == "invalid_grant"
    assert refused(Tool(ProgramFactory()).refresh(second["refresh_token"])) == "invalid_grant"
    wider = tool.post(
        "token/", grant_type="refresh_token", refresh_token=second["refresh_token"], scope="billing.write"
    )
    assert refused(wider) == "invalid_scope"
    assert tokens_there() == before
    told(tool.refresh(second["refresh_token"]))


def test_tokens_end_in_time(tool: Tool, billing_manager: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = connect(tool, billing_manager)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + ACCESS_LIFE)
    is_problem(program(tokens, billing_manager).get("billing"), 401)
    is_problem(program({"access_token": tokens["refresh_token"]}, billing_manager).get("billing"), 401)
    monkeypatch.setattr(timezone, "now", lambda: now + REFRESH_LIFE)
    assert refused(tool.refresh(tokens["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize("ending", sampled(["removed", "shut", "role", "disconnected", "last_day"], every=2))
def test_what_ends_the_right_ends_the_program_at_once(
    tool: Tool, admin: Membership, billing_manager: Membership, ending: str
) -> None:
    tokens, code = connect(tool, billing_manager), allow(tool, billing_manager)
    match ending:
        case "removed":
            orgs.remove_member(actor=admin, membership_id=billing_manager.pk)
            assert AuditEvent.objects.filter(action="program.ended").count() == 1
        case "role":
            orgs.change_role(
                actor=admin,
                membership_id=billing_manager.pk,
                role=Role.MEMBER,
                shown_role=Role.BILLING_MANAGER,
            )
            assert AuditEvent.objects.filter(action="program.ended").count() == 1
        case "last_day":
            Membership.objects.filter(pk=billing_manager.pk).update(
                last_day=timezone.now() - timedelta(days=2)
            )
        case "shut":
            type(billing_manager.user).objects.filter(pk=billing_manager.user_id).update(is_active=False)
        case "disconnected":
            disconnect(actor=billing_manager, connection_id=Connection.objects.get().pk)
            assert AuditEvent.objects.filter(action="program.revoked").count() == 1
    is_problem(program(tokens, billing_manager).get("billing"), 401)
    assert refused(tool.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert refused(tool.redeem(code)) == "invalid_grant"


def test_what_ended_does_not_come_back_with_a_new_yes(tool: Tool, billing_manager: Membership) -> None:
    old = connect(tool, billing_manager)
    disconnect(actor=billing_manager, connection_id=Connection.objects.get().pk)
    connect(tool, billing_manager)
    is_problem(program(old, billing_manager).get("billing"), 401)
    assert refused(tool.refresh(old["refresh_token"])) == "invalid_grant"


def test_a_program_ends_its_own_tokens_and_no_others(tool: Tool, billing_manager: Membership) -> None:
    kept, ended = connect(tool, billing_manager), connect(tool, billing_manager)
    assert Tool(ProgramFactory()).post("revoke/", token=ended["refresh_token"]).status_code == 200
    refused_as = Tool(tool.registered, secret="guessed").post("revoke/", token=ended["refresh_token"])
    assert refused(refused_as) == "invalid_client"
    told(program(ended, billing_manager).get("billing"))
    assert (
        tool.post("revoke/", token=ended["refresh_token"], token_type_hint="access_token").status_code == 200
    )
    is_problem(program(ended, billing_manager).get("billing"), 401)
    assert refused(tool.refresh(ended["refresh_token"])) == "invalid_grant"
    told(program(kept, billing_manager).get("billing"))
    assert tool.post("revoke/", token="unknown").status_code == 200


def test_what_holds_no_token_any_more_ends(
    tool: Tool, billing_manager: Membership, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that still listed it would tell that it can read."""
    signed_out, kept = connect(tool, billing_manager), connect(tool, admin)
    delete_old()
    assert Connection.objects.count() == 2
    tool.post("revoke/", token=signed_out["refresh_token"])
    delete_old()
    assert Connection.objects.get().membership == admin
    assert AuditEvent.objects.get(action="program.ended").data["reason"] == "unused"
    told(program(kept, admin).get("billing"))
    later = timezone.now() + REFRESH_LIFE
    monkeypatch.setattr(timezone, "now", lambda: later)
    delete_old()
    assert not Connection.objects.exists()


def test_saying_yes_twice_is_one_connection_and_told_twice(tool: Tool, billing_manager: Membership) -> None:
    """The second yes may be somebody else's, who has got tokens by it."""
    connect(tool, billing_manager)
    connect(tool, billing_manager)
    assert Connection.objects.count() == 1
    assert AuditEvent.objects.filter(action="program.allowed").count() == 2
    assert OutgoingEmail.objects.filter(kind="program_allowed").count() == 2


def test_a_body_is_sent_once_and_in_the_body(tool: Tool, billing_manager: Membership) -> None:
    code = allow(tool, billing_manager)
    assert refused(tool.post(f"token/?code={code}", grant_type="authorization_code")) == "invalid_request"
    twice = tool.client.post(
        "/oauth/token/",
        f"grant_type=authorization_code&grant_type=authorization_code&client_id={tool.registered.pk}"
        f"&client_secret={tool.secret}&code={code}&redirect_uri={BACK}&code_verifier={VERIFIER}",
        content_type="application/x-www-form-urlencoded",
    )
    assert refused(twice) == "invalid_request"


def test_what_postgres_can_not_store_is_nobodys_id() -> None:
    nul = base64.b64encode(b"a\0b:secret").decode()
    for path in ("token/", "revoke/", "device/code/"):
        for body, headers in (
            ("client_id=a%00b", {}),
            ("client_id=a%00b&client_secret=s", {}),
            ("client_id=x", {"Authorization": f"Basic {nul}"}),
        ):
            answer = Client().post(
                f"/oauth/{path}",
                f"{body}&grant_type=refresh_token&refresh_token=a%00b&token=a%00b",
                content_type="application/x-www-form-urlencoded",
                headers=headers,
            )
            assert refused(answer) in {"invalid_client", "invalid_request"}
