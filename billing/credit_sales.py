"""Packs of prepaid credits: whether they are sold to an organization, and for how long they last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import NOT_IN_FORCE, Price, Subscription
from billing.offers import amount_of, tax_words
from credits.selectors import prepaid_period
from orgs.errors import Refused
from orgs.models import Organization


@dataclass(frozen=True)
class Sale:
    """``subscription``: the one that sells the edition. ``expires_at``: of what is paid now."""

    subscription: Subscription
    price: Price
    expires_at: datetime

    @property
    def pack(self) -> str:
        """What a pack costs, as people read it: "$475.00, plus any tax"."""
        return f"{amount_of(self.price)}, {tax_words(self.price)}"


def sale_to(organization: Organization, subscriptions: Iterable[Subscription]) -> Sale:
    """Of an edition that is prepaid. Raises Refused where no packs can be sold now."""
    edition = organization.edition
    price = Price.objects.filter(lookup_key=edition.pack_lookup_key, credits__gt=0).first()
    selling = next((one for one in subscriptions if _sells(one, edition.price_lookup_key)), None)
    period = prepaid_period(organization.pk, at=timezone.now())
    if price is None or selling is None or period is None or selling.pause_behavior:
        raise Refused(_("More credits can't be bought here right now. Ask support."))
    if selling.status not in {"active", "trialing"}:
        raise Refused(_("A payment is overdue. Pay it first, then credits can be bought."))
    if price.currency != selling.currency:
        raise Refused(_("Credits are not sold in the currency of your plan. Ask support."))
    return Sale(selling, price, period.ends_at)


def _sells(subscription: Subscription, lookup_key: str) -> bool:
    in_force = subscription.status not in NOT_IN_FORCE
    return in_force and any(item["lookup_key"] == lookup_key for item in subscription.items)
