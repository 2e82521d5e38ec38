"""What was asked of Stripe and is not settled yet."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from billing.models import SUBSCRIPTION_CHANGES, OperationKind, StripeOperation
from billing.models.operations import AWAITED
from orgs.models import Organization

# So long a page asks again by itself. Stripe is asked ever more rarely from then on.
WATCHED_FOR = timedelta(minutes=5)
SENTENCES: dict[OperationKind, Promise] = {
    OperationKind.PAY_INVOICE: _("This page shows what becomes of the payment."),
    OperationKind.BUY_CREDITS: _("This page shows what becomes of the purchase of credits."),
    OperationKind.START_SUBSCRIPTION: _("This page shows when the subscription has started."),
}
A_CHANGE = _("This page shows what becomes of the change of the subscription.")


class Unsettled(NamedTuple):
    id: str
    kind: OperationKind
    begun_at: datetime


def unsettled_of(organization: OuterRef) -> ArraySubquery:
    """What an ``UnderWay`` is made of."""
    found = StripeOperation.objects.filter(organization=organization).unsettled().order_by("created_at")
    return ArraySubquery(found.values(row=JSONObject(id="id", kind="kind", begun_at="created_at")))


@dataclass(frozen=True)
class UnderWay:
    """Payments, changes of the subscription and a purchase that nobody knows the end of yet."""

    all: list[Unsettled]

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def query(self) -> str:
        """What the address of a look at it names."""
        return urlencode([("operation", one.id) for one in self.all])

    @property
    def sentences(self) -> list[str]:
        """One for each kind, in words."""
        return list(dict.fromkeys(str(SENTENCES.get(one.kind, A_CHANGE)) for one in self.all))

    @property
    def is_watched(self) -> bool:
        """Whether a page asks by itself what became of it."""
        return is_watched(one.begun_at for one in self.all)

    @property
    def is_purchase(self) -> bool:
        """Whether a subscription was bought, so that none is offered."""
        return any(one.kind == OperationKind.START_SUBSCRIPTION for one in self.all)

    @property
    def is_change(self) -> bool:
        """Whether the subscription changes: no other change can be asked for meanwhile."""
        return any(one.kind in SUBSCRIPTION_CHANGES for one in self.all)


def under_way_of(rows: Iterable[Mapping[str, str]]) -> UnderWay:
    return UnderWay(
        [
            Unsettled(row["id"], OperationKind(row["kind"]), datetime.fromisoformat(row["begun_at"]))
            for row in rows
        ]
    )


def is_watched(begun_at: Iterable[datetime]) -> bool:
    """Whether a page still asks by itself what became of what was begun then."""
    return any(timezone.now() - moment < WATCHED_FOR for moment in begun_at)


def awaited(organization: Organization, ids: Iterable[uuid.UUID]) -> list[StripeOperation]:
    """What a page of the organization waits for, settled or not, the first first."""
    operations = StripeOperation.objects.for_org(organization).filter(kind__in=AWAITED, pk__in=ids)
    return list(operations.order_by("created_at"))
