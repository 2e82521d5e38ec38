"""What is saved to pay with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A payment method, or one of the older sources that Stripe still charges.

    ``kind``: Stripe's type, such as card or sepa_debit. ``brand``: of a card; else the bank, if known.
    ``last4`` is empty where the kind has no number, as Link.
    """

    id: str
    kind: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, kw_only=True)
class PaymentMethod(SavedMethod):
    """One of the newer kind: whose customer it is attached to, and when it was made."""

    customer_id: str
    created: datetime
