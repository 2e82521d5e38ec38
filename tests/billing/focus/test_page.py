"""The page on which the files are chosen says what is to know of them before."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from billing.focus.months import MOST, NoMonths, months_in
from orgs.models import Membership
from tests.billing.factories import InvoiceFactory, document, line
from tests.conftest import SignIn

TODAY = datetime(2026, 11, 26, tzinfo=UTC).date()


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        (("", ""), "first=2025-12&last=2026-11"),
        (("2026-10", ""), "first=2026-10&last=2026-11"),
        (("", "2026-01"), "first=2025-02&last=2026-01"),
        (("2026-02", "2026-02"), "first=2026-02&last=2026-02"),
    ],
)
def test_without_a_choice_they_are_of_the_last_twelve_months(asked: tuple[str, str], query: str) -> None:
    assert months_in(*asked, today=TODAY).query == query


def test_the_longest_span_is_taken_and_one_month_more_is_not() -> None:
    assert len(list(months_in("2016-12", "2026-11", today=TODAY))) == MOST
    with pytest.raises(NoMonths, match="at most 120 months"):
        months_in("2016-11", "2026-11", today=TODAY)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?first=2026-11&last=2026-10", "Choose a first month that is not after the last one."),
        ("?first=0000-00", "Choose months like 2026-11."),
        ("?first=2026-11%0A", "Choose months like 2026-11."),
        ("?last=2099-12&first=2001-01", "Choose at most 120 months."),
    ],
)
@pytest.mark.django_db
def test_months_that_make_no_span_are_refused_in_a_sentence(
    query: str, sentence: str, admin: Membership, sign_in: SignIn
) -> None:
    text = page(sign_in(admin), admin, query)
    assert sentence in text
    assert text.count("Download CSV") == 3


@pytest.mark.django_db
def test_what_is_not_told_line_by_line_is_said(admin: Membership, sign_in: SignIn) -> None:
    client, this_month = sign_in(admin), timezone.now()
    of_org = {"organization": admin.organization, "created_at": this_month}
    InvoiceFactory(document=document([line("Seats", 5825)]), **of_org)
    assert "only the total" not in page(client, admin)
    InvoiceFactory(document=document([]), **of_org)
    assert "Of 1 invoice only the total is known here." in page(client, admin)


def page(client: Client, membership: Membership, query: str = "") -> str:
    answer = client.get(f"/orgs/{membership.organization.slug}/settings/billing/exports/{query}")
    assert answer.status_code == 200
    return answer.content.decode()
