"""Invoice items for on-demand credits."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class OnDemandItem:
    """``since``, ``until``, ``credits``: what its metadata says that it charges.

    ``invoice_id``: empty while it waits for an invoice.
    """

    id: str
    customer_id: str
    invoice_id: str
    since: datetime
    until: datetime
    credits: int
    amount: int
    currency: str
