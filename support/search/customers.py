"""Organizations, their people and whom they invited."""

import uuid
from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import F, Q, QuerySet, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from invitations.models import Invitation, State
from orgs.models import Organization
from support.links import organization_url, person_url
from support.search.wanted import Found, Wanted, exact_first, some

ORGANIZATION = gettext_lazy("Organization")


def organizations(wanted: Wanted) -> Iterator[Found]:
    named = Q(slug=wanted.lower) | Q(external_id=wanted.text)
    if wanted.id:
        named |= Q(pk=wanted.id)
    parts = [Organization.objects.filter(named)]
    if wanted.names_parts:
        by_name = Q(name__icontains=wanted.text) | Q(slug__startswith=wanted.lower)
        parts.append(Organization.objects.filter(by_name))
    rows = some(*(part.values_list("pk", "name", "slug", "external_id") for part in parts))
    for pk, name, slug, external_id in exact_first(rows, wanted, slice(2, 4)):
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
    parts: list[QuerySet[Any, Any]] = [everybody.filter(named)]
    if wanted.names_parts:
        parts.append(everybody.filter(Q(email__icontains=wanted.text) | Q(name__icontains=wanted.text)))
        others = EmailAddress.objects.filter(email__startswith=wanted.lower).exclude(email=F("user__email"))
        parts.append(others.values_list("user", "user__name", "user__email", "email"))
    told: set[uuid.UUID] = set()
    # Rows come in any order: why a person is there is told by their name before another address.
    rows = sorted(some(*parts), key=lambda row: row[3])
    for pk, name, email, other in exact_first(rows, wanted, slice(2, 4)):
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
    rows = some(*(part.values_list(*columns) for part in parts))
    rows.sort(key=lambda row: (row[2] == State.PENDING, row[3]), reverse=True)
    for pk, email, state, _sent_at, organization, name in exact_first(rows, wanted, slice(1, 2)):
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
