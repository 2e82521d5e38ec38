"""Prometheus reads the counts of the queues, by a token; nobody else finds the page."""

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from bench.statements import sent_statements
from billing_portal.settings import metrics_token
from outbox.models import OutgoingEmail
from support.queues import QUEUES

pytestmark = pytest.mark.django_db

TOKEN = "m" * 32


def scraped(client: Client, **headers: str) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status_code == 200
    return {
        (sample.name, sample.labels.get("queue", "")): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_each_queue_is_told_with_how_long_its_oldest_waits(settings: LazySettings, client: Client) -> None:
    settings.METRICS_TOKEN = TOKEN
    told = scraped(client)
    assert {queue for name, queue in told if name == "portal_queue_rows"} == {one.code for one in QUEUES}
    assert set(told.values()) == {0}
    OutgoingEmail.objects.create(kind="x", to="ada@ledger.test", dedupe_key="x", state="failed")
    told = scraped(client)
    assert told["portal_queue_rows", "mails"] == 1
    assert 0 < told["portal_queue_oldest_seconds", "mails"] < 60


def test_openmetrics_is_spoken_to_who_asks_for_it(settings: LazySettings, client: Client) -> None:
    settings.METRICS_TOKEN = TOKEN
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/openmetrics-text; version=1.0.0"}
    answer = client.get("/metrics", headers=headers)
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_a_scrape_takes_few_statements(settings: LazySettings, client: Client) -> None:
    settings.METRICS_TOKEN = TOKEN
    scraped(client)
    with sent_statements() as statements:
        scraped(client)
    assert len(statements) <= 5


@pytest.mark.parametrize("sent", ["", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_there_is_no_such_page(sent: str, settings: LazySettings, client: Client) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 404


@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer"])
def test_where_no_token_is_set_nobody_has_it(sent: str, client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 404


def test_a_token_that_can_be_guessed_is_none() -> None:
    assert metrics_token("") == ""
    assert metrics_token(TOKEN) == TOKEN
    with pytest.raises(ImproperlyConfigured):
        metrics_token("m" * 31)
