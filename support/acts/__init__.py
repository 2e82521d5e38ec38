"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.base import StaffAct
from support.acts.credits import GiveCredits, VoidCredits
from support.acts.customers import ExtendGrace, MergeCustomer
from support.acts.stripe import GiveUpOperation, Reconcile, ReplayEvent, RetryOperation

ALL: list[StaffAct[Any]] = [
    ReplayEvent(),
    RetryOperation(),
    GiveUpOperation(),
    Reconcile(),
    ExtendGrace(),
    MergeCustomer(),
    GiveCredits(),
    VoidCredits(),
]
ACTS = {act.name: act for act in ALL}
