"""From the link in a mail to the membership. Only a POST that the person makes decides anything."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from invitations import services
from invitations.claims import forget_claim, keep_claim, kept_claim
from invitations.forms import DeclineForm
from invitations.models import Invitation
from invitations.refusals import AcceptRefused
from invitations.selectors import InvitationPage, invitation_page, invitations_for
from invitations.tokens import BadToken, Channel, Claim, claim_in
from orgs.access import Audience, SignedInRequest, open_to
from orgs.models import User


@open_to(Audience.ANYONE, "GET")
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Turn the link into a claim of this browser, and lead to an address without the token."""
    try:
        claim = claim_in(token)
    except BadToken:
        response = render(request, "invitations/bad_link.html", status=404)
    else:
        keep_claim(request.session, claim)
        response = redirect("invitation")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@open_to(Audience.ANYONE, "GET")
def invitation(request: HttpRequest) -> HttpResponse:
    """Who invites to what, and what the visitor can do about it.

    No ``no-referrer`` here, where no token is left to keep: under that policy browsers send the forms of the
    page with ``Origin: null``, which the CSRF check refuses.
    """
    if kept_claim(request.session) is None:
        return render(request, "invitations/none_open.html", status=404)
    page = _page_or_404(request)
    if page.joined:
        forget_claim(request.session)
        messages.info(
            request, _("You are in %(organization)s already.") % {"organization": page.organization.name}
        )
        return redirect("dashboard", page.organization.slug)
    if page.ended:
        forget_claim(request.session)
        return render(request, "invitations/ended.html", {"page": page}, status=410)
    return render(request, "invitations/invitation.html", {"page": page})


@open_to(Audience.SIGNED_IN, "POST")
def accept(request: SignedInRequest) -> HttpResponse:
    claim = _claim_or_404(request)
    try:
        accepted = services.accept(user=request.user, claim=claim)
    except AcceptRefused as refused:
        page = _page_or_404(request)
        if page.ended:
            return redirect("invitation")
        context = {"page": page, "refusal": refused.message}
        return render(request, "invitations/invitation.html", context, status=409)
    except Invitation.DoesNotExist:
        raise Http404 from None
    forget_claim(request.session)
    organization = accepted.organization
    messages.success(
        request,
        _("You joined %(organization)s as %(role)s.")
        % {"organization": organization.name, "role": accepted.get_role_display().lower()},
    )
    return redirect("dashboard", organization.slug)


@open_to(Audience.ANYONE, "GET", "POST")
def decline(request: HttpRequest) -> HttpResponse:
    """Ask, with room for a message, then decline. Whoever holds the link may, signed in or not."""
    page = _page_or_404(request)
    if page.ended or page.joined:
        return redirect("invitation")
    posted = request.method == "POST"
    form = DeclineForm(request.POST if posted else None)
    if not form.is_valid():
        context = {"page": page, "form": form, "cancel_url": reverse("invitation")}
        return render(request, "invitations/decline.html", context, status=422 if posted else 200)
    try:
        services.decline(
            claim=_claim_or_404(request),
            message=form.cleaned_data["message"],
            user=request.user if isinstance(request.user, User) else None,
        )
    except AcceptRefused:
        return redirect("invitation")
    forget_claim(request.session)
    return render(request, "invitations/declined.html", {"page": page})


@open_to(Audience.SIGNED_IN, "POST")
def open_listed(request: SignedInRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Open an invitation that waits for one of the person's verified addresses."""
    for waiting in invitations_for(request.user):
        if waiting.pk == invitation_id:
            keep_claim(request.session, Claim(waiting.pk, waiting.generation, Channel.ACCOUNT))
            return redirect("invitation")
    raise Http404


def _claim_or_404(request: HttpRequest) -> Claim:
    claim = kept_claim(request.session)
    if claim is None:
        raise Http404
    return claim


def _page_or_404(request: HttpRequest) -> InvitationPage:
    claim = _claim_or_404(request)
    try:
        return invitation_page(user=request.user, claim=claim)
    except Invitation.DoesNotExist:
        raise Http404 from None
