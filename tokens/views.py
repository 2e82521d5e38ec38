"""The acts on access tokens."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission
from tokens import services
from tokens.forms import TokenForm
from tokens.models import AccessToken, TokenKind
from tokens.scopes import scopes_for
from tokens.selectors import visible_token


@requires(GET=Permission.ACCESS_TOKENS_OWN, POST=Permission.ACCESS_TOKENS_OWN, sensitive={"POST"})
def token_new(request: OrgRequest) -> HttpResponse:
    """A token of one's own. Asks for the password again: it acts as its person, for months."""
    return _new(request, of_organization=False)


@requires(GET=Permission.ACCESS_TOKENS_MANAGE, POST=Permission.ACCESS_TOKENS_MANAGE, sensitive={"POST"})
def organization_token_new(request: OrgRequest) -> HttpResponse:
    """A token of the organization, which outlives its maker's membership."""
    return _new(request, of_organization=True)


def _new(request: OrgRequest, *, of_organization: bool) -> HttpResponse:
    offered = scopes_for(request.membership, of_organization=of_organization)
    form = TokenForm(request.POST if request.method == "POST" else None, scopes=offered)
    home = reverse("tokens", args=[request.organization.slug])
    if form.is_valid():
        try:
            token, secret = services.make_token(
                actor=request.membership,
                key=form.cleaned_data["key"],
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at,
                of_organization=of_organization,
            )
        except Refused as refused:
            form.add_error(None, str(refused.message))
        else:
            context = {"token": token, "secret": secret, "home_url": home}
            return render(request, "tokens/made.html", context)
    context = {"form": form, "of_organization": of_organization, "home_url": home}
    return render(request, "tokens/new.html", context, status=422 if form.errors else 200)


@requires(GET=Permission.ACCESS_TOKENS_OWN, POST=Permission.ACCESS_TOKENS_OWN)
def token_revoke(request: OrgRequest, token_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke: one's own, or any for those who manage all."""
    try:
        token = visible_token(request.membership, token_id)
    except AccessToken.DoesNotExist:
        raise Http404 from None
    home = reverse("tokens", args=[request.organization.slug])
    if request.method != "POST":
        context = {
            "token": token,
            "own": token.membership_id == request.membership.pk,
            "of_organization": token.kind is TokenKind.ORGANIZATION,
            "cancel_url": home,
        }
        return render(request, "tokens/revoke.html", context)
    # Somebody else may have revoked it at the same time: that is what was wanted.
    with suppress(AccessToken.DoesNotExist):
        services.revoke_token(actor=request.membership, token_id=token.pk)
    messages.success(request, _("The token %(name)s is revoked. It no longer works.") % {"name": token.name})
    return redirect(home)
