"""The measured requests. What each needs is made before its time is taken."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from stripe import WebhookSignature

from accounts.models import User
from bench.data import Data
from bench.simulator import StripeCustomer
from billing.gateway import API_VERSION
from billing.models import Invoice
from billing.webhooks import handle
from invitations.claims import Channel, Claim, keep_claim
from invitations.models import Invitation, Kind
from orgs.models import Membership, Organization
from orgs.policy import OF_PEOPLE, Permission, Role
from tokens.models import AccessToken
from tokens.secret import OF_ORGANIZATION, SHOWN, digest_of, new_secret

PAGES = ("dashboard", "members", "billing", "invoices")
CSRF_SECRET_LENGTH = 32
# How many rows before its end the last page of a list begins.
LAST = 25
# As many as one request of a program may ask.
QUESTIONS = 1_000


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    cookies: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """``make``: the request, made anew for every sample; ``status``: of its answer.

    ``work``: what a worker does when it has been answered; its time counts too. ``shortest``: the name of the
    request for the same list at its shortest, beside which the time of a longer one is told.
    """

    name: str
    make: Callable[[], Request]
    status: HTTPStatus = HTTPStatus.OK
    work: Callable[[Request], None] | None = None
    shortest: str = ""


def floor_of(organization: Organization, person: User) -> Measured:
    url = reverse("bench_floor", args=[organization.slug])
    return Measured("floor", partial(page, url, sign_in(person)))


def dashboard_of(name: str, organization: Organization, person: User, *, shortest: str = "") -> Measured:
    url = reverse("dashboard", args=[organization.slug])
    return Measured(name, partial(page, url, sign_in(person)), shortest=shortest)


def measured_of(data: Data) -> list[Measured]:
    session = sign_in(data.admin)
    pages = [
        Measured(name, partial(page, reverse(name, args=[data.organization.slug]), session)) for name in PAGES
    ]
    return [
        *pages,
        *_lists(data),
        Measured("organizations, 1", partial(page, reverse("organizations"), session)),
        *of_lengths(
            "organizations",
            {
                size: partial(page, reverse("organizations"), sign_in(visitor))
                for size, visitor in data.visitors.items()
            },
        ),
        *of_lengths(
            "billing managers",
            {
                size: partial(page, reverse("billing", args=[organization.slug]), sign_in(admin))
                for size, (organization, admin) in data.by_managers.items()
            },
        ),
        *_authorize(data),
        Measured("accept", partial(_acceptance, data, sign_in(data.invitee)), HTTPStatus.FOUND),
        Measured("webhook", partial(_webhook, data.customer)),
        Measured("webhook applied", partial(_news, data.customer), work=_apply),
        Measured("healthz", partial(Request, "GET", "/healthz")),
    ]


def of_lengths(name: str, pages: dict[int, Callable[[], Request]]) -> list[Measured]:
    """The same page with lists of several lengths."""
    shortest = f"{name}, {min(pages):,}"
    return [
        Measured(f"{name}, {size:,}", make, shortest=shortest if size != min(pages) else "")
        for size, make in pages.items()
    ]


def _lists(data: Data) -> list[Measured]:
    """Lists of every length, the first page and, of the longest, the last one."""
    found = []
    few, many = min(data.by_size), max(data.by_size)
    for size, (organization, admin) in data.by_size.items():
        session = sign_in(admin)
        people, bills = ("" if size == few else f"{name}, {few:,}" for name in ("members", "invoices"))
        members, invoices = (reverse(name, args=[organization.slug]) for name in ("members", "invoices"))
        found.append(Measured(f"members, {size:,}", partial(page, members, session), shortest=people))
        if size in (few, many):
            found.append(Measured(f"invoices, {size:,}", partial(page, invoices, session), shortest=bills))
        if size == many:
            person = Membership.objects.for_org(organization).members().order_by("joined_at", "id")[LAST]
            invoice = Invoice.objects.for_org(organization).issued().order_by("issued_at", "id")[LAST]
            after = urlencode({"after": f"{person.joined_at.isoformat()}~{person.pk}"})
            found += [
                Measured(
                    f"members, {size:,}, end",
                    partial(page, f"{members}?{after}", session),
                    shortest=people,
                ),
                Measured(
                    f"invoices, {size:,}, end",
                    partial(page, f"{invoices}?after={invoice.pk}", session),
                    shortest=bills,
                ),
            ]
    return found


def _authorize(data: Data) -> list[Measured]:
    """May this person do this here? Asked by a program, one question and a thousand."""
    secret = new_secret(OF_ORGANIZATION)
    AccessToken.objects.create(
        organization=data.organization,
        name="bench",
        digest=digest_of(secret),
        start=secret[:SHOWN],
        scopes=[Permission.MEMBERS_LIST.value],
        maker_name=data.admin.name,
        expires_at=timezone.now() + timedelta(days=1),
    )
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    question = {"user": str(data.admin.pk), "permission": Permission.BILLING_VIEW.value}
    people = Membership.objects.for_org(data.organization).values_list("user", flat=True)
    questions = [
        {"user": str(person), "permission": permission.value}
        for permission in sorted(OF_PEOPLE)
        for person in people
    ][:QUESTIONS]
    one, many = (
        reverse(name, args=[data.organization.slug]) for name in ("api_authorize", "api_authorize_batch")
    )
    body = json.dumps({"questions": questions}).encode()
    return [
        Measured("authorize", partial(Request, "GET", f"{one}?{urlencode(question)}", headers=headers)),
        Measured(f"authorize, {QUESTIONS:,}", partial(Request, "POST", many, body=body, headers=headers)),
    ]


def sign_in(user: User) -> SessionBase:
    """A session in which a person has signed in, as django.contrib.auth.login leaves it."""
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session


def cookies_of(session: SessionBase) -> dict[str, str]:
    return {settings.SESSION_COOKIE_NAME: str(session.session_key)}


def page(url: str, session: SessionBase) -> Request:
    return Request("GET", url, cookies_of(session))


def _acceptance(data: Data, session: SessionBase) -> Request:
    """The POST of the accept page, by somebody invited by mail as a billing manager."""
    Membership.objects.for_org(data.organization).filter(user=data.invitee).delete()
    invitation = Invitation.objects.create(
        organization=data.organization,
        kind=Kind.MAIL,
        role=Role.BILLING_MANAGER,
        email=data.invitee.email,
        invited_by=data.admin,
        invited_by_name=data.admin.name,
    )
    keep_claim(session, Claim(invitation.pk, invitation.generation, Channel.MAIL))
    session.save()
    token = get_random_string(CSRF_SECRET_LENGTH)
    return Request(
        "POST",
        reverse("invitation_accept", args=[invitation.pk]),
        {**cookies_of(session), settings.CSRF_COOKIE_NAME: token},
        urlencode({"csrfmiddlewaretoken": token, "generation": invitation.generation}).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )


def _news(customer: StripeCustomer) -> Request:
    """An event about an invoice that is not yet here as it is at Stripe."""
    Invoice.objects.filter(stripe_id=customer.invoice_id).update(amount_remaining=0, description="outdated")
    return _webhook(customer)


def _apply(request: Request) -> None:
    handle(json.loads(request.body)["id"])


def _webhook(customer: StripeCustomer) -> Request:
    invoice = {"id": customer.invoice_id, "object": "invoice", "customer": customer.id}
    return event_about(invoice, "invoice.paid")


def event_about(body: dict[str, Any], kind: str) -> Request:
    """A new event of Stripe about an object, signed."""
    event = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": kind,
        "api_version": API_VERSION,
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": body},
    }
    return signed(event)


def signed(event: dict[str, Any]) -> Request:
    """The delivery of an event."""
    payload = json.dumps(event)
    signature = WebhookSignature.generate_signature_header(payload, settings.STRIPE_WEBHOOK_SECRET)
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
    return Request("POST", reverse("stripe_webhook"), body=payload.encode(), headers=headers)
