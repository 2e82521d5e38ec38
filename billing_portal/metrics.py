"""What Prometheus scrapes: how much needs a human, and how late mails are.

Each scrape reads the database anew, so that all processes tell the same.
"""

from collections.abc import Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import outbox.services
from accounts.access import Audience, open_to
from billing.selectors.prohibitions import prohibitions
from support.queues import queue_counts


@open_to(Audience.ANYONE, "GET")
def metrics(request: HttpRequest) -> HttpResponse:
    """For who sends METRICS_TOKEN. For all others, and where none is set, there is no such page."""
    if not settings.METRICS_TOKEN or not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        raise Http404
    registry = CollectorRegistry()
    registry.register(PortalCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class PortalCollector(Collector):
    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the registry would collect once more to learn the names."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        rows = GaugeMetricFamily("portal_queue_rows", "What needs a human, by queue.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "portal_queue_oldest_seconds", "For how long the oldest of a queue has waited.", labels=["queue"]
        )
        now = timezone.now()
        for count in queue_counts():
            rows.add_metric([count.queue.code], count.rows)
            waited = (now - count.oldest).total_seconds() if count.oldest else 0
            oldest.add_metric([count.queue.code], waited)
        yield rows
        yield oldest
        yield GaugeMetricFamily(
            "portal_stripe_prohibitions",
            "What Stripe's key may not do and has tried to.",
            value=len(prohibitions()),
        )
        yield GaugeMetricFamily(
            "portal_outbox_lag_seconds",
            "For how long the oldest mail that is due has waited.",
            value=outbox.services.lag(),
        )
