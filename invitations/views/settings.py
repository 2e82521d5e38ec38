"""The organization's settings: here, since turning one off ends invitations, which the page says before."""

from copy import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

import orgs.services
from accounts.access import ensure_recently_authenticated
from invitations.selectors import delegated_invitations
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated
from orgs.forms import SettingsForm
from orgs.policy import Permission


@requires(GET=Permission.ORGANIZATION_CONFIGURE, POST=Permission.ORGANIZATION_CONFIGURE)
def organization_settings(request: OrgRequest) -> HttpResponse:
    """All settings in one form. Who manages billing managers is sensitive, so that asks for the password."""
    # A form writes on its instance before anything is saved; the page shows the organization as it is.
    form = SettingsForm(request.POST or None, instance=copy(request.organization))
    if request.method == "POST" and form.is_valid():
        changes = form.changes()
        if "managers_manage_managers" in changes:
            ensure_recently_authenticated(
                request,
                str(Permission.ORGANIZATION_CONFIGURE.label),
                organization=request.organization.name,
            )
        try:
            orgs.services.change_settings(actor=request.membership, changes=changes)
        except PageOutdated as outdated:
            messages.error(request, str(outdated.message))
            request.organization.refresh_from_db()
            form = SettingsForm(instance=request.organization)
            return _page(request, form, status=409)
        messages.success(request, _("Settings saved."))
        return redirect("organization_settings", request.organization.slug)
    return _page(request, form, status=422 if form.errors else 200)


def _page(request: OrgRequest, form: SettingsForm, *, status: int) -> HttpResponse:
    context = {"form": form, "delegated": delegated_invitations(request.organization)}
    return render(request, "orgs/settings.html", context, status=status)
