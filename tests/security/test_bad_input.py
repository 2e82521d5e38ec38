"""Whatever a person types or a program sends: a sentence or a refusal, never a fault, and nothing changed."""

import uuid
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from invitations.models import Invitation
from orgs.checks import all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.conftest import SignIn
from tests.invitations.claims import by_link
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import decline
from tests.invitations.test_invitee import opened
from tests.sampling import Part, in_parts, sampled
from tests.world import World, build_world, signed_in

pytestmark = pytest.mark.django_db

OUR_APPS = (
    "accounts",
    "audit",
    "billing",
    "credits",
    "invitations",
    "orgs",
    "outbox",
    "usage",
    "account",
    "mfa",
)

NAMES = {
    "overlong": "x" * 81,
    "huge": "x" * 100_000,
    "empty": "",
    "blank": " \t ",
    "two lines": "Acme\nBcc: victim@mail.test",
    "carriage return": "Acme\rSubject: x",
    "NUL": "Ac\x00me",
    "escape": "Ac\x1b[31mme",
    "right to left": "Acme\u202egpj.exe",
    "isolate": "Acme\u2066evil\u2069",
    "zero width": "Ac\u200bme",
    "line separator": "Acme\u2028Ltd",
    "byte order mark": "\ufeffAcme",
    "tag characters": "Acme\U000e0041",
    "private use": "Acme\ue000",
    "web address": "Win at https://evil.test",
    "www": "www.evil.test",
    "path": "evil.test/win",
    "markup": "<script>alert(1)</script>",
    "fillers": "\u3164\uffa0",
    "braille blanks": "\u2800\u2800",
    "marks alone": "\u0301\u20dd",
    "no letter": "\u2014!",
    "joiner at the end": "Acme\u200d",
    "address in full width": "\uff48\uff54\uff54\uff50\uff1a\uff0f\uff0fevil.test",
}
ADDRESSES = {
    **{key: NAMES[key] for key in ("empty", "blank", "huge", "NUL", "right to left", "markup")},
    "no domain": "lee@",
    "no at": "lee.ledger.test",
    "two": "lee@ledger.test, mallory@evil.test",
    "header": "lee@ledger.test\nBcc: mallory@evil.test",
    "angle": "Lee <lee@ledger.test>",
    "quoted": '"lee@ledger.test"@evil.test',
    "cyrillic": "lee@l\u0435dger.test",
    "greek local": "\u03bfmar@ledger.test",
    "fullwidth": "lee@\uff4cedger.test",
    "emoji": "\U0001f600@ledger.test",
    "soft hyphen": "le\u00ade@ledger.test",
    "overlong": f"{'x' * 250}@ledger.test",
    "percent": "lee%evil.test@",
    "literal": "lee@[127.0.0.1",
    "IPv4 literal": "lee@[127.0.0.1]",
    "IPv6 literal": "lee@[IPv6:::1]",
    "bare IPv4": "lee@192.168.0.11",
    "local part of 65": f"{'x' * 65}@ledger.test",
    "no dot": "lee@localhost",
    "no dot in upper case": "LEE@LOCALHOST",
}
# An invitation takes these as lists: tests/invitations/test_lists.py.
OF_LISTS = {"two", "header", "angle"}
GOOD_NAMES = [
    "Zo\u00eb & S\u00f8n's \u201cCaf\u00e9\u201d",
    "\u682a\u5f0f\u4f1a\u793e",
    "O\u2019Reilly \U0001f600",
    "{{ 7*7 }}",
    "J.P. Morgan & Co., Inc.",
    "Booking.com",
    "lee@ledger.test",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "The Parks \U0001f468\u200d\U0001f469\u200d\U0001f467",
]


def rows() -> dict[type[Model], object]:
    """Every row of ours, to see whether anything changed."""
    models = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
    return {
        model: sorted(map(str, model._default_manager.values_list()))
        for model in models
        if model._meta.label != "usage.HourlyCount"
    }


@pytest.mark.parametrize("case", sampled(list(NAMES), every=3))
def test_a_bad_name_is_refused_with_a_sentence(case: str, admin: Membership, sign_in: SignIn) -> None:
    name, client = NAMES[case], sign_in(admin)
    before = rows()
    for url in ("/orgs/new/", reverse("organization_settings", args=[admin.organization.slug])):
        answer = client.post(url, {"name": name})
        assert answer.status_code == 422
        assert 'class="error"' in answer.content.decode() or "aria-invalid" in answer.content.decode()
    sign_up = Client().post(
        "/accounts/signup/", {"email": "new@ledger.test", "name": name, "password1": "a sound password"}
    )
    assert sign_up.status_code == 200
    assert "name" in sign_up.context["form"].errors
    assert rows() == before


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_an_unusual_name_is_kept_as_it_is(name: str, admin: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    client.post(reverse("organization_settings", args=[slug]), {"name": name})
    assert Organization.objects.get(slug=slug).name == name
    assert client.get(f"/orgs/{slug}/").status_code == 200


INVITING = (("managers_invite", "billing_manager"), ("members_invite", "member"))


@pytest.mark.parametrize("case", sampled(list(ADDRESSES), every=3))
def test_a_bad_address_is_refused_with_a_sentence(case: str, admin: Membership, sign_in: SignIn) -> None:
    cache.clear()
    address, client, slug = ADDRESSES[case], sign_in(admin), admin.organization.slug
    client.post(reverse("account_reauthenticate"), {"password": "correct horse battery"})
    before = rows()
    for name, role in () if case in OF_LISTS else INVITING:
        answer = client.post(reverse(name, args=[slug]), {"email": address, "role": role})
        assert answer.status_code == 422, name
        assert answer.context["form"].errors["email"]
    for url, data in (
        ("/accounts/signup/", {"email": address, "name": "Lee", "password1": "a sound password"}),
        ("/accounts/password/reset/", {"email": address}),
        ("/accounts/login/", {"login": address, "password": "x" * 5000}),
    ):
        assert Client().post(url, data).status_code == 200, url
    client.post(reverse("account_email"), {"email": address, "action_add": ""})
    assert rows() == before


def test_a_look_alike_letter_is_not_quietly_made_another_one(admin: Membership, sign_in: SignIn) -> None:
    url = reverse("managers_invite", args=[admin.organization.slug])
    answer = sign_in(admin).post(url, {"email": "\u212aim@ledger.test"})
    assert "others look alike" in answer.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("message", ["x" * 501, "NUL \x00", "x" * 100_000], ids=["overlong", "NUL", "huge"])
def test_a_bad_message_declines_nothing(message: str) -> None:
    invitation = InvitationFactory()
    answer = decline(opened(by_link(invitation)), invitation, message)
    assert answer.status_code == 422
    invitation.refresh_from_db()
    assert invitation.state == "pending"


@pytest.mark.parametrize("days", ["0", "-1", "366", "9" * 30, "1.5", "NaN", "\u0663", "1e3", "ten", "\x00"])
def test_a_bad_number_changes_nothing(days: str, admin: Membership, sign_in: SignIn) -> None:
    url = reverse("organization_settings", args=[admin.organization.slug])
    answer = sign_in(admin).post(url, {"name": "Ours", "invitation_max_age_days": days})
    admin.organization.refresh_from_db()
    # Another script's digit is a digit: three days are three days.
    if days != "\u0663":
        assert answer.status_code == 422
        assert admin.organization.invitation_max_age_days is None


@pytest.mark.parametrize("role", ["", "owner", "ADMIN", "admin\x00", "admin,member", "['admin']", "0"])
def test_a_bad_role_changes_nothing(
    role: str, admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    client.post(reverse("member_role", args=[slug, member.pk]), {"role": role, "shown_role": "member"})
    for name in ("members_invite", "members_link"):
        answer = client.post(reverse(name, args=[slug]), {"role": role, "email": "lee@ledger.test"})
        assert answer.status_code == 422
    member.refresh_from_db()
    assert member.role == Role.MEMBER
    assert not Invitation.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_billing_manager_is_not_made_by_the_members_form(admin: Membership, sign_in: SignIn) -> None:
    """There the limit of the edition would be another one."""
    client, slug = sign_in(admin), admin.organization.slug
    for name in ("members_invite", "members_link"):
        data = {"role": "billing_manager", "email": "lee@ledger.test"}
        assert client.post(reverse(name, args=[slug]), data).status_code == 422
    assert not Invitation.objects.exists()


# --- Paths and queries ---------------------------------------------------------------------------------

QUERIES = [
    "before=-1",
    "before=99999999999999999999999",
    "before=%00",
    "before=0001-01-01T00:00:00%2B14:00~00000000-0000-0000-0000-000000000000",
    "before=9999-12-31T23:59:59-14:00~00000000-0000-0000-0000-000000000000",
    "after=0001-01-01T00:00:00%2B23:59~00000000-0000-0000-0000-000000000000",
    "after=2026-01-01T00:00:00%2B00:00~%00",
    "before=2026-W01-1T00:00:00Z~00000000000000000000000000000000",
    "action=%00&person=%00",
    "action=%F0%28%8C%28&person=%ED%A0%80",
    "person=" + "%25_" * 60,
    "older_than=%00&newer_than=x",
    "older_than=" + "0" * 400,
    "older_than=00000000-0000-0000-0000-000000000000",
    "operation=%00",
    "operation=00000000-0000-0000-0000-000000000000",
    "next=%00",
    "page=-1&q=%00&o=x.y&e=1",
    "&".join(f"a{n}=1" for n in range(1200)),
    "=&&==;%;%zz",
]


@pytest.fixture
def world() -> World:
    """Of each test's own: others here begin with an empty database."""
    return build_world()


@in_parts(2)
def test_a_bad_query_breaks_no_page(part: Part, world: World) -> None:
    client = world.clients[Role.ADMIN]
    names = {"members", "audit_log", "invoices", "card_return", "account_login"}
    for url in [world.url(route) for route in all_routes() if route.name in names]:
        for query in part.of(QUERIES):
            assert client.get(f"{url}?{query}").status_code in {200, 302, 400, 404}, (url, query)


@pytest.mark.slow
def test_a_bad_query_breaks_no_page_of_the_admin(world: World) -> None:
    for model in ("accounts_user", "invitations_invitation", "audit_auditevent", "outbox_outgoingemail"):
        url = reverse(f"admin:{model}_changelist")
        for query in ("q=%00", "id__exact=x", "p=99999999999999", "o=-99", "state__exact=%00", "evil__x=1"):
            assert world.staff.get(f"{url}?{query}").status_code in {200, 302, 400, 404}, (model, query)


IDS = [
    "0",
    "-1",
    "9" * 40,
    "%00",
    "x",
    "..",
    "%2e%2e%2f",
    "00000000-0000-0000-0000-000000000000",
    "{}",
    "%F0%28",
]


def tampered(world: World, part: Part, ids: list[str]) -> Iterator[str]:
    for route in part.of(all_routes()):
        if "<uuid" in route.path and not (route.of_admin or route.of_api):
            known = [str(value) for value in world.own_ids.values()]
            for bad in [*ids, str(uuid.uuid4())]:
                url = world.url(route)
                for value in known:
                    url = url.replace(value, bad)
                yield url


@pytest.mark.parametrize("ids", [IDS[::3], pytest.param(IDS, marks=pytest.mark.slow)], ids=["some", "all"])
@in_parts(6)
def test_an_id_that_is_none_is_not_found_and_changes_nothing(
    part: Part, ids: list[str], world: World
) -> None:
    client = world.clients[Role.ADMIN]
    before = rows()
    for url in tampered(world, part, ids):
        for method in (client.get, client.post):
            assert method(url).status_code in {404, 405}, url
    assert rows() == before


SLUGS = [
    "%00",
    "own%00",
    "own%0a",
    "OWN",
    "own%20",
    "..",
    "own%2f..%2fforeign",
    "%D0%BEwn",
    "x" * 3000,
    "'--",
]


def test_a_slug_that_is_none_is_not_found(world: World) -> None:
    for slug in SLUGS:
        answer = world.clients[Role.ADMIN].get(f"/orgs/{slug}/settings/audit/")
        assert answer.status_code == 404, slug
        assert b"CANARY" not in answer.content, slug


PATHS = [
    "/accounts/password/reset/key/x-y/",
    "/accounts/password/reset/key/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-set-password/",
    "/accounts/password/reset/key/0-%00/",
    "/accounts/password/reset/key/%00-x/",
    "/accounts/confirm-email/%00/",
    "/accounts/confirm-email/" + "x" * 3000 + "/",
    "/accounts/confirm-email/1:2:3/",
    "/accounts/%2e%2e/admin/",
    "/invitations/%00/",
    "/invitations/" + "x" * 3000 + "/",
    "/invitations/\u202e/",
    "/static/../billing_portal/settings.py",
    "/static/%2e%2e/billing_portal/settings.py",
    "/static/%00",
    "/dev/mail/..%2f..%2fetc%2fpasswd/",
    "/admin/accounts/user/%00/change/",
    "/\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
]


@pytest.mark.slow
def test_a_wrong_address_is_no_fault(world: World, settings: LazySettings) -> None:
    # As in a deployment, where files are listed at the start.
    settings.WHITENOISE_AUTOREFRESH = False
    for path in PATHS:
        answer = (world.staff if path.startswith("/admin/") else Client()).get(path)
        assert answer.status_code in {200, 302, 404}, path
        assert b"SECRET_KEY" not in (b"".join(answer) if answer.streaming else answer.content), path


# --- Bodies --------------------------------------------------------------------------------------------


def post_raw(client: Client, url: str, body: bytes, content_type: str) -> int:
    return client.post(url, body, content_type=content_type).status_code


FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=b"


def file_of(size: int) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name="email"; filename="x"\r\n\r\n'
        + b"x" * size
        + b"\r\n--b--\r\n"
    )


BODIES = {
    "huge field": (b"name=" + b"x" * 2_000_000, FORM),
    "many fields": (b"&".join(b"a%d=1" % n for n in range(1000)), FORM),
    "huge part": (file_of(2_000_000), PARTS),
    "huge JSON": (b"[" * 2_000_000, "application/json"),
}


def test_a_huge_body_is_refused(world: World) -> None:
    before = rows()
    for client, url in (
        (Client(), "/accounts/login/"),
        (world.clients[Role.ADMIN], "/orgs/own/settings/general/"),
        (Client(), "/stripe/webhook/"),
    ):
        for case, (body, content_type) in BODIES.items():
            assert post_raw(client, url, body, content_type) in {400, 413}, (case, url)
    assert rows() == before


BROKEN = [
    (b"\xff\xfe\x00", FORM),
    (b"name=%FF%FE", FORM),
    (b"name=\xed\xa0\x80", FORM),
    (b"{}", "application/json"),
    (b"", PARTS),
    (b"--b\r\n", PARTS),
    (b"--b", "multipart/form-data"),
    (file_of(10), PARTS),
    (b"<x/>", "text/xml"),
    (b"name=x", "application/x-www-form-urlencoded; charset=utf-7"),
    (b"name=x", "nonsense"),
]


@pytest.mark.slow
def test_a_broken_body_changes_nothing(world: World) -> None:
    before = rows()
    for client, url in (
        (Client(), "/accounts/login/"),
        (Client(), "/accounts/signup/"),
        (world.clients[Role.ADMIN], "/orgs/own/settings/billing/managers/invite/"),
        (Client(), "/stripe/webhook/"),
    ):
        for body, content_type in BROKEN:
            assert post_raw(client, url, body, content_type) in {200, 400, 415, 422}, (url, body)
    assert rows() == before


def test_a_broken_cookie_signs_nobody_in() -> None:
    for value in ("x", "a" * 5000, "%00", "../../etc", "\xff", '{"_auth_user_id":1}'):
        client = Client()
        for name in ("sessionid", "csrftoken", "messages"):
            client.cookies[name] = value
        assert client.get("/orgs/").status_code == 302
        assert client.get("/accounts/login/").status_code == 200


def test_a_broken_header_is_no_fault(world: World) -> None:
    headers = {
        "User-Agent": "<script>" + "x" * 5000,
        "Accept-Language": "x" * 5000,
        "HX-Current-URL": "//[",
        "HX-Target": "<script>",
        "Referer": "http://[",
        "X-Request-ID": "\r\n{}",
    }
    user = User.objects.get(email="own.admin@example.test")
    client = signed_in(user)
    for url in ("/orgs/own/", "/orgs/own/settings/billing/", "/accounts/sessions/", "/accounts/login/"):
        assert client.get(url, headers=headers).status_code in {200, 302}, url
    login = {"login": user.email, "password": "correct horse battery"}
    assert Client().post("/accounts/login/", login, headers=headers).status_code == 302
