"""A command line: its code, the page where a person answers, and every misuse with its error of RFC 8628."""

import re
from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.test import Client
from django.utils import timezone

from orgs.models import Membership
from programs.models import DEVICE_LIFE, Connection, DeviceRequest
from programs.services import delete_old
from tests.programs.factories import CommandLineFactory, ProgramFactory
from tests.programs.tool import Tool, program, refused, told
from tests.world import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def tool() -> Tool:
    return Tool(CommandLineFactory())


def wait() -> None:
    """As long as the device has to, before it asks again."""
    ago = timezone.now() - timedelta(minutes=1)
    DeviceRequest.objects.update(polled_at=ago)


def answer(person: Membership, user_code: str, choice: str) -> str:
    """Type the code, then decide. Answers the text of the page to which that leads."""
    browser = signed_in(person.user)
    page = browser.post("/oauth/device/", {"code": user_code})
    assert page.status_code == 302, page.content
    data = {"answer": choice, "organization": str(person.organization_id)}
    return browser.post(page.headers["Location"], data, follow=True).content.decode()


def test_a_person_lets_a_command_line_read_billing(tool: Tool, billing_manager: Membership) -> None:
    begun = tool.begin_on_device()
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", begun["user_code"])
    assert begun["verification_uri"].endswith("/oauth/device/")
    assert begun["user_code"] not in begun["verification_uri"]
    assert "verification_uri_complete" not in begun
    assert (begun["interval"], begun["expires_in"]) == (5, DEVICE_LIFE.total_seconds())
    assert refused(tool.poll(begun["device_code"])) == "authorization_pending"
    typed = begun["user_code"].lower().replace("-", " ")
    assert "Ledger CLI may now read the billing of" in answer(billing_manager, typed, "allow")
    wait()
    # The device has not fetched its tokens, but it can.
    delete_old()
    tokens = told(tool.poll(begun["device_code"]))
    told(program(tokens, billing_manager).get("billing"))
    assert told(tool.refresh(tokens["refresh_token"]))["access_token"] != tokens["access_token"]
    assert refused(tool.poll(begun["device_code"])) == "invalid_grant"


def test_the_question_names_the_program_and_the_organization(tool: Tool, admin: Membership) -> None:
    browser = signed_in(admin.user)
    page = browser.post("/oauth/device/", {"code": tool.begin_on_device()["user_code"]}, follow=True)
    shown = page.content.decode()
    for text in (
        "Let Ledger CLI read billing?",
        admin.organization.name,
        "that device is yours",
        "change or pay",
    ):
        assert text in shown
    assert not Connection.objects.exists()


def test_a_refusal_reaches_the_device(tool: Tool, admin: Membership) -> None:
    begun = tool.begin_on_device()
    assert "Ledger CLI may not read billing" in answer(admin, begun["user_code"], "deny")
    assert refused(tool.poll(begun["device_code"])) == "access_denied"
    assert not Connection.objects.exists()
    assert not Token.objects.exists()


def test_a_device_that_asks_too_fast_has_to_slow_down(tool: Tool, admin: Membership) -> None:
    begun = tool.begin_on_device()
    assert refused(tool.poll(begun["device_code"])) == "authorization_pending"
    assert refused(tool.poll(begun["device_code"])) == "slow_down"
    DeviceRequest.objects.update(polled_at=timezone.now() - timedelta(seconds=7))
    assert refused(tool.poll(begun["device_code"])) == "slow_down"
    answer(admin, begun["user_code"], "allow")
    assert refused(tool.poll(begun["device_code"])) == "slow_down"
    wait()
    told(tool.poll(begun["device_code"]))


def test_a_device_that_comes_too_late_gets_nothing(
    tool: Tool, admin: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, allowed = tool.begin_on_device(), tool.begin_on_device()
    answer(admin, allowed["user_code"], "allow")
    found = DeviceRequest.objects.get(connection=None)
    browser = signed_in(admin.user)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + DEVICE_LIFE)
    for begun in (waiting, allowed):
        assert refused(tool.poll(begun["device_code"])) == "expired_token"
    page = browser.post(f"/oauth/device/{found.pk}/", {"answer": "allow"}, follow=True)
    assert "the code has expired" in page.content.decode()
    assert browser.post("/oauth/device/", {"code": waiting["user_code"]}).status_code == 422
    assert not Token.objects.exists()
    monkeypatch.setattr(timezone, "now", lambda: now + 3 * DEVICE_LIFE)
    delete_old()
    assert not DeviceRequest.objects.exists()


def test_an_answer_counts_once(tool: Tool, admin: Membership, billing_manager: Membership) -> None:
    begun = tool.begin_on_device()
    found = DeviceRequest.objects.get()
    answer(admin, begun["user_code"], "deny")
    page = signed_in(billing_manager.user).post(
        f"/oauth/device/{found.pk}/",
        {"answer": "allow", "organization": str(admin.organization_id)},
        follow=True,
    )
    assert "answered already" in page.content.decode()
    assert refused(tool.poll(begun["device_code"])) == "access_denied"


def test_a_device_code_is_of_one_program(tool: Tool, admin: Membership) -> None:
    begun = tool.begin_on_device()
    answer(admin, begun["user_code"], "allow")
    assert refused(tool.poll("wrong")) == "invalid_grant"
    assert refused(tool.poll("")) == "invalid_request"
    assert refused(Tool(CommandLineFactory()).poll(begun["device_code"])) == "invalid_grant"
    assert refused(tool.poll(begun["device_code"], client_id="nobody")) == "invalid_client"
    told(tool.poll(begun["device_code"]))


def test_only_programs_for_devices_begin_there(tool: Tool) -> None:
    public = Tool(CommandLineFactory(grant_types="authorization_code"))
    assert refused(public.post("device/code/")) == "unauthorized_client"
    nobody = tool.post("device/code/", client_id="nobody")
    assert refused(nobody) in {"invalid_request", "invalid_client"}
    keeps_a_secret = Tool(ProgramFactory(), secret="guessed")
    assert (
        refused(keeps_a_secret.post("device/code/", client_id=keeps_a_secret.registered.pk))
        == "invalid_client"
    )
    assert refused(tool.post("device/code/", scope="openid")) == "invalid_scope"
    in_the_address = f"device/code/?client_id={tool.registered.pk}"
    assert refused(tool.post(in_the_address, client_id=None, scope="billing.read")) == "invalid_request"
    assert not DeviceRequest.objects.exists()


def test_codes_lie_nowhere_in_clear(tool: Tool) -> None:
    begun = tool.begin_on_device()
    (row,) = DeviceRequest.objects.values()
    for code in (begun["device_code"], begun["user_code"], begun["user_code"].replace("-", "")):
        assert code not in str(row)


def test_guessing_a_code_is_slow(tool: Tool, admin: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.ACCOUNT_RATE_LIMITS, "device_user_code", "2/5m/user")
    browser = signed_in(admin.user)
    answers = [browser.post("/oauth/device/", {"code": "BBBB-BBBB"}).status_code for _guess in range(3)]
    assert answers == [422, 422, 429]
    begun = tool.begin_on_device()
    assert browser.post("/oauth/device/", {"code": begun["user_code"]}).status_code == 429
    assert "/login/" in Client().post("/oauth/device/", {"code": begun["user_code"]}).headers["Location"]
