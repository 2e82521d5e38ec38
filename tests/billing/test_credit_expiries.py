"""Credits expire: people are warned 30 and 7 days ahead, once each, of what is left and won't come again."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from billing import tasks
from credits.models import Entry, ExpiryWarning, Grant, GrantKind, Voiding
from orgs.models import Membership, Organization
from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, renderer_of
from tests.billing.factories import BillingAccountFactory
from tests.billing.mishaps import Fuse, Killed
from tests.billing.pages import billing_url
from tests.conftest import SignIn
from tests.credits.months import grant
from tests.races import at_once

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def expiring(organization: Organization, admin: Membership, billing_manager: Membership) -> Grant:
    """Bought half a year ago, and good for 20 days more."""
    return grant(organization, 1_200_000, **lasting(20))


def lasting(days: float, *, since: float = 180) -> dict[str, Any]:
    now = timezone.now()
    return {"effective_at": now - since * DAY, "expires_at": now + days * DAY}


def warned() -> list[OutgoingEmail]:
    """The mails of one run of the daily task."""
    before = set(OutgoingEmail.objects.values_list("pk", flat=True))
    tasks.warn_of_expiring_credits()
    return list(OutgoingEmail.objects.exclude(pk__in=before))


def test_people_in_billing_are_warned_once(
    expiring: Grant, admin: Membership, billing_manager: Membership, member: Membership
) -> None:
    assert {mail.to for mail in warned()} == {admin.user.email, billing_manager.user.email}
    assert warned() == []


@pytest.mark.parametrize(("days", "ahead"), [(31, []), (30, [30]), (8, [30]), (7, [7]), (0.1, [7]), (-1, [])])
def test_how_far_ahead(organization: Organization, admin: Membership, days: float, ahead: list[int]) -> None:
    grant(organization, 5, **lasting(days))
    assert len(warned()) == len(ahead)
    assert list(ExpiryWarning.objects.values_list("days", flat=True)) == ahead


def test_a_week_ahead_they_are_warned_again_and_not_of_what_was_told_late(expiring: Grant) -> None:
    ExpiryWarning.objects.create(organization=expiring.organization, expires_at=expiring.expires_at, days=30)
    assert warned() == []
    soon = grant(expiring.organization, 5, **lasting(6))
    ExpiryWarning.objects.create(organization=soon.organization, expires_at=soon.expires_at, days=30)
    assert len(warned()) == 2


def test_what_expires_together_is_told_as_one_sum(expiring: Grant) -> None:
    grant(expiring.organization, 300_000, effective_at=expiring.effective_at, expires_at=expiring.expires_at)
    mail = warned()[0]
    rendered = renderer_of(mail.kind)(mail)
    assert "1,500,000 credits of " in rendered.subject


@pytest.mark.parametrize("reason", ["burnt", "voided", "not yet", "monthly", "closed"])
def test_what_is_nothing_to_lose_is_not_told_of(
    organization: Organization, admin: Membership, reason: str
) -> None:
    fields: dict[str, Any] = lasting(5)
    if reason == "not yet":
        fields["effective_at"] = timezone.now() + DAY
    if reason == "monthly":
        fields |= {"kind": GrantKind.PROMOTIONAL, "effective_at": fields["expires_at"] - 31 * DAY}
    given = grant(organization, 5, **fields)
    if reason == "voided":
        Voiding.objects.create(organization=organization, grant=given, voided_at=timezone.now())
    if reason == "burnt":
        given_entry(given, 5)
    if reason == "closed":
        now = timezone.now()
        Organization.objects.filter(pk=organization.pk).update(closes_after=now.date(), closed_at=now)
    assert warned() == []
    assert not ExpiryWarning.objects.exists()


def given_entry(of: Grant, burnt: int) -> None:
    hour = of.effective_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    Entry.objects.create(
        organization=of.organization,
        number=1,
        grant=of,
        hour=hour,
        booked_at=hour,
        credits=burnt,
        left=of.credits - burnt,
    )


def test_a_gift_that_lasts_longer_than_a_month_is_told_of(
    organization: Organization, admin: Membership
) -> None:
    grant(organization, 5, kind=GrantKind.PROMOTIONAL, **lasting(5))
    assert len(warned()) == 1


def test_a_mail_that_is_late_is_dropped(expiring: Grant, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = warned()[0]
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + 30 * DAY)
    with pytest.raises(NoLongerNeeded):
        renderer_of(mail.kind)(mail)


@pytest.mark.slow
def test_a_worker_that_dies_at_any_line_loses_and_repeats_nothing(expiring: Grant) -> None:
    fuse = Fuse()
    with connection.execute_wrapper(fuse.before_statement):
        for steps in range(100):
            fuse.steps_left = steps
            try:
                tasks.warn_of_expiring_credits()
            except Killed:
                continue
            finally:
                fuse.reset()
            break
    assert steps > 5
    assert OutgoingEmail.objects.filter(kind="credits_expire").count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_warn_once(expiring: Grant) -> None:
    assert at_once(*[tasks.warn_of_expiring_credits] * 2) == [None, None]
    assert OutgoingEmail.objects.filter(kind="credits_expire").count() == 2


def test_the_page_says_so_quietly_until_it_is_hidden(
    expiring: Grant, billing_manager: Membership, sign_in: SignIn
) -> None:
    BillingAccountFactory(organization=expiring.organization)
    client, url = sign_in(billing_manager), billing_url(expiring.organization)
    told = "1,200,000 credits expire on"
    page = client.get(url).content.decode()
    assert told in page
    (code,) = re.findall(r'value="(continuity\.credits:[^"]+)"', page)
    client.post(f"{url}warnings/hide/", {"code": code})
    assert told not in client.get(url).content.decode()
