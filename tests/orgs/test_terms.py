"""Edition and seats follow the subscription."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import transaction

from audit.models import ActorKind, AuditEvent
from orgs import editions, events
from orgs.editions import EDITIONS, SEED_ERA, STARTING_EDITION, UnknownEditionError, edition_for_price
from orgs.models import Membership, Organization
from orgs.terms import follow_subscription
from tests.factories import MembershipFactory, OrganizationFactory
from work.transactions import OutsideTransactionError

CODES = sorted({edition.code for edition in EDITIONS})
PER_SEAT = {edition.code for edition in EDITIONS if edition.per_seat}

Sent = list[tuple[object, str, str]]


@pytest.fixture
def sent() -> Iterator[Sent]:
    """The ``edition_changed`` that were sent: organization, old and new."""
    heard: Sent = []

    def hear(organization_id: object, old: str, new: str, **_kwargs: object) -> None:
        heard.append((organization_id, old, new))

    events.edition_changed.connect(hear)
    yield heard
    events.edition_changed.disconnect(hear)


@transaction.atomic
def follow(organization: Organization, edition_code: str, seats: int | None) -> Organization:
    """What the mirror does once it has written the subscription down: another look at the organization."""
    locked = Organization.objects.locked(organization.pk)
    follow_subscription(locked, edition_code=edition_code, seats=seats)
    return locked


def told() -> list[str]:
    return [str(event) for event in AuditEvent.objects.order_by("id")]


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), list(permutations(CODES, 2)))
def test_the_edition_follows_with_its_seats(old: str, new: str, sent: Sent) -> None:
    organization = OrganizationFactory(edition_code=old, seats=12 if old in PER_SEAT else None)
    MembershipFactory.create_batch(3, organization=organization)
    locked = follow(organization, new, 20)
    organization.refresh_from_db()
    assert (organization.edition_code, organization.seats) == (new, 20 if new in PER_SEAT else None)
    assert (locked.edition_code, locked.seats) == (organization.edition_code, organization.seats)
    assert sent == [(organization.pk, old, new)]
    assert Membership.objects.for_org(organization).count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("seats", [0, 1, 11, 13, 2_000])
def test_seats_follow_on_the_same_edition(seats: int, sent: Sent) -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=12)
    follow(organization, "team-pro", seats)
    organization.refresh_from_db()
    assert organization.seats == seats
    assert told() == [f"Stripe changed the seats from 12 to {seats}"]
    assert sent == []


@pytest.mark.django_db
def test_the_audit_log_tells_both_as_done_by_stripe() -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    follow(organization, "team-pro", 12)
    assert told() == [
        "Stripe changed the edition from Team Growth to Team Pro",
        "Stripe changed the seats from none to 12",
    ]
    assert {event.actor_kind for event in AuditEvent.objects.all()} == {ActorKind.STRIPE}
    assert AuditEvent.objects.order_by("id")[0].data == {"old": "team-growth", "new": "team-pro"}


@pytest.mark.django_db
def test_what_is_so_already_changes_nothing(sent: Sent) -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=12)
    follow(organization, "team-pro", 12)
    growth = OrganizationFactory(edition_code="team-growth")
    follow(growth, "team-growth", 1)
    assert (told(), sent) == ([], [])


@pytest.mark.django_db
def test_without_a_subscription_an_organization_has_what_it_starts_with(sent: Sent) -> None:
    organization = OrganizationFactory(edition_code="enterprise", seats=40)
    follow(organization, STARTING_EDITION, None)
    organization.refresh_from_db()
    assert (organization.edition_code, organization.seats) == (STARTING_EDITION, None)
    assert sent == [(organization.pk, "enterprise", STARTING_EDITION)]


@pytest.mark.django_db
def test_an_unknown_edition_changes_nothing(sent: Sent) -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=12)
    with pytest.raises(UnknownEditionError), transaction.atomic():
        follow_subscription(organization, edition_code="gold", seats=3)
    assert (organization.edition_code, organization.seats, told(), sent) == ("team-pro", 12, [], [])


@pytest.mark.django_db
def test_what_a_receiver_refuses_undoes_the_whole(sent: Sent) -> None:
    def refuse(**_kwargs: object) -> None:
        raise LookupError

    organization = OrganizationFactory(edition_code="team-pro", seats=12)
    events.edition_changed.connect(refuse)
    try:
        with pytest.raises(LookupError):
            follow(organization, "team-growth", None)
    finally:
        events.edition_changed.disconnect(refuse)
    organization.refresh_from_db()
    assert (organization.edition_code, organization.seats, told()) == ("team-pro", 12, [])


@pytest.mark.django_db(transaction=True)
def test_it_is_no_act_of_its_own() -> None:
    with pytest.raises(OutsideTransactionError):
        follow_subscription(OrganizationFactory(), edition_code="team-growth", seats=None)


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.code)
def test_a_price_finds_its_edition(edition: editions.Edition) -> None:
    assert edition_for_price(edition.price_lookup_key, on=SEED_ERA) == edition


@pytest.mark.parametrize("key", ["", "gold-monthly", "team-pro", "TEAM-PRO-SEAT-MONTHLY"])
def test_a_price_that_no_edition_knows(key: str) -> None:
    assert edition_for_price(key, on=SEED_ERA) is None


def test_no_price_sells_an_edition_before_its_day() -> None:
    assert edition_for_price("team-pro-seat-monthly", on=SEED_ERA - timedelta(days=1)) is None


def test_the_price_of_earlier_terms_still_sells_the_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    (today,) = (edition for edition in EDITIONS if edition.code == "team-growth")
    later = replace(
        today,
        effective_from=date(2027, 1, 1),
        credit_price=Decimal("0.0003"),
        price_lookup_key="team-growth-2027",
    )
    monkeypatch.setattr(editions, "EDITIONS", (*EDITIONS, later))
    eve, day = date(2026, 12, 31), date(2027, 1, 1)
    assert edition_for_price("team-growth-monthly", on=eve) == today
    assert edition_for_price("team-growth-2027", on=eve) is None
    assert edition_for_price("team-growth-monthly", on=day) == later
    assert edition_for_price("team-growth-2027", on=day) == later
