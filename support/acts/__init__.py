"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.base import StaffAct
from support.acts.viewing import ViewAs

ALL: list[StaffAct[Any]] = [ViewAs()]
ACTS = {act.name: act for act in ALL}
