"""Pages that join all apps: where everybody begins, the list of one's organizations, and a new one."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Audience, SignedInRequest, ensure_recently_authenticated, open_to
from billing.offers import offers
from billing.selectors import organizations_page, wanted_in
from invitations.selectors import invitations_for
from orgs import services
from orgs.account_deletion import delete_account, deletion_page
from orgs.editions import STARTING_EDITION, edition_of
from orgs.errors import Refused
from orgs.forms import NewOrganizationForm
from orgs.models import Organization
from orgs.selectors import latest_memberships
from orgs.start import start_url


@open_to(Audience.ANYONE, "GET")
def home(request: HttpRequest) -> HttpResponse:
    """Straight into the only organization of the person, or to their only invitation; else to the list.

    Support staff, who are in none, begin in the admin. Visitors read what this is.
    """
    user = request.user
    if not user.is_authenticated:
        return render(request, "start.html", {"issuer_name": settings.ISSUER_NAME})
    memberships = latest_memberships(user.pk)
    if user.is_staff and not memberships:
        return redirect("admin:index")
    invitations = invitations_for(user)
    if not memberships and len(invitations) == 1:
        return redirect("invitation", invitations[0].id)
    if len(memberships) == 1 and not invitations:
        only = memberships[0]
        return redirect(start_url(only.slug, only.role))
    return redirect("organizations")


@open_to(Audience.SIGNED_IN, "GET")
def organizations(request: SignedInRequest) -> HttpResponse:
    """The organizations of the person, trouble first, and the invitations that wait for them."""
    page = organizations_page(request.user.pk, wanted_in(request.GET))
    context = {"page": page, "invitations": invitations_for(request.user)}
    return render(request, "orgs/organizations.html", context)


@open_to(Audience.SIGNED_IN, "GET", "POST")
def new_organization(request: SignedInRequest) -> HttpResponse:
    form = NewOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            organization = services.create_organization(
                user=request.user,
                name=form.cleaned_data["name"],
                idempotency_key=form.cleaned_data["idempotency_key"],
            )
        except Refused as refused:
            form.add_error("name", str(refused.message))
        else:
            messages.success(request, _("%(name)s is ready.") % {"name": organization.name})
            return _after_founding(organization, edition_code=form.cleaned_data["edition"])
    start = edition_of(STARTING_EDITION, on=timezone.now().date())
    context = {"form": form, "offers": offers(), "start": start}
    return render(request, "orgs/new.html", context, status=422 if form.errors else 200)


@open_to(Audience.SIGNED_IN, "GET", "POST")
def account_delete(request: SignedInRequest) -> HttpResponse:
    """Say what ends and what stays, then delete the person's account."""
    if request.method != "POST":
        return _ask_to_delete(request)
    ensure_recently_authenticated(request, _("delete your account"), organization="")
    try:
        delete_account(user=request.user, shown=request.POST.getlist("organization"))
    except Refused as refused:
        messages.error(request, str(refused.message))
        return _ask_to_delete(request, status=409)
    logout(request)
    messages.success(request, _("Your account is deleted. A mail confirms it."))
    return redirect("home")


def _ask_to_delete(request: SignedInRequest, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/delete.html", {"page": deletion_page(request.user)}, status=status)


def _after_founding(organization: Organization, *, edition_code: str) -> HttpResponse:
    """To the page that sells the chosen edition, which has bought nothing yet; else to the dashboard."""
    if not edition_code:
        return redirect("dashboard", organization.slug)
    return redirect(f"{reverse('purchase', args=[organization.slug])}?{urlencode({'edition': edition_code})}")
