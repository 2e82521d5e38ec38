"""Where a person answers a program without a browser: they type its code, then decide."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.access import Audience, SignedInRequest, open_to
from accounts.limits import count_visit
from orgs.models import Membership
from programs import services
from programs.devices import waiting_for
from programs.forms import UserCodeForm
from programs.models import DeviceRequest
from programs.views.consent import ask_again_if_long_ago, consent


@open_to(Audience.SIGNED_IN, "GET", "POST")
def device(request: SignedInRequest) -> HttpResponse:
    """Ask for the code. It is in no address, so that no link can carry somebody else's (RFC 8628, 5.4)."""
    form = UserCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        count_visit(request, "device_user_code")
        found = waiting_for(form.cleaned_data["code"])
        if found is not None:
            return redirect("device_answer", found.pk)
        form.add_error("code", _("No program waits with this code. Check it, or start again in the program."))
    return render(request, "programs/device.html", {"form": form}, status=422 if form.errors else 200)


@open_to(Audience.SIGNED_IN, "GET", "POST")
def device_answer(request: SignedInRequest, request_id: uuid.UUID) -> HttpResponseBase:
    found = DeviceRequest.objects.select_related("client").filter(pk=request_id).first()
    if found is None:
        raise Http404
    if not found.is_waiting:
        return _too_late(request)
    again = ask_again_if_long_ago(request, found.client)
    if again is not None:
        return again
    try:
        if request.POST.get("answer") == "deny":
            services.deny_device(found.pk)
            messages.success(request, _("%(program)s may not read billing.") % {"program": found.client.name})
            return redirect("programs")
        return consent(request, found.client, lambda person: _allow(request, found, person))
    except DeviceRequest.DoesNotExist:
        return _too_late(request)


def _allow(request: SignedInRequest, found: DeviceRequest, person: Membership) -> HttpResponse:
    connection = services.allow_device(actor=person, request_id=found.pk)
    messages.success(
        request,
        _("%(program)s may now read the billing of %(organization)s. Go back to it.")
        % {"program": connection.name, "organization": person.organization.name},
    )
    return redirect("programs")


def _too_late(request: SignedInRequest) -> HttpResponse:
    messages.info(
        request, _("This was answered already, or the code has expired. Start again in the program.")
    )
    return redirect("device")
