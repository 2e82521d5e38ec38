"""The last day of a billing manager for a time: a day in UTC, the whole of which still counts."""

from datetime import UTC, date

from django.db.models import Q
from django.db.models.functions import Now, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from orgs.errors import Refused

# The same rule for rows, by the database's clock: ``last_day`` may be empty, which is for good.
PAST = Q(last_day__lt=TruncDate(Now(), tzinfo=UTC))
NOT_PAST = Q(last_day=None) | Q(last_day__gte=TruncDate(Now(), tzinfo=UTC))


def is_past(last_day: date | None) -> bool:
    return last_day is not None and last_day < timezone.now().date()


def ensure_not_past(last_day: date | None) -> None:
    """Raise Refused for a day that can't be chosen any more."""
    if is_past(last_day):
        raise Refused(_("This day has passed (UTC). Choose today or a later day."))
