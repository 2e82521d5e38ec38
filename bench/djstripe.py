"""python -m bench.djstripe [--samples N]: an event until it is applied, here and by dj-stripe 2.11.

Same events, one by one over HTTP, on the same machine, PostgreSQL and Stripe simulator, each behind gunicorn
with the same threads. dj-stripe applies an event before it answers, as it does unless told otherwise; here a
worker does, so the time goes on until the event is marked as done. Both fetch what the event is about anew;
we also fetch what the customer is charged next, which dj-stripe doesn't know. The peer has an environment of
its own, made by the first run.
"""

import argparse
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

import django
from django.conf import settings

# dj-stripe takes keys of Stripe's own form only.
os.environ["STRIPE_SECRET_KEY"] = f"sk_test_{'b' * 24}"
django.setup()

# Models can be imported only now.
import stripe  # noqa: E402
from django.db import connection  # noqa: E402

from bench.database import own_database  # noqa: E402
from bench.peers.environment import environment_of  # noqa: E402
from bench.requests import Request, signed  # noqa: E402
from bench.serving import Site, database_url, running, served, wait_for  # noqa: E402
from bench.simulator import own_stripe  # noqa: E402
from billing.gateway import API_VERSION  # noqa: E402
from billing.models import BillingAccount, EventState, StripeEvent  # noqa: E402
from devstack.application import application_commands  # noqa: E402
from devstack.memory import remembered_port  # noqa: E402
from orgs.models import Organization  # noqa: E402
from stripe_simulator.control import Control  # noqa: E402

PEER = Path(__file__).with_name("peers") / "djstripe"
ENDPOINT = uuid.uuid4()
KINDS = ("customer.updated", "customer.subscription.updated", "invoice.paid")
WARM_UP = 5

Body = dict[str, Any]
Apply = Callable[[Body], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.djstripe", description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="of each kind of event (default: 100)")
    arguments = parser.parse_args()
    programs = environment_of("djstripe").parent
    with own_database(), own_stripe(), served() as port, peer(programs) as peer_port:
        bodies = bodies_of_a_customer()
        sides = {"here": here(Site(port)), "dj-stripe": there(Site(peer_port))}
        print(f"{'':30} {'here ms':>9} {'dj-stripe':>9} {'ratio':>6}  calls here, dj-stripe")
        for kind in KINDS:
            tell(kind, bodies[kind], sides, samples=arguments.samples)


@contextmanager
def peer(programs: Path) -> Iterator[int]:
    """Run dj-stripe on a database of its own, on the same server; yields its port."""
    name = f"bench_peer_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    variables = {
        **os.environ,
        "DATABASE_URL": database_url(name),
        "STRIPE_API_BASE": settings.STRIPE_API_BASE,
        "STRIPE_API_VERSION": API_VERSION,
        "ENDPOINT": str(ENDPOINT),
        "DJANGO_SETTINGS_MODULE": "peer_settings",
    }
    try:
        prepare = [programs / "python", "prepare.py"]
        subprocess.run(prepare, cwd=PEER, env=variables, check=True)
        port = remembered_port(settings.RUN_DIR / "djstripe-port")
        program, _portal, *arguments = application_commands(port=port, directory=PEER)["web"]
        command = [programs / program, "peer_wsgi:application", *arguments]
        with running("djstripe", command, variables, folder=PEER):
            wait_for(port)
            yield port
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def bodies_of_a_customer() -> dict[str, Body]:
    """An event of each kind as Stripe sends it, of one customer with a card and a paid subscription."""
    client = stripe.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE})
    api: Any = client.v1
    customer = api.customers.create({"name": "Measured Inc."}).id
    card = api.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    api.customers.update(customer, {"invoice_settings": {"default_payment_method": card}})
    product = api.products.create({"name": "Seats"}).id
    price = {"currency": "usd", "unit_amount": 5000, "recurring": {"interval": "month"}, "product": product}
    items = [{"price": api.prices.create(price).id, "quantity": 2}]
    subscription = api.subscriptions.create({"customer": customer, "items": items})
    api.subscriptions.update(subscription.id, {"metadata": {"measured": "yes"}})
    organization = Organization.objects.create(name="Measured", slug="measured", edition_code="team-growth")
    BillingAccount.objects.create(organization=organization, stripe_customer_id=customer)
    return {event.type: event.to_dict(for_json=True) for event in api.events.list({"limit": 100}).data}


def here(site: Site) -> Apply:
    def apply(event: Body) -> None:
        post(site, signed(event))
        while not StripeEvent.objects.filter(pk=event["id"], state=EventState.DONE).exists():
            time.sleep(0.001)

    return apply


def there(site: Site) -> Apply:
    def apply(event: Body) -> None:
        request = signed(event)
        post(
            site, Request("POST", f"/stripe/webhook/{ENDPOINT}/", body=request.body, headers=request.headers)
        )

    return apply


def post(site: Site, request: Request) -> None:
    status = site.ask(request)
    if status != HTTPStatus.OK:
        raise RuntimeError(f"{request.path}: {status}, see the logs in {settings.RUN_DIR}")


def tell(kind: str, body: Body, sides: dict[str, Apply], *, samples: int) -> None:
    """Take turns, so that whatever else the machine does hits both alike."""
    control = Control(settings.STRIPE_API_BASE)
    times: dict[str, list[float]] = {side: [] for side in sides}
    calls = dict.fromkeys(sides, 0)
    for number in range(WARM_UP + samples):
        for side, apply in sides.items():
            event = json.loads(json.dumps({**body, "id": f"evt_{uuid.uuid4().hex}"}))
            control.forget_requests()
            began = time.perf_counter()
            apply(event)
            if number >= WARM_UP:
                times[side].append(time.perf_counter() - began)
            calls[side] = len(control.requests())
    ours, theirs = (1000 * median(taken) for taken in times.values())
    print(f"{kind:30} {ours:9.1f} {theirs:9.1f} {theirs / ours:6.2f}  {', '.join(map(str, calls.values()))}")


if __name__ == "__main__":
    main()
