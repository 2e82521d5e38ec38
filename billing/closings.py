"""What an organization that closes has bought, and what it still owes."""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count, Sum

from billing.models import Invoice, PaymentStatus, StripeOperation, Subscription
from billing.models.operations import OperationKind
from billing.plans import version_of
from orgs.models import Organization


class StillOwed(NamedTuple):
    """What is still to be paid in one currency, in minor units, on so many invoices."""

    currency: str
    amount: int
    invoices: int


def still_owed(organization: Organization) -> list[StillOwed]:
    """Without what is being paid already."""
    unpaid = Invoice.objects.for_org(organization).open().exclude(payment_status=PaymentStatus.PROCESSING)
    summed = unpaid.order_by("currency").values("currency")
    rows = summed.annotate(amount=Sum("amount_remaining"), invoices=Count("id"))
    return [StillOwed(*row) for row in rows.values_list(*StillOwed._fields)]


def renewing(organization: Organization) -> list[Subscription]:
    """Those that go on by themselves, as the mirror has them."""
    current = Subscription.objects.for_org(organization).current().order_by("created_at", "stripe_id")
    return [one for one in current if one.ends_at is None]


def ended_by_closing(organization: Organization) -> set[str]:
    """Stripe's ids of the subscriptions that the closing has let end: to undo it is to keep these."""
    followed = StripeOperation.objects.for_org(organization).filter(kind=OperationKind.FOLLOW_CLOSING)
    last = followed.order_by("-created_at").first()
    return {*last.params["ended"], *last.result.get("ended", [])} if last else set()


def closing_version(organization: Organization) -> str:
    """What the page of now shows: see ``version_shown``."""
    return version_shown(Subscription.objects.for_org(organization).current(), still_owed(organization))


def version_shown(current: Iterable[Subscription], owed: list[StillOwed]) -> str:
    """Changes with whatever people decide by when they close the organization."""
    shown = [sorted(version_of(one) for one in current), owed]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]
