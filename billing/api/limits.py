"""Limits of use, and how far use has come towards them."""

from datetime import datetime

from ninja import Schema

from api.authorize import StoppedOut, stopped
from api.endpoints import Endpoints
from api.gate import ApiRequest, Needs
from billing.selectors.limits import limited_uses
from credits.selectors import period_credits
from orgs.editions import CREDIT_CURRENCY
from orgs.policy import Permission
from orgs.usage_limits import Limit

endpoints = Endpoints("Billing")


class ToldOut(Schema):
    """A threshold that was reached, and when it was told."""

    percent: int
    at: datetime


class UseOut(Schema):
    """``used`` of ``most``: credits; of the budget minor units of the currency."""

    limit: Limit
    used: int
    most: int
    percent: int
    told: list[ToldOut]


class LimitsOut(Schema):
    """``budget``: for the credits on demand of a period; null: there is none. ``stops``: whether the product
    is told to stop at 100%; ``usage_stopped``: whether it was.

    ``uses``: of the current period, hours before ``settled_until``; none where no credits are counted.
    """

    budget: int | None
    currency: str
    stops: bool
    usage_stopped: StoppedOut | None
    period_start: datetime | None
    period_end: datetime | None
    settled_until: datetime | None
    uses: list[UseOut]


@endpoints.get("/billing/limits", Needs(Permission.BILLING_VIEW), LimitsOut)
def limits(request: ApiRequest) -> LimitsOut:
    """Read the limits of use, and how far use has come in the current period."""
    organization = request.organization
    period = period_credits(organization.pk)
    return LimitsOut(
        budget=organization.usage_budget,
        currency=CREDIT_CURRENCY,
        stops=organization.usage_stops,
        usage_stopped=stopped(organization),
        period_start=period.since if period else None,
        period_end=period.until if period else None,
        settled_until=period.settled_until if period else None,
        uses=[
            UseOut(
                limit=row.use.limit,
                used=row.use.used,
                most=row.use.most,
                percent=row.use.percent,
                told=[ToldOut(percent=one.percent, at=one.at) for one in row.told],
            )
            for row in limited_uses(organization, period)
        ],
    )
