"""Whether the process lives, and whether it can serve pages."""

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError as BrokerError

import outbox.services
from accounts.access import Audience, open_to
from billing_portal.celery import app

# Older than a few sweeps, an unsent mail says that no worker is at work.
LAG_SECONDS = 120


@open_to(Audience.ANYONE, "GET")
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive. Nothing else is asked, so that a broken database restarts no process."""
    return HttpResponse("ok", content_type="text/plain")


@open_to(Audience.ANYONE, "GET")
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is migrated; pages work without Redis, so that only degrades."""
    database = _database_state()
    if database != "ok":
        return JsonResponse({"status": "unavailable", "database": database}, status=503)
    broker = _broker_state()
    lag = outbox.services.lag()
    degraded = broker != "ok" or lag > LAG_SECONDS
    return JsonResponse(
        {
            "status": "degraded" if degraded else "ok",
            "database": database,
            "broker": broker,
            "outbox_lag_seconds": round(lag),
        }
    )


def _database_state() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError:
        return "unreachable"
    return "migrations pending" if pending else "ok"


def _broker_state() -> str:
    try:
        with app.connection_for_write(
            transport_options={"socket_timeout": 1, "socket_connect_timeout": 1}
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except BrokerError:
        return "unreachable"
    return "ok"
