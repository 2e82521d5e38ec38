"""The plan: what of an organization's subscriptions sells its edition, and what is planned for it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from billing.gateway import records
from billing.models import NOT_IN_FORCE, Subscription
from orgs.editions import EDITIONS, Edition, edition_for_price
from orgs.models import Organization


@dataclass(frozen=True)
class Plan:
    """``item``: the one of the subscription's items whose price sells the edition."""

    subscription: Subscription
    item: Mapping[str, Any]
    edition: Edition

    @property
    def quantity(self) -> int:
        return int(self.item["quantity"])

    @property
    def seats(self) -> int | None:
        """How many are bought; None where none are sold."""
        return self.quantity if self.edition.per_seat else None

    @property
    def period_end(self) -> datetime:
        return datetime.fromisoformat(self.item["period_end"])


@dataclass(frozen=True)
class PlannedChange:
    """What a subscription becomes at a moment to come. ``edition``: None where its price sells none."""

    subscription: Subscription
    schedule_id: str
    at: datetime
    edition: Edition | None
    quantity: int
    names: list[str]


class Obstacle(StrEnum):
    """Why the plan can't be changed now. Pages word it."""

    NO_PLAN = "no_plan"
    UNDER_WAY = "under_way"
    ENDING = "ending"
    OVERDUE = "overdue"
    PAUSED = "paused"


def plan_of(subscriptions: Iterable[Subscription]) -> Plan | None:
    """Of several subscriptions that sell an edition, the latest. None: no price that an edition knows."""
    rows = [row for row in subscriptions if row.status not in NOT_IN_FORCE]
    today = timezone.now().date()
    for row in sorted(rows, key=lambda row: (row.created_at, row.stripe_id), reverse=True):
        for item in row.items:
            edition = edition_for_price(item["lookup_key"], on=today)
            if edition is not None:
                return Plan(row, item, edition)
    return None


def planned_changes(subscription: Subscription) -> list[PlannedChange]:
    """What is planned for it, here or at Stripe, the next first."""
    if subscription.schedule is None or subscription.status in NOT_IN_FORCE:
        return []
    schedule = subscription.schedule
    return [_planned(subscription, schedule["id"], phase) for phase in _phases_to_come(schedule)]


def changes_by(schedule_id: str, organization: Organization) -> list[PlannedChange]:
    """What this schedule still brings about, the next first."""
    scheduled = Subscription.objects.for_org(organization).current().filter(schedule__id=schedule_id)
    return [change for row in scheduled for change in planned_changes(row)]


def _planned(subscription: Subscription, schedule_id: str, phase: Mapping[str, Any]) -> PlannedChange:
    at = datetime.fromisoformat(phase["starts"])
    selling = [
        (edition, item)
        for item in phase["items"]
        if (edition := edition_for_price(item["lookup_key"], on=at.date())) is not None
    ]
    edition, item = selling[0] if selling else (None, phase["items"][0])
    names = [item["description"] for item in phase["items"] if item["description"]]
    return PlannedChange(subscription, schedule_id, at, edition, item["quantity"], names)


def _phases_to_come(schedule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    now = timezone.now()
    return [phase for phase in schedule["phases"] if datetime.fromisoformat(phase["starts"]) > now]


def obstacle_to_change(plan: Plan | None, *, is_under_way: bool) -> Obstacle | None:
    """``is_under_way``: a change was asked for, and Stripe has not been told yet or has not answered."""
    if plan is None:
        return Obstacle.NO_PLAN
    subscription = plan.subscription
    if is_under_way:
        return Obstacle.UNDER_WAY
    if subscription.status == "paused" or subscription.pause_behavior:
        return Obstacle.PAUSED
    if subscription.status not in {"active", "trialing"}:
        return Obstacle.OVERDUE
    return None if subscription.ends_at is None else Obstacle.ENDING


def is_larger(edition: Edition, than: Edition) -> bool:
    """Editions are listed from the smallest to the largest."""
    codes = [known.code for known in EDITIONS]
    return codes.index(edition.code) > codes.index(than.code)


SHOWN = (
    "status",
    "currency",
    "items",
    "charged_automatically",
    "pause_behavior",
    "trial_end",
    "cancel_at",
    "cancel_at_period_end",
)


def version_of(subscription: Subscription | records.Subscription) -> str:
    """Changes with whatever of a subscription people decide by; the same here and as fetched from Stripe."""
    shown = {name: getattr(subscription, name) for name in SHOWN}
    shown["planned"] = planned_at_stripe(subscription)
    text = json.dumps(shown, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def planned_at_stripe(subscription: Subscription | records.Subscription) -> list[Mapping[str, Any]]:
    """The phases to come, the same here and as fetched."""
    schedule = subscription.schedule
    known: Any = asdict(schedule) if isinstance(schedule, records.Schedule) else schedule
    return _phases_to_come(known) if known else []


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value.isoformat()
