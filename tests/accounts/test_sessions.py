"""Where a person is signed in, when each session was last used, and the end of one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import caches
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.sessions import NOTED_EVERY
from bench.statements import sent_statements
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)


@contextmanager
def minutes_later(minutes: int) -> Iterator[datetime]:
    """The portal's clocks so many minutes on."""
    now = timezone.now() + timedelta(minutes=minutes)
    with (
        patch("django.utils.timezone.now", lambda: now),
        patch("time.time", now.timestamp),
    ):
        yield now


def browser_of(user: User, agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def listed(client: Client) -> str:
    return " ".join(client.get(reverse("usersessions_list")).content.decode().split())


def others_named_by(client: Client) -> list[str]:
    return re.findall(r'name="session" type="hidden" value="([^"]+)"', listed(client))


def end(client: Client, session: str) -> HttpResponse:
    return client.post(reverse("session_end"), {"session": session}, follow=True)


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("organizations")).status_code == 200


@pytest.mark.slow
def test_one_session_is_signed_out_at_once_and_no_other_is() -> None:
    user = UserFactory()
    here, phone, tablet = browser_of(user), browser_of(user, SAFARI), browser_of(user, SAFARI)
    phones = UserSession.objects.get(session_key=phone.session.session_key)
    names = {name.partition(":")[0]: name for name in others_named_by(here)}
    assert len(names) == 2
    answer = end(here, names[str(phones.pk)])
    assert "Mobile Safari 18 on iOS is signed out." in answer.content.decode()
    assert [is_signed_in(client) for client in (here, phone, tablet)] == [True, False, True]
    assert here.session.session_key in {session.session_key for session in UserSession.objects.all()}


def test_pressing_again_says_that_it_has_ended() -> None:
    user = UserFactory()
    here = browser_of(user)
    browser_of(user)
    (other,) = others_named_by(here)
    end(here, other)
    assert "That session has ended already." in end(here, other).content.decode()
    assert is_signed_in(here)


def test_the_present_session_leads_to_sign_out() -> None:
    user = UserFactory()
    here, other = browser_of(user), browser_of(user)
    page = listed(here)
    assert page.count("This session") == 1
    assert f'action="{reverse("account_logout")}"' in page.partition("This session")[2]
    (here_named_elsewhere,) = others_named_by(other)
    answer = end(here, here_named_elsewhere)
    assert answer.redirect_chain == [(reverse("account_logout"), 302)]
    assert is_signed_in(here)


def test_anothers_session_is_not_found() -> None:
    user, stranger = UserFactory(), UserFactory()
    here, there = browser_of(user), browser_of(user)
    strangers = browser_of(stranger)
    for session in others_named_by(here):
        assert end(strangers, session).status_code == 404
    assert is_signed_in(there)


@pytest.mark.parametrize(
    "session", ["", "1", "{pk}", "{pk}:", "{pk}:AAAA", "{key}", "x" * 3000, "\x00", "\ud800"]
)
def test_a_made_up_reference_is_not_found(session: str) -> None:
    user = UserFactory()
    here, there = browser_of(user), browser_of(user)
    row = UserSession.objects.get(session_key=there.session.session_key)
    name = session.format(pk=row.pk, key=row.session_key).encode("utf-8", "surrogatepass").decode("latin-1")
    assert end(here, name).status_code == 404
    assert is_signed_in(there)


def test_signing_out_the_others_stays() -> None:
    user = UserFactory()
    here, other = browser_of(user), browser_of(user)
    assert "Sign out other sessions" in listed(here)
    here.post(reverse("usersessions_list"))
    assert [is_signed_in(here), is_signed_in(other)] == [True, False]


def test_the_list_says_when_from_where_and_by_what_each_was_last_used() -> None:
    user = UserFactory()
    here = browser_of(user)
    other = browser_of(user, SAFARI, "192.0.2.2")
    began = timezone.now() - timedelta(days=2)
    rows = UserSession.objects.filter(session_key=other.session.session_key)
    rows.update(created_at=began, last_seen_at=began)
    row = listed(here).partition("Mobile Safari 18 on iOS")[2]
    assert "2 days ago" in row
    assert "192.0.2.2" in row
    with minutes_later(6):
        other.get(reverse("organizations"), REMOTE_ADDR="192.0.2.3", HTTP_USER_AGENT=FIREFOX)
    row = listed(here).partition("192.0.2.3")[2]
    assert "now" in row.partition("Sign out")[0]
    assert "192.0.2.2" not in listed(here)
    assert "Mobile Safari" not in listed(here)
    assert rows.get().created_at == began


def test_a_use_is_noted_anew_when_five_minutes_have_passed() -> None:
    client = browser_of(UserFactory())
    seen = []
    for minutes in (0, 2, 4, 6, 8, 10, 12):
        with minutes_later(minutes) as now:
            client.get(reverse("organizations"))
            last = UserSession.objects.get().last_seen_at
            assert now - last <= NOTED_EVERY
        seen.append(last)
    assert len(set(seen)) == 3


def test_pages_pay_nothing_for_it_but_for_one_in_five_minutes() -> None:
    client = browser_of(UserFactory())

    def statements() -> int:
        with sent_statements() as sent:
            client.get(reverse("organizations"))
        return sum("usersessions" in statement for statement in sent)

    assert [statements() for _again in range(3)] == [0, 0, 0]
    with minutes_later(6):
        assert [statements() for _again in range(3)] == [1, 0, 0]


def test_a_process_that_forgot_changes_nothing_that_is_noted_already() -> None:
    client = browser_of(UserFactory())
    with minutes_later(6):
        client.get(reverse("organizations"))
    noted = UserSession.objects.get().last_seen_at
    caches["process"].clear()
    with minutes_later(8):
        client.get(reverse("organizations"))
    assert UserSession.objects.get().last_seen_at == noted


def test_a_visitor_without_a_session_costs_no_statement() -> None:
    with sent_statements() as statements:
        Client().get(reverse("healthz"))
        Client().get(reverse("account_login"))
    assert statements == []
