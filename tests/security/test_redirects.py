"""No address in ``next`` leads off this site, and no request's host ends in a mail or a link."""

from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from orgs.models import Membership
from outbox.delivery import deliver_due
from tests.conftest import SignIn
from tests.factories import PASSWORD, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import page_of
from tests.invitations.test_invitee import opened
from tests.sampling import Part, in_parts
from tests.world import signed_in

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    "https://evil.test/",
    "http://evil.test/",
    "//evil.test/",
    "///evil.test/",
    "////evil.test/",
    "/\\evil.test/",
    "\\\\evil.test/",
    "\\/evil.test",
    "https:evil.test",
    "https:/evil.test",
    "http:///evil.test",
    "https://testserver@evil.test/",
    "https://testserver.evil.test/",
    "//testserver:80@evil.test",
    "/\t/evil.test/",
    "\t//evil.test/",
    " //evil.test/",
    "\n//evil.test",
    "/%09/evil.test",
    "/%5cevil.test",
    "/%2f%2fevil.test",
    "/.//evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://testserver/",
    "http://[evil.test",
    "/\x00/evil.test",
    "/\r\nSet-Cookie: stolen=1",
    "h\u2024ttps://evil.test",
    "//evil\u3002test/",
    "x" * 5000,
]
HERE = "http://testserver"


def assert_stays(response: HttpResponse, next_url: str) -> None:
    """Where a browser ends up: it drops tabs and line ends, and takes a backslash for a slash."""
    assert response.status_code in {200, 302, 303, 400}
    location = response.headers.get("Location")
    if location is None:
        return
    assert not {"\r", "\n"} & set(location)
    cleaned = "".join(char for char in location if char not in "\t\r\n").strip(" \x00").replace("\\", "/")
    target = urlsplit(urljoin(HERE + "/accounts/login/", cleaned))
    assert (target.scheme, target.netloc) == ("http", "testserver"), (next_url, location)
    assert "stolen" not in response.cookies


@in_parts(4)
def test_signing_in_leads_nowhere_else(part: Part) -> None:
    user = UserFactory()
    credentials = {"login": user.email, "password": PASSWORD}
    for number, next_url in part.of(enumerate(ELSEWHERE)):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        assert_stays(client.post(reverse("account_login"), {**credentials, "next": next_url}), next_url)
        # Signed in already, and by the address line alone.
        assert_stays(client.get(reverse("account_login"), {"next": next_url}), next_url)
    assert_stays(Client().post(f"{reverse('account_login')}?next=%2F%2Fevil.test", credentials), "query")


@pytest.mark.parametrize(
    "next_url", ["//evil.test/", "/\\evil.test/", "https:evil.test", "http://[evil.test", "/\t/evil.test/"]
)
def test_no_other_form_leads_elsewhere(next_url: str) -> None:
    user = UserFactory()
    anonymous, known = Client(), signed_in(user)
    new = {"email": "new@ledger.test", "name": "Lee", "password1": "a sound password"}
    forms: list[tuple[Client, str, dict[str, str]]] = [
        (anonymous, "account_login", {}),
        (anonymous, "account_signup", new),
        (anonymous, "account_reset_password", {"email": user.email}),
        (known, "account_reauthenticate", {"password": PASSWORD}),
        (known, "account_change_password", {}),
        (known, "account_logout", {}),
    ]
    for client, name, data in forms:
        url = reverse(name)
        assert_stays(client.get(url, {"next": next_url}), next_url)
        assert_stays(client.post(url, {**data, "next": next_url}), next_url)
    assert_stays(anonymous.get(reverse("admin:login"), {"next": next_url}), next_url)
    invitation = InvitationFactory()
    invited = opened(by_mail(invitation), signed_in(UserFactory(email=invitation.email)))
    assert_stays(invited.get(page_of(invitation), {"next": next_url}), next_url)
    data = {"generation": 1, "next": next_url}
    assert_stays(invited.post(reverse("invitation_accept", args=[invitation.pk]), data), next_url)


def test_a_way_back_on_this_site_is_kept() -> None:
    """Else the refusals above could have another reason."""
    user = UserFactory()
    response = Client().post(
        reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": "/orgs/new/"}
    )
    assert response.headers["Location"] == "/orgs/new/"


def test_an_address_with_two_slashes_is_not_sent_elsewhere_by_adding_one() -> None:
    for path in ("//evil.test", "//evil.test/orgs", "/\\evil.test", "//evil.test/%2e%2e"):
        response = Client().get(path)
        assert "evil.test" not in response.headers.get("Location", ""), path


FORGED = [
    {"headers": {"X-Forwarded-Host": "evil.test"}},
    {"headers": {"X-Forwarded-Server": "evil.test", "X-Original-Host": "evil.test"}},
    {"headers": {"Forwarded": "host=evil.test"}},
    {"headers": {"X-Forwarded-Proto": "ftp", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil.test"}},
]


def mails_are_ours(mails: list[EmailMultiAlternatives], count: int) -> bool:
    deliver_due()
    written = [mail.body + str(mail.alternatives[0][0]) + str(mail.extra_headers) for mail in mails]
    return len(written) == count and all("evil" not in text and HERE in text for text in written)


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_forged_host_reaches_no_mail_and_no_link(
    forged: dict[str, dict[str, str]],
    admin: Membership,
    sign_in: SignIn,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    sign_up = {"email": "new@ledger.test", "name": "Lee", "password1": "a sound password"}
    Client().post(reverse("account_signup"), sign_up, **forged)
    Client().post(reverse("account_signup"), {**sign_up, "email": admin.user.email}, **forged)
    Client().post(reverse("account_reset_password"), {"email": admin.user.email}, **forged)
    Client().post(reverse("account_reset_password"), {"email": "nobody@ledger.test"}, **forged)
    client.post(reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test"}, **forged)
    link = client.post(reverse("managers_link", args=[slug]), **forged)
    assert "evil" not in link.content.decode()
    assert f"{HERE}/invitations/" in link.content.decode()
    assert mails_are_ours(mailoutbox, 5)


@override_settings(ALLOWED_HOSTS=["*"])
def test_a_host_that_passed_reaches_no_mail_either(mailoutbox: list[EmailMultiAlternatives]) -> None:
    """Behind a proxy that lets any host through, and with settings that allow it."""
    user = UserFactory()
    Client().post(reverse("account_reset_password"), {"email": user.email}, headers={"host": "evil.test"})
    Client().post(
        reverse("account_signup"),
        {"email": "new@ledger.test", "name": "Lee", "password1": "a sound password"},
        headers={"host": "evil.test"},
    )
    assert mails_are_ours(mailoutbox, 2)


@pytest.mark.parametrize(
    "host", ["evil.test", "testserver.evil.test", "testserver@evil.test", "evil.test:80", ""]
)
def test_another_host_is_refused_before_anything_happens(host: str) -> None:
    response = Client().post(
        reverse("account_signup"),
        {"email": "new@ledger.test", "name": "Lee", "password1": "a sound password"},
        headers={"host": host},
    )
    assert response.status_code == 400
    assert not User.objects.exists()
    assert b"evil.test" not in response.content


def after_a_press(referer: str) -> tuple[Client, str]:
    """A button pressed without a session, on the page ``referer``: the visitor, and where he is led next."""
    visitor = Client()
    url = reverse("managers_invite", args=["acme"])
    pressed = visitor.post(url, {"email": "lee@ledger.test"}, headers={"Referer": referer})
    return visitor, pressed.headers["Location"]


def test_whoever_was_signed_out_is_told_and_comes_back_to_the_page_with_the_button() -> None:
    visitor, location = after_a_press("http://testserver/orgs/acme/settings/billing/?page=2")
    assert parse_qs(urlsplit(location).query)["next"] == ["/orgs/acme/settings/billing/?page=2"]
    assert "You were signed out, so nothing was done." in visitor.get(location).content.decode()


@pytest.mark.parametrize("referer", ["", *ELSEWHERE])
def test_a_page_elsewhere_is_none_to_come_back_to(referer: str) -> None:
    _visitor, location = after_a_press(referer.strip())
    assert parse_qs(urlsplit(location).query)["next"] == [reverse("organizations")]


def test_a_path_that_looks_like_a_host_is_none_to_come_back_to() -> None:
    user = UserFactory()
    visitor, location = after_a_press("http://testserver//evil.test/")
    signed_in = visitor.post(location, {"login": user.email, "password": PASSWORD})
    assert urlsplit(urljoin("http://testserver/", signed_in.headers["Location"])).netloc == "testserver"
