"""The count says what it counts and until when, and compares alike with alike."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import ActorKind
from bench.statements import sent_statements
from support.count import COLUMNS, MonthCount, count_page, counted_months
from support.jobs import count_jobs
from support.models import CountedMonth, Job, JobCount
from tests.world import World

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
URL = reverse("admin:support_count")


def counted(until: datetime, alone: int = 0, staff: int = 0, job: Job = Job.MANAGER_INVITED) -> MonthCount:
    """The month of an instant just before ``until``."""
    first = (until - timedelta.resolution).date().replace(day=1)
    CountedMonth.objects.create(month=first, counted_until=until)
    for done_by, count in ((ActorKind.PERSON, alone), (ActorKind.STAFF, staff)):
        if count:
            JobCount.objects.create(month=first, job=job, done_by=done_by, count=count)
    return next(one for one in counted_months() if one.first == first)


@pytest.mark.parametrize(
    ("until", "count", "a_day"),
    [
        (datetime(2026, 12, 1, tzinfo=UTC), 222, Decimal("7.4")),
        (NOVEMBER + timedelta(days=10), 74, Decimal("7.4")),
        (NOVEMBER + timedelta(days=2, hours=12), 10, Decimal("4.0")),
        (NOVEMBER + timedelta(days=20), 1, Decimal("0.1")),
        (NOVEMBER + timedelta(hours=23), 5, None),
    ],
)
def test_a_day_is_one_that_was_counted(until: datetime, count: int, a_day: Decimal | None) -> None:
    month = counted(until, alone=count)
    assert (month.alone_a_day, month.added_a_day) == (a_day, a_day)
    assert month.is_over is (until == datetime(2026, 12, 1, tzinfo=UTC))


def test_the_source_is_compared_with_its_own_kind_of_job_alone() -> None:
    month = counted(NOVEMBER + timedelta(days=10), alone=20, staff=3, job=Job.CARD_UPDATED)
    assert (month.alone, month.added, month.by_staff) == (20, 0, 3)


def test_counting_notes_until_when() -> None:
    today = timezone.now().date()
    last_month = today.replace(day=1) - timedelta(days=1)
    for day in (today, last_month):
        count_jobs(day)
    this, last = counted_months()
    assert timezone.now() - this.counted_until < timedelta(minutes=1)
    assert not this.is_over
    assert last.is_over
    assert last.counted_until.date() == today.replace(day=1)


def test_the_chart_has_a_bar_for_each_month_and_says_which_was_not_counted() -> None:
    counted(datetime(2026, 9, 1, tzinfo=UTC), alone=300)
    counted(NOVEMBER + timedelta(days=10), alone=50, job=Job.INVOICE_PAID)
    page = count_page("")
    assert page is not None
    assert [bar.title for bar in page.chart.bars] == [
        "August 2026: 300 tickets avoided, 300 of the source's kind",
        "September 2026: not counted",
        "October 2026: not counted",
        "November 2026: 50 tickets avoided, 0 of the source's kind, so far",
    ]
    assert page.chart.mark is not None
    # 221 on a scale to 300.
    assert page.chart.mark.at == "26.33%"
    assert page.chart.bars[3].over == page.chart.bars[3].height


def test_a_month_is_chosen_and_its_sums_add_up(world: World) -> None:
    counted(datetime(2026, 11, 1, tzinfo=UTC), alone=7, staff=2)
    counted(NOVEMBER + timedelta(days=10), alone=50)
    october, odd = count_page("2026-10"), count_page("x")
    assert october is not None
    assert odd is not None
    assert (october.chosen.first, odd.chosen.first) == (date(2026, 10, 1), date(2026, 11, 1))
    assert sum(row.alone for row in october.chosen.rows) == october.chosen.alone == 7
    page = world.staff.get(URL, {"month": "2026-10"}).content.decode()
    assert "Tickets avoided in October 2026" in page
    assert "the whole month" in page
    assert "so far: counted until" in world.staff.get(URL).content.decode()


def test_before_the_first_count_the_page_says_so(world: World) -> None:
    assert "Nothing counted yet" in world.staff.get(URL).content.decode()


def test_the_file_has_every_count_zeros_too(world: World) -> None:
    counted(NOVEMBER + timedelta(days=10), alone=50, staff=4)
    answer = world.billing_support.get(reverse("admin:support_count_file"))
    assert answer["Content-Disposition"].startswith('attachment; filename="jobs-')
    header, *rows = csv.reader(StringIO(answer.content.decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert len(rows) == 2 * len(Job)
    assert ["2026-11", "manager_invited", "staff", "4", "2026-11-11T00:00:00Z", "no"] in rows


def test_statements_do_not_grow_with_the_months(world: World) -> None:
    counts = []
    for months in (1, 10):
        for month in range(months):
            counted(datetime(2025 - months, month + 2, 1, tzinfo=UTC), alone=1)
        world.staff.get(URL)
        with sent_statements() as statements:
            world.staff.get(URL)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 10
