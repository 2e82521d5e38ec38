"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.base import StaffAct
from support.acts.queues import SettleRow

ALL: list[StaffAct[Any]] = [SettleRow()]
ACTS = {act.name: act for act in ALL}
