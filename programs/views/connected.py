"""The pages of connected programs: a person's own, and an organization's beside its access tokens."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import Audience, SignedInRequest, open_to
from accounts.models import display_name
from orgs.access import OrgRequest, requires
from orgs.models import Membership
from orgs.policy import Permission
from programs import services
from programs.models import Connection
from programs.selectors import access_page, connections_of


@open_to(Audience.SIGNED_IN, "GET")
def programs(request: SignedInRequest) -> HttpResponse:
    return render(request, "programs/programs.html", {"connections": connections_of(request.user)})


@open_to(Audience.SIGNED_IN, "GET", "POST")
def program_disconnect(request: SignedInRequest, connection_id: uuid.UUID) -> HttpResponse:
    connection = Connection.objects.of_person(request.user.pk).filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    return _disconnect(request, connection, actor=connection.membership, home=reverse("programs"))


@requires(GET=Permission.ACCESS_TOKENS_OWN)
def tokens(request: OrgRequest) -> HttpResponse:
    """Access tokens, and for admins the programs that people connected."""
    return render(request, "tokens/tokens.html", {"page": access_page(request.membership)})


@requires(GET=Permission.ACCESS_TOKENS_MANAGE, POST=Permission.ACCESS_TOKENS_MANAGE)
def connection_end(request: OrgRequest, connection_id: uuid.UUID) -> HttpResponse:
    """An admin ends what somebody allowed."""
    found = Connection.objects.for_org(request.organization).with_people()
    connection = found.filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    home = reverse("tokens", args=[request.organization.slug])
    return _disconnect(request, connection, actor=request.membership, home=home)


def _disconnect(
    request: HttpRequest, connection: Connection, *, actor: Membership, home: str
) -> HttpResponse:
    """Ask, then disconnect. ``home``: the page with the list."""
    if request.method != "POST":
        own = connection.membership_id == actor.pk
        context = {
            "connection": connection,
            "owner": "" if own else display_name(connection.membership.user),
            "cancel_url": home,
        }
        return render(request, "programs/disconnect.html", context)
    # It may have ended at the same time, by another press or with the membership: that is what was wanted.
    with suppress(ObjectDoesNotExist):
        services.disconnect(actor=actor, connection_id=connection.pk)
    messages.success(request, _("%(program)s is disconnected.") % {"program": connection.name})
    return redirect(home)
