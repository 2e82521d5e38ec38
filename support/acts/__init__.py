"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.base import StaffAct

ALL: list[StaffAct[Any]] = []
ACTS = {act.name: act for act in ALL}
