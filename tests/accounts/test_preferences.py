"""Each person reads pages and mails in the language and the time zone that they chose."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from accounts.preferences import PreferencesMiddleware
from accounts.time_zones import zone_names, zone_of
from audit.services import Actor, record
from orgs.actions import ORGANIZATION_RENAMED
from orgs.checks import Route
from orgs.dates import moment
from orgs.models import Membership
from orgs.policy import Role
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, RenderedMail, renderer_of
from tests.conftest import SignIn
from tests.factories import UserFactory
from tests.sampling import sampled
from tests.test_mails import SAMPLES, sample
from tests.test_statements import INSIDE
from tests.world import World

pytestmark = pytest.mark.django_db
PROFILE, PREFERENCES = "/accounts/profile/", "/accounts/preferences/"
KIRITIMATI, PAGO_PAGO = "Pacific/Kiritimati", "Pacific/Pago_Pago"
TWO = override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")])
TIME = re.compile(r"<time .*?</time>")
VARIES = re.compile(r'name="(?:csrfmiddlewaretoken|key|operation)"[^>]*|nonce-\w+|\d+\xa0seconds? ago')


def test_a_person_chooses_their_zone(member: Membership, sign_in: SignIn) -> None:
    client = sign_in(member)
    assert "selected>UTC</option>" in client.get(PROFILE).content.decode()
    saved = client.post(PREFERENCES, {"time_zone": "Asia/Kathmandu", "language": "de"}, follow=True)
    assert saved.redirect_chain == [(PROFILE, 302)]
    assert "Your preferences are saved." in saved.content.decode()
    assert '<option value="Asia/Kathmandu" selected>Kathmandu</option>' in saved.content.decode()
    user = User.objects.get(pk=member.user_id)
    # The site has one language, and asks for none.
    assert (user.time_zone, user.language, user.name) == ("Asia/Kathmandu", "", member.user.name)


def test_pages_then_tell_times_in_it(admin: Membership, sign_in: SignIn) -> None:
    client = sign_in(admin)
    client.post(PREFERENCES, {"time_zone": "Asia/Kathmandu"})
    with transaction.atomic():
        event = record(
            ORGANIZATION_RENAMED,
            actor=Actor.person(admin.user),
            organization=admin.organization,
            old="a",
            new="b",
        )
    with timezone.override(zone_of("Asia/Kathmandu")):
        told = moment(event.created_at)
    assert told.endswith("UTC+5:45")
    page = client.get(reverse("audit_log", args=[admin.organization.slug])).content.decode()
    assert f">{told}</time>" in page


@pytest.mark.parametrize("zone", ["", "../etc/passwd", "europe/berlin", "EST"])
def test_what_is_no_zone_of_the_list_is_refused(zone: str, member: Membership, sign_in: SignIn) -> None:
    answer = sign_in(member).post(PREFERENCES, {"time_zone": zone})
    assert answer.status_code == 422
    assert "Choose a time zone of the list." in answer.content.decode()
    assert f'value="{member.user.name}"' in answer.content.decode()
    assert User.objects.get(pk=member.user_id).time_zone == "UTC"


def test_a_zone_that_the_machine_lost_is_utc() -> None:
    assert zone_of("Atlantis/Capital") is UTC
    assert zone_of("UTC") is UTC
    assert {zone_of(name).tzname(None) for name in zone_names()} == {None}


@TWO
def test_a_language_is_offered_where_there_are_several(member: Membership, sign_in: SignIn) -> None:
    client = sign_in(member)
    assert '<option value="de">Deutsch</option>' in client.get(PROFILE).content.decode()
    assert client.post(PREFERENCES, {"time_zone": "UTC", "language": "fr"}).status_code == 422
    client.post(PREFERENCES, {"time_zone": "UTC", "language": "de"})
    assert '<html lang="de"' in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()
    client.post(PREFERENCES, {"time_zone": "UTC", "language": ""})
    assert '<html lang="en"' in client.get(PROFILE, headers={"Accept-Language": "en"}).content.decode()


@TWO
@pytest.mark.parametrize(
    ("asked", "language"), [("de-AT,en;q=0.5", "de"), ("fr", "en"), ("", "en"), ("x;;", "en")]
)
def test_without_a_choice_the_browsers_language_counts(asked: str, language: str) -> None:
    page = Client().get("/accounts/login/", headers={"Accept-Language": asked}).content.decode()
    assert f'<html lang="{language}"' in page


def now_and_after(user: User | None) -> tuple[str, str | None, str, str | None]:
    """The zone and language within the request of a person, and after it."""
    within: list[str | None] = []

    def answer(_request: HttpRequest) -> HttpResponse:
        within.extend((timezone.get_current_timezone_name(), translation.get_language()))
        return HttpResponse()

    request = RequestFactory().get("/")
    if user is not None:
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
        request.user = user
    PreferencesMiddleware(answer)(request)
    return str(within[0]), within[1], timezone.get_current_timezone_name(), translation.get_language()


@TWO
def test_nothing_is_left_to_the_next_request_of_the_thread() -> None:
    people = [
        User(time_zone=KIRITIMATI, language="de"),
        None,
        User(time_zone=PAGO_PAGO),
        User(time_zone="Atlantis/Capital", language="xx"),
    ]
    with ThreadPoolExecutor(max_workers=1) as thread:
        answers = list(thread.map(now_and_after, people * 2))
    english = [(KIRITIMATI, "de"), ("UTC", "en"), (PAGO_PAGO, "en"), ("UTC", "en")]
    assert [answer[:2] for answer in answers] == english * 2
    assert {answer[2:] for answer in answers} == {("UTC", "en")}


def test_a_request_that_fails_leaves_nothing_either() -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    request = RequestFactory().get("/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    request.user = User(time_zone=KIRITIMATI)
    with pytest.raises(ZeroDivisionError):
        PreferencesMiddleware(fail)(request)
    assert timezone.get_current_timezone_name() == "UTC"


def words(html: str) -> str:
    """What a page says besides its times, whose text is the reader's own."""
    return VARIES.sub("", TIME.sub("", html))


@pytest.mark.parametrize("route", sampled(INSIDE, every=2), ids=lambda route: route.name)
def test_days_are_the_same_for_readers_in_every_zone(route: Route, world: World) -> None:
    """What Stripe charges on, what was counted and who stays until when is a day in UTC: no page moves it."""
    membership, client = world.memberships[Role.ADMIN], world.clients[Role.ADMIN]
    url = world.url(route) + world.query(route, Role.ADMIN)
    pages = set()
    for zone in (KIRITIMATI, PAGO_PAGO):
        User.objects.filter(pk=membership.user_id).update(time_zone=zone)
        answer = client.get(url)
        body = b"".join(answer) if answer.streaming else answer.content
        if answer.headers["Content-Type"].startswith(("text/", "application/json")):
            pages.add(words(body.decode()))
    assert len(pages) <= 1


# They tell of a moment; all others of days alone.
OF_A_MOMENT = {"account_notice", "invitation_sent"}


def rendered_for(zone: str, mail: OutgoingEmail) -> str:
    User.objects.update_or_create(email=mail.to, defaults={"time_zone": zone})
    return renderer_of(mail.kind)(mail).text


@pytest.mark.parametrize("kind", sampled(list(SAMPLES), every=4))
def test_the_days_of_mails_are_the_same_for_all(kind: str) -> None:
    mail = sample(kind)
    texts = {rendered_for(zone, mail) for zone in (KIRITIMATI, PAGO_PAGO)}
    assert len(texts) == 1 or kind in OF_A_MOMENT


def test_a_notice_tells_when_it_was_by_its_readers_clock() -> None:
    at = timezone.now().replace(hour=12, minute=30)
    mail = OutgoingEmail(
        kind="account_notice",
        to="lee@ledger.test",
        params={
            "notice": "account/email/password_changed",
            "at": at.isoformat(),
            "ip": "192.0.2.7",
            "user_agent": "",
        },
    )
    assert "01:30 UTC−11" in rendered_for(PAGO_PAGO, mail)
    assert "12:30 UTC\n" in rendered_for("UTC", mail)


def test_a_mail_tells_a_moment_in_its_readers_zone() -> None:
    told = []
    kind = MailKind(
        "told_of_a_moment", lambda mail: RenderedMail(timezone.get_current_timezone_name(), "", "")
    )
    for zone in (KIRITIMATI, "UTC"):
        user = UserFactory(time_zone=zone)
        told.append(kind.render(OutgoingEmail(to=user.email)).subject)
    told.append(kind.render(OutgoingEmail(to="nobody@ledger.test")).subject)
    assert told == [KIRITIMATI, "UTC", "UTC"]
