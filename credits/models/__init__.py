"""The ledger of an organization's credits. Its rows are added, and never changed or deleted.

Credits are whole numbers: one is one resource for one hour. An hour is a UTC clock hour, named by its
beginning, and belongs to the span that its beginning lies in.
"""

from credits.models.entries import Entry, OnDemandCharge
from credits.models.grants import BY_STAFF, OF_PERIOD, ExpiryWarning, Grant, GrantKind, Voiding
from credits.models.ledger import Ledger
from credits.models.periods import Period

__all__ = [
    "BY_STAFF",
    "OF_PERIOD",
    "Entry",
    "ExpiryWarning",
    "Grant",
    "GrantKind",
    "Ledger",
    "OnDemandCharge",
    "Period",
    "Voiding",
]
