"""Whether a subscription can be ended here or, if it is to end, be kept; and how that went."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.models import Subscription
from billing.plans import planned_changes
from orgs.editions import edition_for_price

# Those with a period that goes on by itself.
RUNNING = {"active", "trialing", "past_due", "unpaid"}


class Obstacle(models.TextChoices):
    """Why a person can't do it here, as pages tell it."""

    PLANNED = "planned", _("A change of it is planned. Undo that first.")
    SCHEDULED = (
        "scheduled",
        format_lazy(
            _("Changes of it are planned already. To cancel or keep it, write to {address}."),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    UNKNOWN_PRICE = (
        "unknown_price",
        format_lazy(
            _("It was arranged with support. To cancel or keep it, write to {address}."),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    MIXED = (
        "mixed",
        format_lazy(
            _("Its parts renew on different days. To cancel or keep it, write to {address}."),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    NOT_RUNNING = (
        "not_running",
        format_lazy(
            _("It can't be canceled here in this state. Write to {address}."), address=settings.SUPPORT_EMAIL
        ),
    )
    END_SET = (
        "end_set",
        format_lazy(
            _("Support has set the day of its end. To keep it, write to {address}."),
            address=settings.SUPPORT_EMAIL,
        ),
    )


class Feedback(models.TextChoices):
    """Why people cancel, by Stripe's codes.

    https://docs.stripe.com/api/subscriptions/update#update_subscription-cancellation_details-feedback
    """

    TOO_EXPENSIVE = "too_expensive", _("Too expensive")
    MISSING_FEATURES = "missing_features", _("Features are missing")
    SWITCHED_SERVICE = "switched_service", _("We use another service")
    UNUSED = "unused", _("We use it too little")
    CUSTOMER_SERVICE = "customer_service", _("Support was not good enough")
    TOO_COMPLEX = "too_complex", _("Too complicated")
    LOW_QUALITY = "low_quality", _("The quality was too low")
    OTHER = "other", _("Another reason")


class EndingAct(StrEnum):
    CANCEL = "cancel"
    KEEP = "keep"


@dataclass(frozen=True)
class Ending:
    """What can be done about a subscription's end; ``obstacle``: why not, None where it can."""

    act: EndingAct
    obstacle: Obstacle | None

    @property
    def reason(self) -> Promise | None:
        return self.obstacle.label if self.obstacle else None


def ending_of(subscription: Subscription) -> Ending:
    act = EndingAct.CANCEL if subscription.ends_at is None else EndingAct.KEEP
    return Ending(act, _obstacle(subscription))


def _obstacle(subscription: Subscription) -> Obstacle | None:
    today = timezone.now().date()
    if subscription.schedule:
        return Obstacle.PLANNED if planned_changes(subscription) else Obstacle.SCHEDULED
    if subscription.status not in RUNNING or subscription.period_end is None:
        return Obstacle.NOT_RUNNING
    if not any(edition_for_price(item["lookup_key"], on=today) for item in subscription.items):
        return Obstacle.UNKNOWN_PRICE
    # Stripe would end it with the part that ends first, in the middle of what is paid for the others:
    # https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
    if len({item["period_end"] for item in subscription.items}) > 1:
        return Obstacle.MIXED
    if subscription.ends_at is not None and not subscription.cancel_at_period_end:
        return Obstacle.END_SET
    return None


def stamp(moment: datetime | None) -> str:
    """A moment as forms and operations carry it."""
    return moment.isoformat() if moment else ""
