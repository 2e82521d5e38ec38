"""python -m bench.support [--samples N]: what staff see of a customer, large and small, and their search.

The large organization has 1,000 people and 10,000 of everything else that the page tells of.
"""

import argparse
import json
import logging
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import django
from django.conf import settings

if __name__ == "__main__":
    settings.ROOT_URLCONF = "bench.urls"
    django.setup()

# Models can be imported only now.
from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.base import SessionBase
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.services import Actor
from bench.data import BATCH, first_admin, organization_with, people_named
from bench.database import own_database, own_static_files
from bench.measuring import measure
from bench.report import rows, table
from bench.requests import Measured, floor_of, of_lengths, page, sign_in
from billing.models import OperationKind, OperationState, StripeEvent, StripeOperation
from orgs.models import Organization
from orgs.policy import StaffRole
from outbox.models import OutgoingEmail, State
from support.access import STAFF_SESSION
from support.services import open_session, set_staff_roles

# Of people, and of all else.
SIZES = {10: 10, 1_000: 10_000}


def main() -> None:
    arguments = parsed_arguments()
    logging.disable()
    with own_database(), own_static_files():
        made = {people: customer(f"support-{people}", people, rows) for people, rows in SIZES.items()}
        with connection.cursor() as cursor:
            # As autovacuum leaves the tables.
            cursor.execute("VACUUM ANALYZE")
        session = staff_session()
        pages = {
            people: partial(page, reverse("admin:support_organization", args=[organization.pk]), session)
            for people, organization in made.items()
        }
        figures = measure(
            get_wsgi_application(),
            floor_of(made[10], first_admin(made[10])),
            [
                *of_lengths("support, people", pages),
                search_for("support-1000", session, HTTPStatus.FOUND),
                search_for("person 7", session, HTTPStatus.OK),
                search_for("in_cus_support-1000_77", session, HTTPStatus.FOUND),
            ],
            samples=arguments.samples,
        )
    found = rows(figures)
    arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\n{table(found)}\n\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.support", description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="of each request (default: 100)")
    parser.add_argument("--json", type=Path, default=settings.RUN_DIR / "support.json", help="where to write")
    return parser.parse_args()


def search_for(text: str, session: SessionBase, status: HTTPStatus) -> Measured:
    address = f"{reverse('admin:index')}?{urlencode({'find': text})}"
    return Measured(f"search: {text}", partial(page, address, session), status)


def customer(slug: str, people: int, count: int) -> Organization:
    """With so many people, and so many invoices, webhooks, operations and mails; every hundredth failed."""
    organization = organization_with(slug, f"cus_{slug}", people=people, invoices=count)
    now = timezone.now()
    ages = [(number, now - timedelta(minutes=number)) for number in range(count)]
    StripeEvent.objects.bulk_create(
        (
            StripeEvent(
                event_id=f"evt_{slug}_{number}",
                type="invoice.paid",
                customer_id=f"cus_{slug}",
                livemode=False,
                payload={},
                received_at=at,
                state="done" if number % 100 else "failed",
            )
            for number, at in ages
        ),
        batch_size=BATCH,
    )
    StripeOperation.objects.bulk_create(
        (
            StripeOperation(
                organization=organization,
                kind=OperationKind.PAY_INVOICE,
                state=OperationState.DONE if number % 100 else OperationState.FAILED,
                idempotency_key=f"{slug}-{number}",
                result={"outcome": "declined"},
                actor_id=organization.pk,
                actor_name="Somebody",
                created_at=at,
            )
            for number, at in ages
        ),
        batch_size=BATCH,
    )
    OutgoingEmail.objects.bulk_create(
        (
            OutgoingEmail(
                kind="invoice_issued",
                to=f"person{number}@{slug}.test",
                organization_id=organization.pk,
                dedupe_key=f"{slug}-{number}",
                state=State.SENT if number % 100 else State.FAILED,
                sent_at=at if number % 100 else None,
                created_at=at,
            )
            for number, at in ages
        ),
        batch_size=BATCH,
    )
    return organization


def staff_session() -> SessionBase:
    """A session in which support staff, who have a second factor, have opened theirs."""
    (user,) = people_named("staff", 1)
    set_staff_roles(user_id=user.pk, roles=[StaffRole.SUPPORT], actor=Actor.system())
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    session = sign_in(user)
    user.refresh_from_db()
    session[STAFF_SESSION] = str(open_session(user=user, ticket="48213", reason="Measuring").pk)
    session.save()
    return session


if __name__ == "__main__":
    main()
