"""Limits protect an account and leave its neighbors alone; whoever is stopped reads how long to wait."""

import re
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.core.internal.ratelimit import parse_rates
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from celery.schedules import crontab
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from accounts import limits
from accounts.tasks import clear_limits
from orgs.checks import all_routes
from outbox.models import OutgoingEmail
from tests.factories import PASSWORD, UserFactory
from tests.races import at_once
from tests.world import signed_in

pytestmark = pytest.mark.django_db

SetClock = Callable[[float], None]

OFFICE = "198.51.100.7"
PER_ACCOUNT = 5
PER_ADDRESS = 100
FEW = PER_ACCOUNT + 3
FEW_PER_ADDRESS = override_settings(
    ACCOUNT_RATE_LIMITS={**settings.ACCOUNT_RATE_LIMITS, "login_failed_from_address": f"{FEW}/5m/ip"}
)


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Says how many seconds have passed. Of itself it only ticks: no test hangs on how long it takes."""
    begun, ticks = time.time(), count()

    def pass_seconds(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: begun + seconds + next(ticks) / 10_000)

    pass_seconds(0)
    return pass_seconds


def browser(address: str = OFFICE, **environ: str) -> Client:
    return Client(REMOTE_ADDR=address, **environ)


def sign_in(email: str, password: str = PASSWORD, client: Client | None = None) -> HttpResponse:
    return (client or browser()).post(reverse("account_login"), {"login": email, "password": password})


def lock(email: str, *, address: str = OFFICE) -> None:
    for number in range(PER_ACCOUNT):
        assert sign_in(email, f"guess {number}", browser(address)).status_code == 200


def told(response: HttpResponse) -> str:
    """The sentence on the wait, after a look at what every such answer must have."""
    assert response.status_code == 429
    seconds = int(response.headers["Retry-After"])
    assert seconds >= 1
    page = " ".join(response.content.decode().split())
    found = re.search(r"<p> (T[^<]+ Try again in [^<]+\.) </p>", page)
    assert found is not None
    sentence = found[1]
    assert sentence.endswith(f"Try again in {limits.in_words(seconds)}.")
    return sentence


# --- An account, and its neighbors -----------------------------------------------------------------------


def test_an_office_signs_in_while_one_of_its_people_forgot_the_password() -> None:
    lock(UserFactory().email)
    for _colleague in range(3):
        assert sign_in(UserFactory().email).status_code == 302


@pytest.mark.slow
def test_an_office_signs_in_while_many_of_its_people_mistype() -> None:
    for _person in range(30):
        assert sign_in(UserFactory().email, "a slip").status_code == 200
    assert sign_in(UserFactory().email).status_code == 302


def test_a_locked_account_says_how_long() -> None:
    user = UserFactory()
    lock(user.email)
    assert told(sign_in(user.email)) == "Too many failed sign-ins for this account. Try again in 5 minutes."


def test_the_wait_gets_shorter_and_ends(clock: SetClock) -> None:
    user = UserFactory()
    lock(user.email)
    for later, sentence in {70: "in 4 minutes.", 245: "in 55 seconds.", 299: "in 1 second."}.items():
        clock(later)
        assert told(sign_in(user.email)).endswith(sentence)
    clock(301)
    assert sign_in(user.email).status_code == 302


def test_an_account_is_locked_from_whatever_address_the_guesses_come() -> None:
    user = UserFactory()
    for number in range(PER_ACCOUNT):
        sign_in(user.email, f"guess {number}", browser(f"203.0.113.{number}"))
    assert sign_in(user.email, client=browser("203.0.113.99")).status_code == 429


VARIANTS: list[Callable[[str], str]] = [str.upper, str.title, lambda email: f"  {email}\t", "\u00a0{}".format]


def test_an_address_in_capitals_or_with_spaces_is_the_same_account() -> None:
    user = UserFactory()
    for number in range(PER_ACCOUNT):
        sign_in(VARIANTS[number % len(VARIANTS)](user.email), f"guess {number}")
    for variant in (str, *VARIANTS):
        assert sign_in(variant(user.email)).status_code == 429, ascii(variant(user.email))


def test_another_port_in_the_host_header_is_no_other_account() -> None:
    user = UserFactory()
    for number in range(PER_ACCOUNT):
        sign_in(user.email, f"guess {number}", browser(HTTP_HOST=f"localhost:{8000 + number}"))
    assert sign_in(user.email, client=browser(HTTP_HOST="localhost:9000")).status_code == 429


@pytest.mark.slow
def test_an_unknown_account_locks_like_a_known_one() -> None:
    known, unknown = UserFactory().email, "nobody@ledger.test"
    for email in (known, unknown):
        lock(email)
    answers = [sign_in(email, "one more") for email in (known, unknown)]
    sentence = "Too many failed sign-ins for this account. Try again in 5 minutes."
    assert [told(answer) for answer in answers] == [sentence, sentence]


@pytest.mark.slow
def test_a_right_password_is_no_failure() -> None:
    user = UserFactory()
    for _again in range(3 * PER_ACCOUNT):
        assert sign_in(user.email).status_code == 302


def test_the_owner_gets_in_from_a_known_browser_while_others_guess() -> None:
    user = UserFactory()
    own = browser()
    sign_in(user.email, client=own)
    own.post(reverse("account_logout"))
    lock(user.email, address="203.0.113.5")
    assert sign_in(user.email, client=browser()).status_code == 429
    assert sign_in(user.email, client=own).status_code == 302


@pytest.mark.slow
def test_a_known_browser_guesses_no_more_than_any_other_and_at_no_other_account() -> None:
    user, victim = UserFactory(), UserFactory()
    known = browser()
    sign_in(user.email, client=known)
    known.post(reverse("account_logout"))
    lock(victim.email)
    assert sign_in(victim.email, client=known).status_code == 429
    for number in range(PER_ACCOUNT):
        sign_in(user.email, f"guess {number}", known)
    assert sign_in(user.email, client=known).status_code == 429


def test_a_browser_is_known_by_our_signature_only() -> None:
    user = UserFactory()
    lock(user.email)
    forger = browser()
    forger.cookies[limits.KNOWN_BROWSER] = "abc:1u0000:" + "A" * 43
    assert sign_in(user.email, client=forger).status_code == 429


def test_a_new_password_by_mail_ends_the_wait() -> None:
    user = UserFactory()
    lock(user.email)
    client = browser()
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    link = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), token])
    form = client.get(link).headers["Location"]
    new = "another sound one"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    assert sign_in(user.email, new).status_code == 302


# --- An address ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_address_that_fails_at_many_accounts_is_stopped_and_nobody_elsewhere_is() -> None:
    user = UserFactory()
    for number in range(PER_ADDRESS):
        assert sign_in(f"nobody{number}@ledger.test", "a guess").status_code == 200
    sentence = "Too many failed sign-ins from your network. Try again in 5 minutes."
    for _again in range(PER_ACCOUNT + 1):
        assert told(sign_in(user.email)) == sentence
    # What was refused there is no failure of the account.
    assert sign_in(user.email, client=browser("203.0.113.1")).status_code == 302


@FEW_PER_ADDRESS
def test_tries_at_a_locked_account_use_up_nothing_of_the_address() -> None:
    locked = UserFactory()
    lock(locked.email)
    for _again in range(FEW):
        assert sign_in(locked.email, "a script that goes on").status_code == 429
    assert sign_in(UserFactory().email).status_code == 302


@FEW_PER_ADDRESS
def test_a_right_code_gives_back_no_guesses_at_others_accounts() -> None:
    """allauth forgets the failures of whoever types a right code; those of their address must stay."""
    attacker = UserFactory()
    TOTP.activate(attacker, SECRET)
    for number in range(FEW - 1):
        sign_in(f"nobody{number}@ledger.test", "a guess")
    client = browser()
    sign_in(attacker.email, client=client)
    client.post(reverse("mfa_authenticate"), {"code": present_code()})
    assert "_auth_user_id" in client.session
    sign_in("nobody@ledger.test", "the last guess")
    assert sign_in("somebody@ledger.test", "one more").status_code == 429


SPOOFED = ["203.0.113.{n}", "203.0.113.{n}, 127.0.0.1", "203.0.113.{n},10.0.0.1,10.0.0.2"]


@pytest.mark.parametrize("claimed", SPOOFED)
@FEW_PER_ADDRESS
@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_behind_a_proxy_the_address_is_what_the_proxy_noted(claimed: str) -> None:
    for number in range(FEW):
        header = f"{claimed.format(n=number)}, {OFFICE}"
        sign_in(f"nobody{number}@ledger.test", "a guess", browser("10.0.0.9", HTTP_X_FORWARDED_FOR=header))
    stopped = sign_in("nobody@ledger.test", client=browser("10.0.0.9", HTTP_X_FORWARDED_FOR=OFFICE))
    assert stopped.status_code == 429
    another = browser("10.0.0.9", HTTP_X_FORWARDED_FOR="203.0.113.200")
    assert sign_in(UserFactory().email, client=another).status_code == 302


@pytest.mark.parametrize("proxies", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "header", ["", ",", "unknown", "203.0.113.1", "_hidden, 203.0.113.1", "x" * 5000, "[::1"]
)
def test_an_odd_header_of_a_proxy_keeps_nobody_out(header: str, proxies: int) -> None:
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        client = browser(HTTP_X_FORWARDED_FOR=header)
        assert sign_in(UserFactory().email, client=client).status_code == 302


# --- The counts ------------------------------------------------------------------------------------------


def test_counts_outlast_a_flood_of_others() -> None:
    """Beyond MAX_ENTRIES Django throws out what it comes by: flooding must not unlock an account."""
    user = UserFactory()
    lock(user.email)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_cache (cache_key, value, expires)"
            " SELECT ':1:~' || n, '', now() + interval '1 hour' FROM generate_series(1, 5000) AS n"
        )
    sign_in("nobody@ledger.test", "a guess")
    assert sign_in(user.email).status_code == 429


def test_counts_that_ran_out_are_deleted() -> None:
    cache.set("holds", [1.0], 60)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_cache (cache_key, value, expires)"
            " VALUES (':1:old', '', now() - interval '1 s')"
        )
        clear_limits()
        cursor.execute("SELECT cache_key FROM django_cache")
        assert [key for (key,) in cursor.fetchall()] == [":1:holds"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_guesses_at_one_instant_do_not_slip_past_the_limit() -> None:
    user = UserFactory()
    answers = at_once(
        *[lambda number=number: sign_in(user.email, f"guess {number}").status_code for number in range(12)]
    )
    assert set(answers) == {200, 429}
    assert answers.count(200) <= PER_ACCOUNT


# --- The other limits ------------------------------------------------------------------------------------

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# By what the person cannot reach here: no telephone, no sign-in by a mailed code.
NOT_IN_USE = {"change_phone", "verify_phone", "request_login_code"}
# No page: the mail is not sent a second time, and the first one holds.
SILENT = {"confirm_email", limits.MAILED}


def present_code() -> str:
    return format_hotp_value(hotp_value(SECRET, list(yield_hotp_counters_from_time())[-1]))


@pytest.mark.parametrize("known", [True, False])
def test_a_stranger_fills_nobodys_mailbox_by_signing_up(known: bool) -> None:
    email = UserFactory().email if known else "nobody@ledger.test"
    for _again in range(4):
        data = {"email": email, "name": "Lee", "password1": "a sound password"}
        assert browser().post(reverse("account_signup"), data).status_code == 302
    assert OutgoingEmail.objects.filter(to=email).count() == 1


def test_no_limit_of_an_address_stops_an_office() -> None:
    for action, rates in app_settings.RATE_LIMITS.items():
        for rate in parse_rates(rates):
            if rate.per == "ip" and action not in NOT_IN_USE:
                assert rate.amount * 60 / rate.duration >= 20, action


def test_every_limit_has_its_page() -> None:
    told_by_themselves = {
        limits.BY_ACCOUNT,
        limits.BY_ADDRESS,
        "payment_link",
        "invitation_ask",
        "program_endpoint",
        "device_begin",
        "device_user_code",
    }
    assert {*limits.LIMIT_OF_PAGE.values()} == {
        *app_settings.RATE_LIMITS
    } - NOT_IN_USE - SILENT - told_by_themselves
    assert {*limits.LIMIT_OF_PAGE} <= {route.name for route in all_routes()}


@pytest.mark.parametrize("page", limits.LIMIT_OF_PAGE)
def test_whoever_is_stopped_anywhere_reads_how_long(page: str) -> None:
    user = UserFactory()
    if page == "mfa_reauthenticate":
        TOTP.activate(user, SECRET)
    key = {"account_reset_password_from_key": ["0", "set-password"]}.get(page, [])
    entrance = page in {"account_login", "account_signup"} or "reset" in page
    if page == "account_set_password":
        user.set_unusable_password()
        user.save()
    client = browser() if entrance else signed_in(user)
    action = limits.LIMIT_OF_PAGE[page]
    for per in {rate.per for rate in parse_rates(app_settings.RATE_LIMITS[action])}:
        cache.clear()
        with override_settings(ACCOUNT_RATE_LIMITS={action: f"1/7m/{per}"}):
            data = {"email": "Nobody@Ledger.test", "action_add": ""}
            answers = [client.post(reverse(page, args=key), data) for _again in range(2)]
            assert told(answers[1]).endswith("Try again in 7 minutes.")


def test_after_slow_slips_one_waits_until_the_first_is_forgotten(clock: SetClock) -> None:
    user = UserFactory()
    for number in range(PER_ACCOUNT):
        clock(50 * number)
        sign_in(user.email, "a slip")
    assert told(sign_in(user.email)).endswith("Try again in 2 minutes.")


@pytest.mark.slow
@pytest.mark.parametrize("step", ["sign-in", "again", "set-up"])
def test_wrong_codes_are_stopped_with_the_wait(step: str) -> None:
    user = UserFactory()
    client = browser()
    if step == "set-up":
        sign_in(user.email, client=client)
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        page = reverse("mfa_activate_totp")
        client.get(page)
    else:
        TOTP.activate(user, SECRET)
        sign_in(user.email, client=client)
        page = reverse("mfa_authenticate")
        if step == "again":
            client.post(page, {"code": present_code()})
            page = reverse("mfa_reauthenticate")
    for _again in range(PER_ACCOUNT):
        assert client.post(page, {"code": "12345"}).status_code == 200
    assert told(client.post(page, {"code": "12345"})) == "Too many wrong codes. Try again in 5 minutes."


def test_somebodys_guesses_keep_nobody_from_confirming_it_is_them() -> None:
    user = UserFactory()
    client = browser()
    sign_in(user.email, client=client)
    lock(user.email, address="203.0.113.5")
    answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert answer.status_code == 302


def test_the_counts_are_cleared_each_hour() -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["limits-clear"]["schedule"]
    assert isinstance(schedule, crontab)
    assert schedule.hour == {*range(24)}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (240, "4 minutes")],
)
def test_a_wait_is_rounded_up(seconds: int, words: str) -> None:
    assert limits.in_words(seconds) == words
