"""The measurements, on little data: that they run, count and tell what they claim."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.wsgi import get_wsgi_application
from django.db import connection

from bench import data, report
from bench.data import Data
from bench.measuring import Figures, UnexpectedAnswerError, measure
from bench.requests import Measured, Request, floor_of, measured_of
from bench.simulator import own_stripe
from billing.models import Invoice, StripeEvent, Subscription
from devstack.paths import ROOT
from invitations.models import Invitation, State
from orgs.models import Membership

SIZES = {"SMALL": 4, "LARGE": 26, "HUGE": 30, "BOOKKEEPERS": 5}


def names(*, small: int, large: int, huge: int, organizations: int) -> list[str]:
    return [
        *("floor", "dashboard", "members", "billing", "invoices"),
        *(f"members, {small}", f"invoices, {small}", f"members, {large:,}", f"members, {huge:,}"),
        *(f"invoices, {huge:,}", f"members, {huge:,}, end", f"invoices, {huge:,}, end"),
        *("organizations, 1", f"organizations, {small}", f"organizations, {organizations}"),
        f"organizations, {huge:,}",
        *(f"billing managers, {small}", f"billing managers, {huge:,}"),
        *("authorize", "authorize, 1,000", "accept", "webhook", "webhook applied", "healthz"),
    ]


KEYS = [
    *("name", "sql", "p50_ms", "p95_ms", "bytes", "floor_ratio", "cpu_ms", "cpu_ratio", "shortest_ratio"),
]


@pytest.fixture
def little_data(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> Iterator[Data]:
    settings.ROOT_URLCONF = "bench.urls"
    for name in ("OTHERS", "DAYS", "AUDIT_EVENTS"):
        monkeypatch.setattr(data, name, 1)
    for name, size in SIZES.items():
        monkeypatch.setattr(data, name, size)
    with own_stripe() as customer:
        yield data.load(customer)


@pytest.mark.slow
def test_every_request_is_measured_beside_the_floor(little_data: Data) -> None:
    figures = measure(
        get_wsgi_application(),
        floor_of(little_data.organization, little_data.admin),
        measured_of(little_data),
        samples=2,
    )
    found = report.rows(figures)
    assert [row["name"] for row in found] == names(small=4, large=26, huge=30, organizations=5)
    assert all(list(row) == KEYS for row in found)
    assert figures["floor"].sql == report.EVERY_PAGE
    assert len(figures["floor"].seconds) == 2 * (len(found) - 1)
    assert all(figures[name].bytes > 5_000 for name in ("dashboard", "members", "billing", "invoices"))
    assert not Invitation.objects.filter(email=little_data.invitee.email, state=State.PENDING).exists()
    assert Membership.objects.filter(user=little_data.invitee).count() == 1
    assert Invoice.objects.get(stripe_id=little_data.customer.invoice_id).amount_remaining == 150_000
    assert StripeEvent.objects.filter(state="done").exists()
    (subscription,) = Subscription.objects.filter(organization=little_data.organization)
    assert (subscription.stripe_id, subscription.status) == (little_data.customer.subscription_id, "active")
    assert subscription.preview, "what comes next is fetched with each event"


@pytest.mark.slow
def test_an_unexpected_answer_ends_the_measurement(little_data: Data) -> None:
    missing = Measured("missing", lambda: Request("GET", "/orgs/none/"), HTTPStatus.OK)
    with pytest.raises(UnexpectedAnswerError, match="missing: 302"):
        measure(get_wsgi_application(), missing, [], samples=2)


def test_times_are_told_as_multiples_of_the_floor_and_of_the_shortest_list() -> None:
    figures = {
        "floor": Figures(sql=3, bytes=60, seconds=[0.002, 0.002, 0.004], cpu_seconds=[0.001]),
        "dashboard": Figures(sql=8, bytes=20_000, seconds=[0.005, 0.006, 0.007], cpu_seconds=[0.003]),
        "short": Figures(seconds=[0.005, 0.005], cpu_seconds=[0.001]),
        "long": Figures(seconds=[0.006, 0.006], cpu_seconds=[0.001], shortest="short"),
    }
    _floor, dashboard, short, long = found = report.rows(figures)
    assert (dashboard["p50_ms"], dashboard["floor_ratio"]) == (6.0, 3.0)
    assert (short["shortest_ratio"], long["shortest_ratio"]) == (None, 1.2)
    lines = report.table(found).splitlines()
    assert lines[2].split()[:3] == ["dashboard", "8", "5"]
    assert [line.split()[-1] for line in lines[1:]] == ["–", "–", "–", "1.20"]


@pytest.mark.slow
@pytest.mark.django_db
def test_the_command_writes_json_and_leaves_no_database(tmp_path: Path) -> None:
    found = tmp_path / "deep" / "bench.json"
    bench = subprocess.Popen(
        [sys.executable, "-m", "bench", "--samples", "2", "--json", found],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DEVELOPMENT"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _errors = bench.communicate(timeout=300)
    assert bench.returncode == 0, said
    assert [row["name"] for row in json.loads(found.read_text())] == names(
        small=10, large=1_000, huge=10_000, organizations=100
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"bench_{bench.pid}"])
        assert cursor.fetchone() is None
