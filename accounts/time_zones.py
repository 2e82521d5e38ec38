"""The time zones that people choose from: IANA's, by area, as the machine's own data has them."""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# All others are old names of these, or no place's.
AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@cache
def zone_names() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS))


def zone_of(name: str) -> tzinfo:
    """The zone of that name; UTC as well for one that this machine's data doesn't have."""
    return ZoneInfo(name) if name in zone_names() else UTC


def zones_by_area() -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices of a form, by area: each name with the place as people write it."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for name in zone_names():
        area, _slash, place = name.partition("/")
        areas.setdefault(area, []).append((name, place.replace("_", " ")))
    return list(areas.items())
