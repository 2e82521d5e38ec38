"""A moment on a page, read back in the zone that it names, is the moment; a day is one in UTC for all."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.time_zones import zone_names
from orgs.dates import day, day_here, moment, month_names, zone_name

MOMENT = re.compile(r"(\d+)\xa0(\w+) (\d+), (\d\d):(\d\d):(\d\d) UTC(?:([+−])(\d+)(?::(\d\d))?(?::(\d\d))?)?")
MONTHS = {name: number for number, name in month_names(None).items()}
# Since before clocks went by zones.
instants = st.integers(-3_786_912_000, 7_226_582_400).map(lambda second: datetime.fromtimestamp(second, UTC))
zones = st.sampled_from(zone_names()).map(ZoneInfo)


def read_back(told: str) -> datetime:
    found = MOMENT.fullmatch(told)
    assert found, told
    day_, month, year, hour, minute, second, sign, *ahead = found.groups()
    local = datetime(int(year), MONTHS[month], int(day_), int(hour), int(minute), int(second), tzinfo=UTC)
    hours, minutes, seconds = (int(part or 0) for part in ahead)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return local + offset if sign == "−" else local - offset


@given(at=instants, zone=zones)
@settings(max_examples=150, deadline=None)
def test_any_instant_in_any_zone_is_read_back(at: datetime, zone: ZoneInfo) -> None:
    with timezone.override(zone):
        told = moment(at, to_the_second=True)
        assert read_back(told) == at
        assert told.startswith(day_here(at))
        assert moment(at) == re.sub(r":\d\d UTC", " UTC", told, count=1)
        assert day(at) == day(at.date())


@pytest.mark.parametrize(
    ("at", "told"),
    [
        # The clock shows 02:30 twice, and never shows it in spring.
        ("2026-10-25T00:30Z", "25\xa0October 2026, 02:30 UTC+2"),
        ("2026-10-25T01:30Z", "25\xa0October 2026, 02:30 UTC+1"),
        ("2026-03-29T00:59Z", "29\xa0March 2026, 01:59 UTC+1"),
        ("2026-03-29T01:00Z", "29\xa0March 2026, 03:00 UTC+2"),
    ],
)
def test_the_hours_at_which_clocks_are_changed(at: str, told: str) -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert moment(datetime.fromisoformat(at)) == told


def test_zones_are_named_by_their_distance() -> None:
    minutes = {0: "UTC", 330: "UTC+5:30", -180: "UTC−3", 60: "UTC+1", -30: "UTC−0:30", 840: "UTC+14"}
    assert {ahead: zone_name(timedelta(minutes=ahead)) for ahead in minutes} == minutes
    assert zone_name(None) == "UTC"


def test_a_day_is_one_in_utc() -> None:
    last = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        with timezone.override(ZoneInfo(zone)):
            assert day(last) == day(last.astimezone(ZoneInfo(zone))) == "31\xa0December 2026"
    assert day(date(2026, 12, 31)) == "31\xa0December 2026"
    assert day(None) == ""
