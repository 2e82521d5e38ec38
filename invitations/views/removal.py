"""Removing one or many: people and pending invitations, chosen on the page that lists them."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from invitations.models import Invitation
from invitations.roles import list_of
from invitations.services.removing import remove_each
from orgs.access import OrgRequest, requires
from orgs.endings import what_ends, what_goes_on
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role, may
from orgs.rows import positive_int
from orgs.views import tell_of_removal

# Each takes a few statements under the organization's lock; a page lists fewer people.
MOST_AT_ONCE = 100


@requires(GET=Permission.BILLING_MANAGERS_REMOVE, POST=Permission.BILLING_MANAGERS_REMOVE)
def people_remove(request: OrgRequest) -> HttpResponse:
    """Ask, then end the chosen memberships and invitations: all of them, or none."""
    if request.method != "POST":
        return _ask(request, _ids(request.GET, "person"), _ids(request.GET, "invitation"))
    people = _shown(request.POST, "person")
    invitations = {pk: _number(shown) for pk, shown in _shown(request.POST, "invitation").items()}
    if not people and not invitations:
        return _back_to_choose(request)
    try:
        removed = remove_each(actor=request.membership, people=people, invitations=invitations)
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        tell_of_removal(request, removed.people, removed.ended, invited=removed.invited)
    return redirect(_home(request, request.POST))


def _ask(request: OrgRequest, people: list[uuid.UUID], invitations: list[uuid.UUID]) -> HttpResponse:
    """About those of them whom the reader may remove: of others nobody learns anything here."""
    chosen = Membership.objects.for_org(request.organization).filter(pk__in=people).select_related("user")
    leaving = [
        person
        for person in chosen.exclude(pk=request.membership.pk).order_by("joined_at", "id")
        if may(request.membership, REMOVE_PERMISSIONS[Role(person.role)])
    ]
    visible = Invitation.objects.visible_to(request.membership).pending()
    waiting = list(visible.filter(pk__in=invitations).order_by("sent_at", "id"))
    if not leaving and not waiting:
        return _back_to_choose(request)
    context = {
        "leaving": leaving,
        "waiting": waiting,
        "total": len(leaving) + len(waiting),
        "ends": what_ends(leaving, request.membership),
        "goes_on": what_goes_on(leaving, request.membership),
        "list": _list(request.GET),
        "cancel_url": _home(request, request.GET),
    }
    return render(request, "invitations/people_remove.html", context)


def _back_to_choose(request: OrgRequest) -> HttpResponse:
    """Instead of a question about nobody."""
    messages.info(request, _("Choose first whom to remove."))
    return redirect(_home(request, request.POST if request.method == "POST" else request.GET))


def _list(data: QueryDict) -> Role:
    """Of which people the page was from which the person chose."""
    return Role.BILLING_MANAGER if data.get("list") == Role.BILLING_MANAGER else Role.MEMBER


def _home(request: OrgRequest, data: QueryDict) -> str:
    return list_of(request.organization.slug, _list(data))


def _ids(data: QueryDict, name: str) -> list[uuid.UUID]:
    return list(_shown(data, name))


def _shown(data: QueryDict, name: str) -> dict[uuid.UUID, str]:
    """What the page showed of each: ``<id>`` or ``<id>~<role or generation>``. What is no id is left out."""
    shown = {}
    for text in data.getlist(name)[:MOST_AT_ONCE]:
        key, _separator, value = text.partition("~")
        with suppress(ValueError):
            shown[uuid.UUID(key)] = value
    return shown


def _number(text: str) -> int:
    """0, which no invitation has as its generation, for what is none."""
    return positive_int(text) or 0
