"""python -m bench.flood [--events N] [--customers N]: many events at once, by two senders.

Whether none is lost, how many fetches the events of a customer become, how fast one worker drains them at
Stripe's rate limit, and what a person who opens *Billing & usage* notices meanwhile.
"""

import argparse
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from statistics import quantiles
from typing import Any

import django
from django.conf import settings

if __name__ == "__main__":
    django.setup()

# Models can be imported only now.
import stripe
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bench.database import own_database
from bench.requests import Request, cookies_of, event_about, sign_in
from bench.serving import Site, served
from bench.simulator import own_stripe
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, EventState, StripeEvent
from orgs.models import Membership, Organization
from orgs.policy import Role
from stripe_simulator.control import Control

SENDERS = 2
# https://docs.stripe.com/rate-limits
STRIPES_RATE = 100
IDLE_SAMPLES = 100
# A person looks at the page before they ask for the next one.
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Found:
    """What the flood showed. Times are the machine's: compare the ratios.

    ``fetches_per_customer``: lists of subscriptions, of which an event that is worked off alone makes one.
    ``requests_per_second``: of all kinds that Stripe answered, over ``drain_seconds``.
    ``page_ratio``: the page's p95 during the flood as a multiple of the idle one.
    """

    events: int
    customers: int
    lost: int
    done: int
    most_attempts: int
    fetches_per_customer: float
    most_fetches: int
    requests_per_second: float
    refused_for_rate: int
    send_seconds: float
    drain_seconds: float
    page_idle_p95_ms: float
    page_p95_ms: float
    page_ratio: float


def main() -> None:
    arguments = parsed_arguments()
    with own_database(), own_stripe():
        print(f"Making {arguments.customers:,} customers at the simulator", flush=True)
        accounts = customers(arguments.customers)
        with served() as port:
            print(f"Sending {arguments.events:,} events", flush=True)
            found = flood(port, accounts, events=arguments.events, seconds=arguments.seconds)
    arguments.json.write_text(json.dumps(asdict(found), indent=2) + "\n")
    for name, value in asdict(found).items():
        print(f"{name.replace('_', ' '):22} {value:>12,}")
    print(f"\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="default: 20,000")
    parser.add_argument("--customers", type=int, default=2_000, help="default: 2,000")
    parser.add_argument("--seconds", type=int, default=1800, help="how long to wait for the last event")
    parser.add_argument("--json", type=Path, default=settings.RUN_DIR / "flood.json", help="where to write")
    return parser.parse_args()


def customers(number: int) -> list[BillingAccount]:
    """Organizations with a customer and a running subscription at the simulator."""
    api: Any = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE}
    ).v1
    product = api.products.create({"name": "Seats"})
    price = api.prices.create(
        {"currency": "usd", "unit_amount": 5000, "recurring": {"interval": "month"}, "product": product.id}
    )
    made = Organization.objects.bulk_create(
        Organization(name=f"Flooded {index}", slug=f"flooded-{index}", edition_code="team-growth")
        for index in range(number)
    )
    tomorrow = timezone.now() + timedelta(days=1)
    accounts = []
    for organization in made:
        customer = api.customers.create({"name": organization.name})
        api.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": price.id}],
                "collection_method": "send_invoice",
                "days_until_due": 30,
            }
        )
        accounts.append(
            BillingAccount(
                organization=organization,
                stripe_customer_id=customer.id,
                synced_at=timezone.now(),
                # Not to be reconciled meanwhile.
                next_attempt_at=tomorrow,
            )
        )
    return BillingAccount.objects.bulk_create(accounts)


def flood(port: int, accounts: list[BillingAccount], *, events: int, seconds: float) -> Found:
    """Send the events to the portal at ``port``, and wait so long for the last one to be worked off."""
    page = page_of(accounts[0])
    site = Site(port)
    idle = [seconds_of(site, page) for _sample in range(IDLE_SAMPLES)]
    control = Control(settings.STRIPE_API_BASE)
    control.forget_requests()
    control.limit_rate(STRIPES_RATE)
    began = time.monotonic()
    with sent(port, accounts, events) as is_sending:
        looked = list(looks(site, page, while_true=is_sending))
        send_seconds = time.monotonic() - began
        looked += looks(
            site, page, while_true=lambda: is_unfinished(events) and time.monotonic() - began < seconds
        )
    drain_seconds = time.monotonic() - began
    control.limit_rate(None)
    requests = control.requests()
    answered = [request for request in requests if request["status"] != HTTPStatus.TOO_MANY_REQUESTS]
    fetches = Counter(
        request["params"]["customer"] for request in answered if request["path"] == "/v1/subscriptions"
    )
    kept = StripeEvent.objects.all()
    idle_p95, busy_p95 = (1000 * quantiles(times, n=20)[-1] for times in (idle, looked))
    return Found(
        events=events,
        customers=len(accounts),
        lost=events - kept.count(),
        done=kept.filter(state=EventState.DONE).count(),
        most_attempts=max(kept.values_list("attempts", flat=True)),
        fetches_per_customer=round(fetches.total() / len(accounts), 2),
        most_fetches=max(fetches.values()),
        requests_per_second=round(len(answered) / drain_seconds, 1),
        refused_for_rate=len(requests) - len(answered),
        send_seconds=round(send_seconds, 1),
        drain_seconds=round(drain_seconds, 1),
        page_idle_p95_ms=round(idle_p95, 1),
        page_p95_ms=round(busy_p95, 1),
        page_ratio=round(busy_p95 / idle_p95, 2),
    )


def page_of(account: BillingAccount) -> Request:
    """*Billing & usage* of the account's organization, for an admin of it."""
    reconcile(account.organization)
    person = User.objects.create(name="Reader", email="reader@flooded.test")
    Membership.objects.create(organization=account.organization, user=person, role=Role.ADMIN)
    url = reverse("billing", args=[account.organization.slug])
    return Request("GET", url, cookies_of(sign_in(person)))


def seconds_of(site: Site, request: Request) -> float:
    began = time.perf_counter()
    status = site.ask(request)
    if status != HTTPStatus.OK:
        raise RuntimeError(f"{request.path}: {status}")
    taken = time.perf_counter() - began
    time.sleep(LOOK_SECONDS)
    return taken


def looks(site: Site, page: Request, *, while_true: Callable[[], bool]) -> Iterator[float]:
    while while_true():
        yield seconds_of(site, page)


@contextmanager
def sent(port: int, accounts: list[BillingAccount], events: int) -> Iterator[Callable[[], bool]]:
    """Send from processes of their own; yields whether they still do."""
    ids = [str(account.stripe_customer_id) for account in accounts]
    # A connection can't be shared with another process.
    connection.close()
    processes = [
        multiprocessing.get_context("fork").Process(target=send, args=(port, ids, events, sender))
        for sender in range(SENDERS)
    ]
    for process in processes:
        process.start()
    try:
        yield lambda: any(process.is_alive() for process in processes)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def send(port: int, customer_ids: list[str], events: int, sender: int) -> None:
    """Round after round an event of every customer, each of the senders every other round."""
    site = Site(port)
    for number in range(events):
        turn, index = divmod(number, len(customer_ids))
        if turn % SENDERS == sender:
            deliver(site, event_about({"id": customer_ids[index], "object": "customer"}, "customer.updated"))


def deliver(site: Site, event: Request) -> None:
    """Again and again, as Stripe does, until it is answered with 200."""
    while True:
        try:
            if site.ask(event) == HTTPStatus.OK:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.1)


def is_unfinished(events: int) -> bool:
    return StripeEvent.objects.exclude(state=EventState.RECEIVED).count() < events


if __name__ == "__main__":
    main()
