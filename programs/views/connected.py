"""A person's own page of the programs that they let read billing."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import Audience, SignedInRequest, open_to
from programs import services
from programs.models import Connection
from programs.selectors import connections_of


@open_to(Audience.SIGNED_IN, "GET")
def programs(request: SignedInRequest) -> HttpResponse:
    return render(request, "programs/programs.html", {"connections": connections_of(request.user)})


@open_to(Audience.SIGNED_IN, "GET", "POST")
def program_disconnect(request: SignedInRequest, connection_id: uuid.UUID) -> HttpResponse:
    """Ask, then disconnect."""
    connection = Connection.objects.of_person(request.user.pk).filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    if request.method != "POST":
        context = {"connection": connection, "cancel_url": reverse("programs")}
        return render(request, "programs/disconnect.html", context)
    # It may have ended at the same time, by another press or with the membership: that is what was wanted.
    with suppress(ObjectDoesNotExist):
        services.disconnect(actor=connection.membership, connection_id=connection.pk)
    messages.success(request, _("%(program)s is disconnected.") % {"program": connection.name})
    return redirect("programs")
