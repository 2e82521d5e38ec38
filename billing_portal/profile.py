"""What a person says about themselves."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from billing_portal.accounts import NameForm
from orgs.access import Audience, SignedInRequest, open_to


@open_to(Audience.SIGNED_IN, "GET", "POST")
def profile(request: SignedInRequest) -> HttpResponse:
    """The name. Where it was written down before, as in the audit log, the former one stays."""
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        request.user.name = form.cleaned_data["name"]
        request.user.save(update_fields=["name"])
        messages.success(request, _("Your name is saved."))
        return redirect("profile")
    return render(request, "profile.html", {"form": form}, status=422 if form.errors else 200)
