"""Credits follow the subscription, and each hour is settled, whatever becomes of the workers."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from billing import tasks
from billing.credit_periods import let_credits_follow
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, Subscription
from credits.models import Grant, Ledger, Period, Voiding
from orgs.models import Organization
from tests.billing.factories import SubscriptionFactory
from tests.billing.mishaps import Fuse, Killed
from tests.billing.world import StripeWorld
from tests.credits.months import NOW, burnt_of, count, net
from tests.factories import OrganizationFactory
from tests.sampling import Part, in_parts

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def sells(key: str, *, included: int = 0, quantity: int = 1) -> list[dict[str, Any]]:
    item = SubscriptionFactory.build(organization=None).items[0]
    return [{**item, "lookup_key": key, "credits": included, "quantity": quantity}]


def periods(organization: Organization) -> list[tuple[str, datetime, datetime]]:
    found = Period.objects.for_org(organization).order_by("starts_at")
    return [(one.edition_code, one.starts_at, one.ends_at) for one in found]


def let_due(organization: Organization) -> None:
    Ledger.objects.filter(organization=organization).update(next_attempt_at=NOVEMBER, leased_until=None)


def test_a_prepaid_year_at_stripe_brings_what_its_price_says(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    price = stripe.api.prices.create(
        {
            "currency": "usd",
            "unit_amount": 600_000,
            "recurring": {"interval": "year"},
            "lookup_key": "enterprise-growth-yearly",
            "product_data": {"name": "Enterprise Growth"},
            "metadata": {"credits": "12000000"},
        }
    )
    stripe.attach_default(account)
    stripe.api.subscriptions.create(
        {"customer": str(account.stripe_customer_id), "items": [{"price": price.id, "quantity": 2}]}
    )
    for _again in range(2):
        reconcile(account.organization)

    subscription = Subscription.objects.get()
    assert periods(account.organization) == [
        ("enterprise-growth", subscription.period_start, subscription.period_end)
    ]
    grant = Grant.objects.get()
    assert (grant.kind, grant.credits) == ("paid", 24_000_000)
    assert (grant.effective_at, grant.expires_at) == (subscription.period_start, subscription.period_end)


@pytest.mark.usefixtures("in_november")
def test_sweeps_share_the_ledgers_each_a_part() -> None:
    """The ids at the edges of the parts, too."""
    edges = [0, 2**126 - 1, 2**126, 2**127 - 1, 2**127, 2**128 - 1]
    for number in edges:
        Ledger.objects.create(id=UUID(int=number), organization=OrganizationFactory())
    for of in (1, 2, 3, 4):
        shared = [ledger.pk.int for part in range(of) for ledger in Ledger.objects.part(part, of)]
        assert sorted(shared) == edges
    tasks.settle_credits(1, 2)
    settled = Ledger.objects.filter(next_attempt_at__gt=Now() + HOUR / 2)
    assert {ledger.pk.int for ledger in settled} == {2**127, 2**128 - 1}


@pytest.mark.usefixtures("in_november")
def test_a_price_that_says_nothing_of_credits_begins_no_period_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    organization = OrganizationFactory(edition_code="enterprise-growth")
    row = SubscriptionFactory(organization=organization, items=sells("enterprise-growth-yearly"))
    let_credits_follow(organization, [row], changed=True)
    for _hour in range(3):
        let_due(organization)
        tasks.settle_credits()
    assert not Period.objects.exists()
    assert caplog.text.count("prepaid_credits_unknown") == 1


@pytest.mark.usefixtures("in_november")
def test_a_month_without_a_subscription_begins_by_the_sweep_and_ends_with_the_first_subscription() -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    count(organization, {NOVEMBER + 10 * HOUR: 7})
    tasks.settle_credits()
    assert periods(organization) == [("team-growth", NOVEMBER, DECEMBER)]
    assert Grant.objects.get().credits == 150_000
    assert list(burnt_of(organization).values()) == [7]

    begun = NOW - timedelta(minutes=5)
    row = SubscriptionFactory(
        organization=organization,
        items=sells("team-growth-monthly"),
        period_start=begun,
        period_end=DECEMBER + timedelta(days=19),
    )
    let_credits_follow(organization, [row])
    assert periods(organization)[1:] == [("team-growth", begun, row.period_end)]
    assert Voiding.objects.get().voided_at == begun


@pytest.mark.usefixtures("in_november")
@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled"])
def test_a_subscription_that_is_not_in_force_brings_nothing(status: str) -> None:
    organization = OrganizationFactory(edition_code="enterprise-growth")
    items = sells("enterprise-growth-yearly", included=5)
    let_credits_follow(
        organization, [SubscriptionFactory(organization=organization, items=items, status=status)]
    )
    assert not Grant.objects.exists()


@pytest.mark.usefixtures("in_november")
def test_an_edition_without_credits_ends_the_counting() -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    let_credits_follow(organization, [])
    organization.edition_code = "team-pro"
    organization.save()
    row = SubscriptionFactory(organization=organization)
    for _again in range(2):
        let_credits_follow(organization, [row])
    assert periods(organization) == [("team-growth", NOVEMBER, DECEMBER), ("team-pro", NOW, DECEMBER)]
    assert Voiding.objects.get().voided_at == NOW


@pytest.mark.usefixtures("in_november")
def test_a_closed_organization_gets_no_more_months() -> None:
    organization = OrganizationFactory(edition_code="team-growth", closes_after=NOW.date(), closed_at=NOW)
    let_credits_follow(organization, [])
    tasks.settle_credits()
    assert not Ledger.objects.exists()


def test_the_sweep_comes_back_each_hour() -> None:
    OrganizationFactory(edition_code="team-growth")
    tasks.settle_credits()
    ledger = Ledger.objects.get()
    assert abs(ledger.next_attempt_at - timezone.now() - HOUR) < timedelta(seconds=5)
    assert (ledger.attempts, ledger.leased_until, ledger.error) == (0, None, "")


@pytest.mark.usefixtures("in_november")
def test_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = OrganizationFactory(edition_code="gone"), OrganizationFactory(edition_code="team-growth")
    count(sound, {NOVEMBER: 5})
    tasks.settle_credits()
    assert list(burnt_of(sound).values()) == [5]
    assert "UnknownEditionError" in Ledger.objects.get(organization=broken).error


@pytest.fixture
def fuse() -> Iterator[Fuse]:
    fuse = Fuse()
    with connection.execute_wrapper(fuse.before_statement):
        yield fuse


@pytest.mark.slow
@in_parts(5)
@pytest.mark.usefixtures("in_november")
def test_a_worker_that_dies_before_any_statement_leaves_nothing_twice_and_nothing_undone(
    part: Part, fuse: Fuse
) -> None:
    """Of a sweep that begins a month and burns its hours."""
    for steps in part.of(itertools.count()):
        organization = OrganizationFactory(edition_code="team-growth")
        count(organization, {NOVEMBER: 100_000, NOVEMBER + HOUR: 90_000})
        died = dies_after(steps, fuse)
        let_due(organization)
        tasks.settle_credits()
        assert sorted(net(organization).values()) == [40_000, 50_000, 100_000]
        assert [grant.credits for grant in Grant.objects.for_org(organization)] == [150_000]
        if not died:
            break
    assert steps > 15


def dies_after(steps: int, fuse: Fuse) -> bool:
    """Whether the sweep comes to that statement at all."""
    fuse.steps_left = steps
    try:
        tasks.settle_credits()
    except Killed:
        return True
    finally:
        fuse.reset()
    return False
