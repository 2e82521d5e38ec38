"""The search of support staff: whatever of a customer somebody has before them, and where it leads.

Each kind is looked up by one statement and by an index; at most ``MOST`` of it are told. Secrets are no
search words: of a token, only the part that people are shown is looked at.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from allauth.account.models import EmailAddress
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.models import (
    Invoice,
    OnDemandItem,
    PaymentMethod,
    StripeCustomer,
    StripeEvent,
    StripeOperation,
    Subscription,
)
from invitations.models import Invitation, State
from orgs.models import Organization
from tokens.models import AccessToken, ServiceToken
from tokens.secret import OF_ORGANIZATION, OF_PERSON, OF_SERVICE, SHOWN

Row = TypeVar("Row", bound=Model)

MOST = 8
LONGEST = 200
# Of names and addresses; fewer letters are in nearly all of them.
FEWEST_LETTERS = 3
STRIPE_ID = re.compile("[a-z]+_[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Wanted:
    """``text``: as typed, without what can't be meant. ``lower``: addresses and slugs are stored so.

    ``id``: where the text is one.
    """

    text: str
    lower: str
    id: uuid.UUID | None

    @property
    def names_parts(self) -> bool:
        return len(self.text) >= FEWEST_LETTERS

    @property
    def is_token(self) -> bool:
        return len(self.text) >= SHOWN and self.text.startswith((OF_PERSON, OF_ORGANIZATION, OF_SERVICE))


class Found(NamedTuple):
    """``why``: what of it is as searched. ``is_exact``: all of that is. ``organization``: whose it is, if any.

    ``invitation``: where it is one that is pending, its id, for what can be done with it.
    """

    kind: Promise
    title: str
    note: str
    why: str
    url: str
    is_exact: bool
    organization: str = ""
    organization_url: str = ""
    invitation: uuid.UUID | None = None


@dataclass(frozen=True)
class SearchPage:
    """``cut``: the kinds of which there are more than are shown. ``too_short``: for names and addresses."""

    text: str
    found: list[Found]
    cut: list[Promise]
    too_short: bool

    @property
    def only(self) -> Found | None:
        """What is meant, where there is no doubt."""
        return self.found[0] if len(self.found) == 1 and self.found[0].is_exact else None


def search(text: str) -> SearchPage:
    """Empty text finds nothing."""
    wanted = _wanted_in(text)
    found: list[Found] = []
    cut: list[Promise] = []
    for find in FINDERS if wanted.text else ():
        of_kind = list(find(wanted))
        found += of_kind[:MOST]
        if len(of_kind) > MOST:
            cut.append(of_kind[0].kind)
    found.sort(key=lambda one: not one.is_exact)
    return SearchPage(wanted.text, found, cut, too_short=bool(wanted.text) and not wanted.names_parts)


def _wanted_in(text: str) -> Wanted:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())[:LONGEST]
    try:
        pk = uuid.UUID(words)
    except ValueError:
        pk = None
    return Wanted(words, words.lower(), pk)


def _some(*parts: "QuerySet[Any, Any]") -> list[Any]:
    """Of each part the first rows, in one statement: together, an index serves neither."""
    first, *others = (part.order_by()[: MOST + 1] for part in parts)
    return list(first.union(*others))


ORGANIZATION = gettext_lazy("Organization")


def organizations(wanted: Wanted) -> Iterator[Found]:
    named = Q(slug=wanted.lower) | Q(external_id=wanted.text)
    if wanted.id:
        named |= Q(pk=wanted.id)
    parts = [Organization.objects.filter(named)]
    if wanted.names_parts:
        by_name = Q(name__icontains=wanted.text) | Q(slug__startswith=wanted.lower)
        parts.append(Organization.objects.filter(by_name))
    rows = _some(*(part.values_list("pk", "name", "slug", "external_id") for part in parts))
    for pk, name, slug, external_id in _exact_first(rows, wanted, slice(2, 4)):
        reasons = {
            _("Id"): str(pk) == wanted.lower,
            _("Slug"): slug.startswith(wanted.lower),
            _("External id"): external_id == wanted.text,
        }
        yield Found(
            ORGANIZATION,
            title=name,
            note=slug,
            why=next((why for why, holds in reasons.items() if holds), _("Name")),
            url=organization_url(pk),
            is_exact=pk == wanted.id or slug == wanted.lower or external_id == wanted.text,
        )


PERSON = gettext_lazy("Person")


def people(wanted: Wanted) -> Iterator[Found]:
    """By their name, and by every address that they have."""
    columns = "pk", "name", "email"
    everybody = User.objects.annotate(other=Value("")).values_list(*columns, "other")
    named = Q(email=wanted.lower) | Q(pk=wanted.id) if wanted.id else Q(email=wanted.lower)
    parts = [everybody.filter(named)]
    if wanted.names_parts:
        parts.append(everybody.filter(Q(email__icontains=wanted.text) | Q(name__icontains=wanted.text)))
        others = EmailAddress.objects.filter(email__startswith=wanted.lower).exclude(email=F("user__email"))
        parts.append(others.values_list("user", "user__name", "user__email", "email"))
    told: set[uuid.UUID] = set()
    for pk, name, email, other in _exact_first(_some(*parts), wanted, slice(2, 4)):
        if pk in told:
            continue
        told.add(pk)
        if pk == wanted.id:
            why = _("Id")
        elif wanted.lower in email:
            why = _("Email address")
        else:
            why = _("Another address: %(address)s") % {"address": other} if other else _("Name")
        yield Found(
            PERSON,
            title=name or email,
            note=email,
            why=why,
            url=person_url(pk),
            is_exact=pk == wanted.id or wanted.lower in {email, other},
        )


INVITATION = gettext_lazy("Invitation")


def invitations(wanted: Wanted) -> Iterator[Found]:
    """By the address that was invited."""
    named = Q(email=wanted.lower) | Q(pk=wanted.id) if wanted.id else Q(email=wanted.lower)
    parts = [Invitation.objects.filter(named)]
    if wanted.names_parts:
        parts.append(Invitation.objects.filter(email__startswith=wanted.lower))
    columns = "pk", "email", "state", "sent_at", "organization", "organization__name"
    rows = _some(*(part.values_list(*columns) for part in parts))
    rows.sort(key=lambda row: (row[2] == State.PENDING, row[3]), reverse=True)
    for pk, email, state, _sent_at, organization, name in _exact_first(rows, wanted, slice(1, 2)):
        yield Found(
            INVITATION,
            title=email or _("Invite link"),
            note=str(State(state).label),
            why=_("Id") if pk == wanted.id else _("Invited address"),
            url=f"{organization_url(organization)}?invitation={pk}#invitations",
            is_exact=pk == wanted.id or email == wanted.lower,
            organization=name,
            organization_url=organization_url(organization),
            invitation=pk if state == State.PENDING else None,
        )


INVOICE = gettext_lazy("Invoice")


def invoices(wanted: Wanted) -> Iterator[Found]:
    """By the beginning of their number, as customers read it, or by their id at Stripe."""
    named = Q(stripe_id=wanted.text) | Q(pk=wanted.id) if wanted.id else Q(stripe_id=wanted.text)
    parts = [Invoice.objects.filter(named)]
    if wanted.names_parts:
        parts.append(Invoice.objects.filter(number__istartswith=wanted.text))
    columns = "pk", "number", "stripe_id", "organization", "organization__name"
    rows = _some(*(part.values_list(*columns) for part in parts))
    for pk, number, stripe_id, organization, name in _exact_first(rows, wanted, slice(1, 3)):
        by_number = number.lower().startswith(wanted.lower)
        yield Found(
            INVOICE,
            title=number or stripe_id,
            note=stripe_id,
            why=_("Invoice number") if by_number else _("Id"),
            url=_record_url(Invoice, pk),
            is_exact=not by_number or number.lower() == wanted.lower,
            organization=name,
            organization_url=organization_url(organization),
        )


def _exact_first(rows: Iterable[Any], wanted: Wanted, columns: slice) -> list[Any]:
    """``columns``: those that may be all that was typed."""
    return sorted(rows, key=lambda row: wanted.lower not in {str(one).lower() for one in row[columns]})


OF_ORGANIZATIONS: dict[type[Model], Promise] = {
    StripeCustomer: gettext_lazy("Stripe customer"),
    Subscription: gettext_lazy("Subscription"),
    PaymentMethod: gettext_lazy("Payment method"),
    OnDemandItem: gettext_lazy("Invoice item"),
}


def mirrored(model: type[Model], kind: Promise) -> Callable[[Wanted], Iterator[Found]]:
    """What an organization has at Stripe, by its id there; it leads to the organization."""

    def find(wanted: Wanted) -> Iterator[Found]:
        if not STRIPE_ID.fullmatch(wanted.text):
            return
        found = model._default_manager.filter(stripe_id=wanted.text)
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
    for pk, kind, organization, name in _some(of_customers.filter(pk=wanted.text), about):
        yield Found(
            EVENT,
            title=pk,
            note=kind,
            why=_("Id at Stripe") if pk == wanted.text else _("What it is about"),
            url=_record_url(StripeEvent, pk),
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
    for pk, kind, state, stripe_id, organization, name in _some(
        *(part.values_list(*columns) for part in parts)
    ):
        row = StripeOperation(kind=kind, state=state)
        yield Found(
            OPERATION,
            title=str(row),
            note=stripe_id,
            why=_("What it made at Stripe") if stripe_id == wanted.text else _("Id"),
            url=_record_url(StripeOperation, pk),
            is_exact=stripe_id != wanted.text,
            organization=name,
            organization_url=organization_url(organization),
        )


TOKEN = gettext_lazy("Access token")
SERVICE_TOKEN = gettext_lazy("Service token")


def tokens(wanted: Wanted) -> Iterator[Found]:
    """By the beginning that people are shown, also where somebody pastes all of one."""
    if not wanted.is_token:
        return
    found = AccessToken.objects.filter(start=wanted.text[:SHOWN]).order_by()[: MOST + 1]
    for pk, name, organization, organization_name in found.values_list(
        "pk", "name", "organization", "organization__name"
    ):
        yield Found(
            TOKEN,
            title=name,
            note=wanted.text[:SHOWN],
            why=_("Beginning of the token"),
            url=_record_url(AccessToken, pk),
            is_exact=True,
            organization=organization_name,
            organization_url=organization_url(organization),
        )


def service_tokens(wanted: Wanted) -> Iterator[Found]:
    """The product's own: there are a few."""
    if not wanted.is_token:
        return
    for pk, name in ServiceToken.objects.filter(start=wanted.text[:SHOWN]).values_list("pk", "name"):
        yield Found(
            SERVICE_TOKEN,
            title=name,
            note=wanted.text[:SHOWN],
            why=_("Beginning of the token"),
            url=_record_url(ServiceToken, pk),
            is_exact=True,
        )


FINDERS: list[Callable[[Wanted], Iterator[Found]]] = [
    organizations,
    people,
    invitations,
    invoices,
    *(mirrored(model, kind) for model, kind in OF_ORGANIZATIONS.items()),
    events,
    operations,
    tokens,
    service_tokens,
]


def organization_url(pk: uuid.UUID) -> str:
    return reverse("admin:support_organization", args=[pk])


def person_url(pk: uuid.UUID) -> str:
    return reverse("admin:support_person", args=[pk])


def _record_url(model: type[Model], pk: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
