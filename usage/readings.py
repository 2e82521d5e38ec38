"""Readings: how many resources a stack held in one clock hour, as the product reports it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from orgs.errors import Refused
from usage.partitions import first_kept_month

MOST_RESOURCES = 2_147_483_647
LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class HourlyReading:
    """How many resources a stack held in one clock hour: ``hour`` is its beginning, aware."""

    stack: str
    hour: datetime
    resources: int


class Batch:
    """Readings to be recorded at once: of several for one stack and hour the greatest.

    What was checked of a stack's name or an hour isn't checked again: a batch has few of each.
    """

    def __init__(self) -> None:
        self.greatest: dict[tuple[str, datetime], int] = {}
        self.readings = 0
        self._now = timezone.now()
        self._hours: dict[datetime, datetime] = {}
        self._stacks: set[str] = set()

    @classmethod
    def of(cls, readings: Iterable[HourlyReading]) -> "Batch":
        """Raises Refused for the first reading that can't be."""
        batch = cls()
        for reading in readings:
            batch.add(reading.stack, reading.hour, reading.resources)
        return batch

    def add(self, stack: str, hour: datetime, resources: int) -> None:
        """Raises Refused for a reading that can't be; the batch is as it was then."""
        if stack not in self._stacks:
            _check_stack(stack)
        if not 0 <= resources <= MOST_RESOURCES:
            raise Refused(
                _("Give a count between 0 and %(most)s for %(stack)s.")
                % {"most": MOST_RESOURCES, "stack": stack}
            )
        utc_hour = self._hours.get(hour)
        if utc_hour is None:
            utc_hour = self._hours[hour] = _checked_hour(hour, self._now)
        self._stacks.add(stack)
        key = stack, utc_hour
        self.greatest[key] = max(resources, self.greatest.get(key, 0))
        self.readings += 1


def _check_stack(stack: str) -> None:
    if not (0 < len(stack) <= LONGEST_NAME and stack.isprintable() and stack.strip()):
        raise Refused(
            _("Give every stack a name of 1 to %(most)s printable characters.") % {"most": LONGEST_NAME}
        )


def _checked_hour(given: datetime, now: datetime) -> datetime:
    """The hour in UTC. Raises Refused for one that is none, or that can't be recorded now."""
    if timezone.is_naive(given):
        raise Refused(_("Give every hour with its time zone."))
    try:
        hour = given.astimezone(UTC)
    except OverflowError:
        # A time zone can lead past the years that there are.
        hour = given.replace(tzinfo=UTC)
    if hour.minute or hour.second or hour.microsecond:
        raise Refused(_("Give every hour as a full UTC hour, not %(hour)s.") % {"hour": hour.isoformat()})
    if hour > now:
        raise Refused(_("Send %(hour)s again once that hour has begun.") % {"hour": hour.isoformat()})
    oldest = first_kept_month(now.date())
    if hour.date() < oldest:
        raise Refused(
            _("Send only hours since %(oldest)s, not %(hour)s.")
            % {"oldest": oldest.isoformat(), "hour": hour.isoformat()}
        )
    return hour
