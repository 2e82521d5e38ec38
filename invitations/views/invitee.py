"""From the link in a mail to the membership. Only a POST that the person makes decides anything.

Each page names its invitation in its address, and each form carries the generation that its page showed. So a
form answers the invitation it was drawn for, whatever else was opened in this browser meanwhile.
"""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.access import Audience, SignedInRequest, open_to
from accounts.models import User
from invitations import services
from invitations.claims import BadToken, Claim, claim_in, claims_on, keep_claim
from invitations.forms import DeclineForm, shown_generation
from invitations.models import Invitation
from invitations.refusals import AcceptRefused, Reason
from invitations.selectors import InvitationPage, invitation_page
from orgs.start import start_url


@open_to(Audience.ANYONE, "GET")
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Turn the link into a claim of this browser, and lead to an address without the token."""
    try:
        claim = claim_in(token)
    except BadToken as bad:
        response = render(request, "invitations/bad_link.html", {"whole": bad.whole}, status=404)
    else:
        keep_claim(request.session, claim)
        response = redirect("invitation", claim.invitation_id)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@open_to(Audience.ANYONE, "GET")
def invitation(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Who invites to what, and what the visitor can do about it.

    No ``no-referrer`` here, where no token is left to keep: under that policy browsers send the forms of the
    page with ``Origin: null``, which the CSRF check refuses.
    """
    page = _page(request, invitation_id)
    if page is None:
        return _none_open(request)
    if page.joined_as:
        messages.info(
            request, _("You are in %(organization)s already.") % {"organization": page.organization.name}
        )
        return redirect(start_url(page.organization.slug, page.joined_as))
    if page.ended:
        return render(request, "invitations/ended.html", {"page": page}, status=410)
    return render(request, "invitations/invitation.html", {"page": page})


@open_to(Audience.SIGNED_IN, "POST")
def accept(request: SignedInRequest, invitation_id: uuid.UUID) -> HttpResponse:
    claim = _claim_shown(request, invitation_id)
    if claim is None:
        return _shown_anew(request, invitation_id)
    try:
        accepted = services.accept(user=request.user, claim=claim)
    except AcceptRefused as refused:
        page = _page(request, invitation_id)
        if page is None or page.ended:
            return redirect("invitation", invitation_id)
        context = {
            "page": page,
            "refusal": refused.message,
            "offers_to_ask": refused.reason is Reason.INVITER,
        }
        return render(request, "invitations/invitation.html", context, status=409)
    except (Invitation.DoesNotExist, User.DoesNotExist):
        return _none_open(request)
    organization = accepted.organization
    messages.success(
        request,
        _("You joined %(organization)s as %(role)s.")
        % {"organization": organization.name, "role": accepted.role_in_sentence},
    )
    return redirect(start_url(organization.slug, accepted.role))


@open_to(Audience.ANYONE, "GET", "POST")
def decline(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Ask, with room for a message, then decline. Anyone with the link may, signed in or not."""
    page = _page(request, invitation_id)
    if page is None:
        return _none_open(request)
    if request.method != "POST":
        if page.ended or page.joined_as:
            return redirect("invitation", invitation_id)
        return _decline_page(request, page, DeclineForm(initial={"generation": page.generation}))
    claim = _claim_shown(request, invitation_id)
    if claim is None:
        return _shown_anew(request, invitation_id)
    form = DeclineForm(request.POST)
    if not form.is_valid():
        return _decline_page(request, page, form)
    try:
        services.decline(
            claim=claim,
            message=form.cleaned_data["message"],
            user=request.user if isinstance(request.user, User) else None,
        )
    except AcceptRefused:
        return redirect("invitation", invitation_id)
    return render(request, "invitations/declined.html", {"page": page})


@open_to(Audience.ANYONE, "POST")
def ask(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Ask for a new invitation in place of a dead one. The answer is the same whatever comes of it."""
    limits.count_visit(request, "invitation_ask")
    claim = _claim_shown(request, invitation_id)
    page = _page(request, invitation_id)
    if claim is None or page is None:
        return _shown_anew(request, invitation_id)
    if not page.has_inviter:
        return redirect("invitation", invitation_id)
    services.ask_for_new(claim=claim, user=request.user if isinstance(request.user, User) else None)
    return render(request, "invitations/asked.html", {"page": page})


def _claim_shown(request: HttpRequest, invitation_id: uuid.UUID) -> Claim | None:
    """The visitor's claim on what the form's page showed; None: they hold none, or only of another link."""
    shown = shown_generation(request.POST)
    return next((claim for claim in claims_on(request, invitation_id) if claim.generation == shown), None)


def _shown_anew(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """The page as it is now, for a form of an earlier one: nothing was done."""
    page = _page(request, invitation_id)
    if page is None:
        return _none_open(request)
    if not (page.ended or page.joined_as):
        messages.warning(
            request,
            _(
                "This invitation has changed since you opened it, so nothing was done. "
                "Check it, then try again."
            ),
        )
    return redirect("invitation", invitation_id)


def _page(request: HttpRequest, invitation_id: uuid.UUID) -> InvitationPage | None:
    """The page by the visitor's first claim that is not overtaken by a later link; None: they hold none."""
    page = None
    for claim in claims_on(request, invitation_id):
        try:
            page = invitation_page(user=request.user, claim=claim)
        except Invitation.DoesNotExist:
            return None
        if not page.superseded:
            break
    return page


def _none_open(request: HttpRequest) -> HttpResponse:
    return render(request, "invitations/none_open.html", status=404)


def _decline_page(request: HttpRequest, page: InvitationPage, form: DeclineForm) -> HttpResponse:
    context = {"page": page, "form": form, "cancel_url": reverse("invitation", args=[page.invitation.pk])}
    return render(request, "invitations/decline.html", context, status=422 if form.errors else 200)
