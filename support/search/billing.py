"""Invoices by their number, and whatever has an id at Stripe."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import (
    Invoice,
    OnDemandItem,
    PaymentMethod,
    StripeCustomer,
    StripeEvent,
    StripeOperation,
    Subscription,
)
from support.links import organization_url, record_url
from support.search.wanted import STRIPE_ID, Found, Wanted, exact_first, some

INVOICE = gettext_lazy("Invoice")


def invoices(wanted: Wanted) -> Iterator[Found]:
    """By the beginning of their number, as customers read it, or by their id at Stripe."""
    named = Q(stripe_id=wanted.text) | Q(pk=wanted.id) if wanted.id else Q(stripe_id=wanted.text)
    parts = [Invoice.objects.filter(named)]
    if wanted.names_parts:
        parts.append(Invoice.objects.filter(number__istartswith=wanted.text))
    columns = "pk", "number", "stripe_id", "organization", "organization__name"
    rows = some(*(part.values_list(*columns) for part in parts))
    for pk, number, stripe_id, organization, name in exact_first(rows, wanted, slice(1, 3)):
        by_number = number.lower().startswith(wanted.lower)
        yield Found(
            INVOICE,
            title=number or stripe_id,
            note=stripe_id,
            why=_("Invoice number") if by_number else _("Id"),
            url=record_url("billing_invoice", pk),
            is_exact=not by_number or number.lower() == wanted.lower,
            organization=name,
            organization_url=organization_url(organization),
        )


MIRRORED: list[tuple["QuerySet[Any]", Promise]] = [
    (StripeCustomer.objects.all(), gettext_lazy("Stripe customer")),
    (Subscription.objects.all(), gettext_lazy("Subscription")),
    (PaymentMethod.objects.all(), gettext_lazy("Payment method")),
    (OnDemandItem.objects.all(), gettext_lazy("Invoice item")),
]


def mirrored(rows: "QuerySet[Any]", kind: Promise) -> Callable[[Wanted], Iterator[Found]]:
    """What an organization has at Stripe, by its id there; it leads to the organization."""

    def find(wanted: Wanted) -> Iterator[Found]:
        if not STRIPE_ID.fullmatch(wanted.text):
            return
        found = rows.filter(stripe_id=wanted.text)
        for organization, name in found.values_list("organization", "organization__name"):
            yield Found(
                kind,
                title=wanted.text,
                note="",
                why=_("Id at Stripe"),
                url=f"{organization_url(organization)}#money",
                is_exact=True,
                organization=name,
                organization_url=organization_url(organization),
            )

    return find


EVENT = gettext_lazy("Event of Stripe")


def events(wanted: Wanted) -> Iterator[Found]:
    """By their id, and by that of what they are about."""
    if not STRIPE_ID.fullmatch(wanted.text):
        return
    customers = StripeCustomer.objects.filter(pk=OuterRef("customer_id"))
    of_customers = StripeEvent.objects.annotate(
        organization=Subquery(customers.values("organization")),
        organization_name=Subquery(customers.values("organization__name")),
    ).values_list("pk", "type", "organization", "organization_name")
    # The customer's own events are on the organization's page.
    about = of_customers.filter(object_id=wanted.text).exclude(customer_id=wanted.text)
    for pk, kind, organization, name in some(of_customers.filter(pk=wanted.text), about):
        yield Found(
            EVENT,
            title=pk,
            note=kind,
            why=_("Id at Stripe") if pk == wanted.text else _("What it is about"),
            url=record_url("billing_stripeevent", pk),
            is_exact=pk == wanted.text,
            organization=name or "",
            organization_url=organization_url(organization) if organization else "",
        )


OPERATION = gettext_lazy("Operation")


def operations(wanted: Wanted) -> Iterator[Found]:
    """What was asked of Stripe: by our id, by the key that Stripe was given, and by what it made there."""
    named = Q(idempotency_key=wanted.text) | Q(pk=wanted.id) if wanted.id else Q(idempotency_key=wanted.text)
    parts = [StripeOperation.objects.filter(named)]
    if STRIPE_ID.fullmatch(wanted.text):
        parts.append(StripeOperation.objects.filter(stripe_id=wanted.text))
    columns = "pk", "kind", "state", "stripe_id", "organization", "organization__name"
    for pk, kind, state, stripe_id, organization, name in some(
        *(part.values_list(*columns) for part in parts)
    ):
        row = StripeOperation(kind=kind, state=state)
        yield Found(
            OPERATION,
            title=str(row),
            note=stripe_id,
            why=_("What it made at Stripe") if stripe_id == wanted.text else _("Id"),
            url=record_url("billing_stripeoperation", pk),
            is_exact=stripe_id != wanted.text,
            organization=name,
            organization_url=organization_url(organization),
        )
