"""Signing in and up: nobody learns who has an account, guesses for long, or keeps an old session."""

import statistics
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp_auth
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import hashers
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from orgs.models import Membership
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import PASSWORD, UserFactory
from tests.world import signed_in

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def sign_in_as(user: User, client: Client | None = None, password: str = PASSWORD) -> HttpResponse:
    return (client or Client()).post(LOGIN, {"login": user.email, "password": password})


def shape(response: HttpResponse, address: str) -> tuple[int, str, str, list[str]]:
    """What a visitor sees of an answer: the address he typed, and what changes each time, left out."""
    body = response.content.decode().replace(address, "ADDRESS")
    token = body.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    if token:
        body = body.replace(token, "TOKEN")
    names = sorted({*response.headers} - {"Content-Length", "Expires"})
    return response.status_code, response.headers.get("Location", ""), body, names


# --- Enumeration ---------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], HttpResponse]] = {
    "sign-in": lambda email: Client().post(LOGIN, {"login": email, "password": "a wrong guess"}),
    "sign-up": lambda email: Client().post(
        "/accounts/signup/", {"email": email, "name": "Lee", "password1": "a sound password"}, follow=True
    ),
    "reset": lambda email: Client().post("/accounts/password/reset/", {"email": email}, follow=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_answers_alike_whoever_has_an_account(form: str) -> None:
    people = [
        UserFactory().email,
        UserFactory(verified=False).email,
        UserFactory(is_active=False).email,
        "nobody@ledger.test",
    ]
    answers = [shape(FORMS[form](address), address) for address in people]
    assert answers == [answers[0]] * len(answers)


@pytest.mark.parametrize("form", ["sign-up", "reset"])
def test_each_address_gets_one_mail_whoever_has_an_account(form: str) -> None:
    for address in (UserFactory().email, UserFactory(verified=False).email, "nobody@ledger.test"):
        FORMS[form](address)
        assert OutgoingEmail.objects.filter(to=address).count() == 1, address


def test_the_invite_form_answers_alike_whoever_has_an_account(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    url = reverse("managers_invite", args=[admin.organization.slug])
    answers = [
        shape(client.post(url, {"email": address}, follow=True), address)
        for address in (UserFactory().email, UserFactory(verified=False).email, "nobody@ledger.test")
    ]
    # One invitation more each time: the message and the status are what could tell.
    assert {answer[:2] for answer in answers} == {(200, "")}
    assert all("Invitation sent to ADDRESS." in answer[2] for answer in answers)
    assert OutgoingEmail.objects.filter(kind="invitation_sent").count() == 3


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"])
@patch.object(hashers.PBKDF2PasswordHasher, "iterations", 1)
@pytest.mark.parametrize("form", ["sign-in", "sign-up"])
def test_an_unknown_address_costs_a_password_hash_too(form: str) -> None:
    """Hashing is nearly all of the time that these forms take, so it is what a stop watch would see."""

    def hashes(address: str) -> int:
        with patch.object(
            hashers.PBKDF2PasswordHasher,
            "encode",
            autospec=True,
            side_effect=hashers.PBKDF2PasswordHasher.encode,
        ) as encode:
            FORMS[form](address)
        return int(encode.call_count)

    known = UserFactory()
    known.set_password(PASSWORD)
    known.save()
    assert hashes(known.email) == hashes("nobody@ledger.test") >= 1


@pytest.mark.slow
def test_the_time_of_a_reset_tells_nothing() -> None:
    def seconds(address: str) -> float:
        begun = time.perf_counter()
        FORMS["reset"](address)
        return time.perf_counter() - begun

    known = [UserFactory().email for _ in range(9)]
    unknown = [f"nobody{n}@ledger.test" for n in range(9)]
    times = [(seconds(mine), seconds(theirs)) for mine, theirs in zip(known, unknown, strict=True)]
    mine, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    assert abs(mine - theirs) < max(mine, theirs) / 2


def test_an_unverified_account_is_not_told_apart_without_its_password() -> None:
    user = UserFactory(verified=False)
    assert shape(sign_in_as(user, password="a wrong guess"), user.email) == shape(
        FORMS["sign-in"]("nobody@ledger.test"), "nobody@ledger.test"
    )


# --- Guessing ------------------------------------------------------------------------------------------


def guesses_until_stopped(most: int = 15, **headers: str) -> int:
    user = UserFactory()
    for count in range(most):
        answer = Client().post(
            LOGIN,
            {"login": user.email, "password": f"guess {count}"},
            headers={name: value.format(n=count) for name, value in headers.items()},
        )
        if answer.status_code == 429 or b"Too many failed" in answer.content:
            assert sign_in_as(user).status_code != 302, "the right password opens no locked door"
            return count
    return most


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "203.0.113.{n}"},
        {"X-Forwarded-For": "203.0.113.{n}, 127.0.0.1"},
        {"X-Real-IP": "203.0.113.{n}", "Forwarded": "for=203.0.113.{n}"},
    ],
    ids=str,
)
def test_guessing_is_stopped_whatever_address_a_header_claims(headers: dict[str, str]) -> None:
    assert guesses_until_stopped(**headers) <= 5


def test_many_requests_from_one_address_are_stopped_with_a_page() -> None:
    """Another account each time: only the address they come from can stop them."""
    for count in range(40):
        answer = Client().post(
            "/accounts/password/reset/",
            {"email": f"nobody{count}@ledger.test"},
            headers={"X-Forwarded-For": f"203.0.113.{count}", "X-Real-IP": f"203.0.113.{count}"},
        )
        if answer.status_code == 429:
            break
    assert count == 20
    assert "Too many attempts" in answer.content.decode()
    assert OutgoingEmail.objects.count() == 20


@override_settings(REDIS_URL="redis://127.0.0.1:1/0", CELERY_BROKER_URL="redis://127.0.0.1:1/0")
def test_limits_hold_while_redis_is_down() -> None:
    assert "Database" in type(cache._connections[cache._alias]).__name__  # type: ignore[attr-defined]
    assert guesses_until_stopped() <= 5


def test_anothers_guesses_lock_nobody_out_of_another_account() -> None:
    guesses_until_stopped()
    assert sign_in_as(UserFactory(), Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


def test_codes_of_the_second_factor_are_not_guessed() -> None:
    user = UserFactory()
    TOTP.activate(user, SECRET)
    client = Client()
    assert sign_in_as(user, client).headers["Location"].startswith(reverse("mfa_authenticate"))
    right = {format_hotp_value(hotp_value(SECRET, counter)) for counter in yield_hotp_counters_from_time()}
    wrong = next(code for code in ("000000", "000001", "000002", "000003") if code not in right)
    answers = [client.post(reverse("mfa_authenticate"), {"code": wrong}) for _ in range(12)]
    assert answers[-1].status_code == 429 or b"Too many" in answers[-1].content
    assert "_auth_user_id" not in client.session


# --- Second factor -------------------------------------------------------------------------------------


def present_code() -> str:
    return format_hotp_value(hotp_value(SECRET, list(yield_hotp_counters_from_time())[-1]))


def test_a_code_works_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its half minute doesn't end in between.
    now = time.time()
    monkeypatch.setattr(totp_auth, "time", SimpleNamespace(time=lambda: now))
    user = UserFactory()
    TOTP.activate(user, SECRET)
    code = present_code()
    first, second = Client(), Client()
    for client in (first, second):
        sign_in_as(user, client)
    first.post(reverse("mfa_authenticate"), {"code": code})
    assert "_auth_user_id" in first.session
    replayed = second.post(reverse("mfa_authenticate"), {"code": code})
    assert replayed.status_code == 200
    assert "_auth_user_id" not in second.session


def test_the_password_alone_opens_nothing_where_a_second_factor_is() -> None:
    user = UserFactory(is_staff=True, is_superuser=True)
    TOTP.activate(user, SECRET)
    client = Client()
    sign_in_as(user, client)
    for name in ("organizations", "admin:index", "mfa_index", "account_email", "usersessions_list"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302, name
        assert "/login/" in answer.headers["Location"] or "2fa" in answer.headers["Location"], name


def test_the_admin_has_no_form_of_its_own() -> None:
    staff = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    answer = client.post(reverse("admin:login"), {"username": staff.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session


def test_taking_the_second_factor_off_asks_for_the_password() -> None:
    user = UserFactory()
    TOTP.activate(user, SECRET)
    client = Client()
    client.force_login(user)
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert "reauthenticate" in answer.headers["Location"]
    assert Authenticator.objects.filter(user=user).exists()


# --- Sessions ------------------------------------------------------------------------------------------


def test_signing_in_and_out_change_the_session() -> None:
    client, user = Client(), UserFactory()
    session = client.session
    session["planted"] = "by another"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    sign_in_as(user, client)
    during = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert during != before
    client.post(reverse("account_logout"))
    stolen = Client()
    for key in (before, during):
        stolen.cookies[settings.SESSION_COOKIE_NAME] = key
        assert stolen.get("/orgs/").status_code == 302


def test_a_session_key_of_ones_own_making_is_not_taken() -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    sign_in_as(UserFactory(), client)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != "a" * 32


def test_signing_out_is_not_done_by_a_get() -> None:
    client = signed_in(UserFactory())
    client.get(reverse("account_logout"))
    assert client.get("/orgs/").status_code == 200


@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_ends_every_other_session(way: str, mailoutbox: list[object]) -> None:
    user = UserFactory()
    mine, other = Client(), Client()
    for client in (mine, other):
        sign_in_as(user, client)
        assert client.get("/orgs/").status_code == 200
    new = {"password1": "another sound one", "password2": "another sound one"}
    if way == "change":
        mine.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new})
        assert mine.get("/orgs/").status_code == 200
    else:
        user.set_password("another sound one")
        user.save()
    assert other.get("/orgs/").status_code == 302
    assert sign_in_as(user).status_code == 200, "the old password is gone"


def test_a_person_ends_the_other_sessions_but_nobody_elses() -> None:
    user, stranger = UserFactory(), UserFactory()
    mine, other, strangers = Client(), Client(), Client()
    sign_in_as(user, mine)
    sign_in_as(user, other)
    sign_in_as(stranger, strangers)
    for client in (mine, other, strangers):
        client.get("/orgs/")
    assert UserSession.objects.count() == 3
    page = mine.get(reverse("usersessions_list")).content.decode()
    assert stranger.email not in page
    assert not any(session.session_key in page for session in UserSession.objects.all())
    mine.post(reverse("usersessions_list"))
    assert [client.get("/orgs/").status_code for client in (mine, other, strangers)] == [200, 302, 200]


def test_a_closed_account_is_out_at_once() -> None:
    user = UserFactory()
    client = Client()
    sign_in_as(user, client)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/orgs/").status_code == 302
    assert "_auth_user_id" not in client.session or client.get("/orgs/").status_code == 302


# --- Whose address -------------------------------------------------------------------------------------

LOOK_ALIKES = [
    "lee@le\u0501ger.test",
    "\u0430dmin@ledger.test",
    "lee@ledger.te\u017ft",
    "l\u00e9e@ledger.test",
]


@pytest.mark.parametrize("typed", LOOK_ALIKES, ids=ascii)
def test_an_account_has_no_look_alike_address(typed: str) -> None:
    """On the members page it would read as somebody else's."""
    answer = FORMS["sign-up"](typed)
    assert answer.status_code == 200
    assert answer.context["form"].errors["email"]
    client = signed_in(UserFactory())
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"email": typed, "action_add": ""})
    assert not EmailAddress.objects.filter(email=typed).exists()
    assert not OutgoingEmail.objects.exists()


TWINS = ["LEE@ledger.test", "lee@LEDGER.test", "lee@ledger.te\u017ft", "\u212aim@ledger.test"]


@pytest.mark.parametrize("typed", TWINS, ids=ascii)
def test_a_mail_for_an_account_goes_to_its_own_address_only(typed: str) -> None:
    """A look-alike that a database takes for the same must not be where the link is sent (CVE-2019-19844)."""
    for email in ("lee@ledger.test", "kim@ledger.test"):
        UserFactory(email=email)
    Client().post("/accounts/password/reset/", {"email": typed})
    for mail in OutgoingEmail.objects.filter(kind="account_password_reset"):
        assert mail.to in {"lee@ledger.test", "kim@ledger.test"}
        assert User.objects.get(pk=mail.params["user_id"]).email == mail.to


@pytest.mark.parametrize("typed", TWINS, ids=ascii)
def test_nobody_takes_an_address_twice(typed: str) -> None:
    for email in ("lee@ledger.test", "kim@ledger.test"):
        UserFactory(email=email)
    FORMS["sign-up"](typed)
    for email in ("lee@ledger.test", "kim@ledger.test"):
        assert User.objects.filter(email__iexact=email).count() == 1
        assert EmailAddress.objects.filter(email__iexact=email).count() == 1


def test_a_change_of_address_needs_proof_and_takes_nobodys(mailoutbox: list[object]) -> None:
    victim, user = UserFactory(), UserFactory()
    client = signed_in(user)
    sign_in_as(user, client)
    for address in (victim.email, "new@ledger.test"):
        client.post(reverse("account_email"), {"email": address, "action_add": ""})
        user.refresh_from_db()
        assert user.email not in {victim.email, "new@ledger.test"}
        assert not EmailAddress.objects.filter(user=user, email=address, verified=True).exists()


def test_a_confirmation_link_cannot_be_forged() -> None:
    user = UserFactory(verified=False)
    address = EmailAddress.objects.get(user=user)
    for key in (f"{address.pk}", f"{address.pk}:x:y", f"{address.pk}:1u0000:{'A' * 43}", "x" * 3000, "%00"):
        answer = Client().post(f"/accounts/confirm-email/{key}/")
        assert answer.status_code in {200, 302, 404}
    address.refresh_from_db()
    assert not address.verified
