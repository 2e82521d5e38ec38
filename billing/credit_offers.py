"""What packs of credits cost, as Stripe says: shown to a person, and accepted as a whole or not at all.

As an offer of another plan, it is kept nowhere: see ``plan_offers``.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import gateway
from billing.credit_sales import Sale
from billing.gateway.records import Packs, PacksPreview
from billing.plan_offers import Bill, Charge, bill_of
from billing.sealing import seal, unseal
from orgs.models import Membership

SALT = "billing.credit_offers"
# Where the subscription doesn't say when its invoices are due.
DAYS_UNTIL_DUE = 30


@dataclass(frozen=True, kw_only=True)
class CreditOffer:
    """So many packs at their price. Amounts in minor units, taxes included.

    ``credits``: of all packs. ``expires``: ISO time. ``method``: the id of what pays; empty: an invoice is
    sent. ``total``, ``amount_due``: of the invoice. ``invoice``: how it is made, as Stripe takes it.
    """

    id: str
    membership: str
    price: str
    packs: int
    credits: int
    expires: str
    method: str
    currency: str
    total: int
    amount_due: int
    invoice: dict[str, Any]

    @property
    def charge(self) -> Charge:
        return Charge(self.total, self.amount_due, self.currency)

    @property
    def expires_at(self) -> datetime:
        return datetime.fromisoformat(self.expires)

    @property
    def is_sent(self) -> bool:
        return not self.method

    @property
    def sealed(self) -> str:
        return seal(self, salt=SALT)


@dataclass(frozen=True)
class OfferedCredits:
    """An offer and how Stripe came to it."""

    offer: CreditOffer
    bill: Bill
    told_at: datetime


def packs_of(offer: CreditOffer, organization_id: uuid.UUID) -> Packs:
    """As Stripe is asked for them; the offer's id is the operation's."""
    return Packs(price=offer.price, quantity=offer.packs, tags=gateway.tags(organization_id, offer.id))


def ask_for_credit_offer(
    reader: Membership, sale: Sale, *, packs: int, customer_id: str, method_id: str
) -> OfferedCredits:
    """Ask Stripe what so many packs cost. ``method_id``: of what pays; empty: an invoice is sent.

    Raises what the gateway raises.
    """
    offer_id, now = str(uuid.uuid4()), timezone.now()
    tags = gateway.tags(reader.organization_id, offer_id)
    wanted = Packs(price=sale.price.stripe_id, quantity=packs, tags=tags)
    preview = gateway.preview_of_packs(sale.subscription.stripe_id, wanted)
    charge = preview.charge
    offer = CreditOffer(
        id=offer_id,
        membership=str(reader.pk),
        price=sale.price.stripe_id,
        packs=packs,
        credits=packs * sale.price.credits,
        expires=sale.expires_at.isoformat(),
        method=method_id,
        currency=charge.currency,
        total=charge.total,
        amount_due=charge.amount_due,
        invoice={"customer": customer_id, **_terms(sale, preview, is_sent=not method_id)},
    )
    return OfferedCredits(offer, bill_of(charge, amount_due=charge.amount_due), now)


def _terms(sale: Sale, preview: PacksPreview, *, is_sent: bool) -> dict[str, Any]:
    """Taxed as the preview was, and collected as the subscription is."""
    terms: dict[str, Any] = {
        "currency": preview.charge.currency,
        "automatic_tax": {"enabled": preview.automatic_tax},
        "collection_method": "send_invoice" if is_sent else "charge_automatically",
    }
    if preview.tax_rates:
        terms["default_tax_rates"] = preview.tax_rates
    if is_sent:
        terms["days_until_due"] = sale.subscription.days_until_due or DAYS_UNTIL_DUE
    return terms


def credit_offer_in(sealed: str, *, reader: Membership) -> CreditOffer:
    """The offer that this person was shown within the last hour. Raises PageOutdated."""
    return unseal(CreditOffer, sealed, salt=SALT, reader=reader)
