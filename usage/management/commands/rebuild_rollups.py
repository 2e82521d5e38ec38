"""Compare the sums of organizations with the counts of their stacks, and mend them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orgs.models import Organization
from usage.rollups import Differences, compare


class Command(BaseCommand):
    help = (
        "Compare the hours and days of organizations with the counts of their stacks, in the months of which "
        "those are kept, and tell each difference. With --mend the sums are made anew where they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="the organization; all when left out")
        parser.add_argument("--mend", action="store_true", help="make the sums anew where they differ")

    def handle(self, *_args: Any, slug: str | None = None, mend: bool, **_options: Any) -> None:
        organizations = Organization.objects.order_by("slug")
        if slug:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"There is no organization {slug}.")
        hours = days = compared = 0
        for pk, name in organizations.values_list("pk", "slug").iterator():
            found = compare(pk, mend=mend)
            self._tell(name, found)
            compared += 1
            hours += len(found.hours)
            days += len(found.days)
        summary = f"{compared} organizations compared. Differences: hours {hours}, days {days}."
        if mend or not hours + days:
            self.stdout.write(f"{summary} They are mended." if hours + days else summary)
        else:
            raise CommandError(f"{summary} Mend them by --mend.")

    def _tell(self, name: str, found: Differences) -> None:
        for hour in found.hours:
            self.stdout.write(
                f"{name}, {hour.hour:%Y-%m-%d %H}:00 UTC: kept {hour.kept}, counted {hour.counted}"
            )
        for day in found.days:
            self.stdout.write(
                f"{name}, {day.day}: kept {day.kept} in {day.kept_hours} hours, "
                f"counted {day.counted} in {day.counted_hours} hours"
            )
