"""What people and Stripe write is text wherever it is shown: pages, parts of pages, mails, the admin."""

import re
from collections.abc import Iterator

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing.models import BillingAccount, Invoice
from invitations.models import Invitation, State
from orgs.checks import all_routes
from orgs.models import Organization
from orgs.policy import Role
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail
from teams.models import Team
from tests.invitations.claims import by_mail
from tests.invitations.pages import decline
from tests.invitations.test_invitee import opened
from tests.sampling import Part, in_parts
from tests.test_access import INSIDE
from tests.world import World
from usage.models import Stack

pytestmark = pytest.mark.django_db

# Each breaks out of one place: text, both kinds of attribute, a comment, a script, a title, a template.
POLYGLOT = (
    "\"'><i data-x=1><img src=q onerror=w hx-get=/e>--></title></script><script>y</script>{{7*7}}{%x%}&lt;"
)
LIVE = re.compile(r"<i data-x|<script>y|<img src=q")
SHORT = "\"'><i data-x=1><img src=q onerror=w>"


def write_everywhere(world: World) -> None:
    """Past the forms, which refuse it: rows may come from Stripe, or from a time with other rules."""
    User.objects.filter(email__startswith="own.").update(name=POLYGLOT[:80])
    Organization.objects.filter(pk=world.organization.pk).update(name=POLYGLOT[:80])
    Invitation.objects.filter(organization=world.organization).update(
        invited_by_name=POLYGLOT[:100],
        last_error="no_room",
        last_error_by=POLYGLOT[:100],
        last_error_at=timezone.now(),
    )
    Stack.objects.filter(organization=world.organization).update(name=POLYGLOT[:100])
    Team.objects.filter(organization=world.organization).update(
        name=POLYGLOT[:80], description=POLYGLOT[:120]
    )
    BillingAccount.objects.filter(organization=world.organization).update(
        name=POLYGLOT[:80], card_brand=SHORT[:20]
    )
    Invoice.objects.filter(organization=world.organization).update(description=POLYGLOT[:100], number=SHORT)


def assert_text(response: HttpResponse, where: str) -> None:
    body = b"".join(response) if response.streaming else response.content
    if response.headers.get("Content-Disposition", "").startswith("attachment"):
        return  # A file is saved, not shown.
    found = LIVE.search(body.decode())
    assert found is None, f"{where}: {body.decode()[found.start() - 60 : found.end() + 60]}"
    assert "\n" not in response.headers.get("HX-Trigger", "")


def pages(world: World) -> Iterator[str]:
    """The API's answers are JSON, and no browser takes them for a page: tests/security/test_headers.py."""
    for route in all_routes():
        if not route.of_api:
            yield world.url(route)


@pytest.fixture
def world(world: World) -> World:
    write_everywhere(world)
    return world


# An admin's pages are made of nearly all templates.
@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=() if role == Role.ADMIN else pytest.mark.slow) for role in Role]
)
@in_parts(8)
def test_pages_show_text(part: Part, role: Role, world: World) -> None:
    for url in part.of(pages(world)):
        if not url.startswith("/admin/"):
            for headers in ({}, {"HX-Request": "true"}):
                assert_text(world.clients[role].get(url, headers=headers), url)


def test_the_polyglot_is_on_the_pages(world: World) -> None:
    """Else the test above could not fail."""
    for name in ("dashboard", "members", "billing", "invoices", "organization_settings"):
        page = world.clients[Role.ADMIN].get(reverse(name, args=["own"])).content.decode()
        assert "&lt;i data-x=1&gt;" in page, name


@pytest.mark.slow
def test_the_admin_shows_text(world: World) -> None:
    world.clients[Role.ADMIN].post(reverse("organization_settings", args=["own"]), {"name": "Plain"})
    for url in pages(world):
        if url.startswith("/admin/") and "jsi18n" not in url:
            assert_text(world.staff.get(url), url)
    for model in (Organization, Invitation, Stack, BillingAccount, Invoice, User):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for row in model._default_manager.all():
            assert_text(world.staff.get(reverse(name, args=[row.pk])), name)


@in_parts(12)
def test_what_is_typed_into_an_address_line_comes_back_as_text(part: Part, world: World) -> None:
    client = world.clients[Role.ADMIN]
    for url in part.of(pages(world)):
        if not url.startswith("/admin/"):
            query = dict.fromkeys(("person", "action", "next", "before", "q", "older_than"), POLYGLOT)
            assert_text(client.get(url, query), url)
            assert_text(client.get(f"{url}{POLYGLOT}"), url)


@in_parts(3)
def test_what_is_typed_into_a_form_comes_back_as_text(part: Part, world: World) -> None:
    client = world.clients[Role.ADMIN]
    for route in part.of(all_routes()):
        if not (route.of_admin or route.of_api):
            names = ("name", "email", "role", "login", "message", "invitation_max_age_days", "code")
            assert_text(client.post(world.url(route), dict.fromkeys(names, POLYGLOT)), world.url(route))


def test_mails_carry_text(world: World, mailoutbox: list[EmailMultiAlternatives]) -> None:
    client = world.clients[Role.ADMIN]
    invitation = Invitation.objects.filter(organization=world.organization).exclude(email="").first()
    assert invitation is not None
    OutgoingEmail.objects.all().delete()
    client.post(reverse("invitation_resend", args=["own", invitation.pk]), {"generation": 1})
    client.post(reverse("invitation_revoke", args=["own", invitation.pk]), {"generation": 2})
    client.post(
        reverse("member_role", args=["own", world.own_ids["membership_id"]]), INSIDE["member_role"].data
    )
    # What waits for a person who is removed is dropped.
    deliver_due()
    client.post(
        reverse("member_remove", args=["own", world.own_ids["membership_id"]]), {"shown_role": "admin"}
    )
    client.post(reverse("managers_invite", args=["own"]), {"email": "lee@ledger.test"})
    world.clients[Role.MEMBER].post(reverse("access_request", args=["own"]), {"permission": "billing.view"})
    waiting = Invitation.objects.get(email="lee@ledger.test")
    decline(opened(by_mail(waiting), world.stranger), waiting, POLYGLOT)
    waiting.refresh_from_db()
    assert waiting.state == State.DECLINED
    # That of access requests waits for others.
    OutgoingEmail.objects.update(next_attempt_at=F("created_at"))
    deliver_due()
    kinds = set(OutgoingEmail.objects.filter(state="sent").values_list("kind", flat=True))
    assert kinds >= {"role_changed", "membership_removed", "access_requested", "invitation_declined"}
    for mail in mailoutbox:
        html = str(mail.alternatives[0][0])
        assert LIVE.search(html) is None, mail.subject
        assert "\n" not in mail.subject
        assert not set(mail.message().keys()) & {"Bcc", "Cc"}
