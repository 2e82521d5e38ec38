from collections.abc import Callable
from datetime import datetime

import pytest
from django.utils import timezone

from tests.credits.months import NOW

SetClock = Callable[[datetime], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Says what time it is."""
    return lambda now: monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.fixture(autouse=True)
def _in_november(set_clock: SetClock) -> None:
    set_clock(NOW)
