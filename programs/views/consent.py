"""What a person decides about a program: the same page for one on the web and one on a device."""

from collections.abc import Callable
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client
from csp.decorators import csp_update
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError, OAuth2Error

from accounts.access import (
    Audience,
    SignedInRequest,
    ensure_recently_authenticated,
    is_recently_authenticated,
    open_to,
    sign_in_first,
)
from orgs.models import Membership
from orgs.policy import Denied
from programs import services
from programs.credentials import SCOPE
from programs.forms import ConsentForm
from programs.models import Connection
from programs.protocol import Server, address_of, address_with
from programs.selectors import memberships_to_share


@open_to(Audience.ANYONE, "GET", "POST")
def authorize(request: SignedInRequest) -> HttpResponseBase:
    """The address to which a program sends people (RFC 6749, 4.1.1). What it asks stays in the query, and is
    checked before anybody is asked to sign in.
    """
    uri = address_of(request)
    try:
        _scopes, asked = Server().validate_authorization_request(uri)
    except FatalClientError:
        return render(request, "programs/wrong_request.html", status=400)
    except OAuth2Error as error:
        return HttpResponseRedirect(address_with(error, error.redirect_uri))
    if not request.user.is_authenticated:
        return sign_in_first(request)
    client = asked["request"].client
    again = ask_again_if_long_ago(request, client)
    if again is not None:
        return again
    if request.POST.get("answer") == "deny":
        denied = AccessDeniedError(request=asked["request"])
        return HttpResponseRedirect(address_with(denied, asked["redirect_uri"]))

    def allow(person: Membership) -> HttpResponse:
        # In one transaction: a connection that holds no code or token ends.
        with transaction.atomic():
            connection = services.allow(actor=person, client=client)
            return HttpResponseRedirect(_address_with_code(uri, connection))

    return consent(request, client, allow, leads_to=asked["redirect_uri"])


def _address_with_code(uri: str, connection: Connection) -> str:
    headers, _body, _status = Server().create_authorization_response(
        uri, scopes=[SCOPE], credentials={"connection": connection}
    )
    return str(headers["Location"])


def ask_again_if_long_ago(request: SignedInRequest, client: Client) -> HttpResponse | None:
    """Have the person prove themselves before they see the question, if that was long ago.

    After the answer it would be too late: the page that asks for the password may not lead to the program's
    address. Raises allauth's ReauthenticationRequired.
    """
    if request.method != "POST":
        act = _("let %(program)s read billing") % {"program": client.name}
        ensure_recently_authenticated(request, act, organization="")
    elif not is_recently_authenticated(request):
        return HttpResponseRedirect(request.get_full_path())
    return None


Answer = Callable[[Membership], HttpResponse]


def consent(
    request: SignedInRequest, client: Client, allow: Answer, *, leads_to: str = ""
) -> HttpResponseBase:
    """Show the question, or carry out *Allow*. ``leads_to``: the program's address, which the form may reach.

    Raises what ``allow`` raises, but for a right that was taken away meanwhile: then the question comes anew.
    """
    memberships = memberships_to_share(request.user)
    form = ConsentForm(request.POST if request.method == "POST" else None, memberships=memberships)
    if form.is_valid() and request.POST.get("answer") == "allow":
        try:
            return allow(form.chosen)
        except (Denied, Membership.DoesNotExist):
            # Taken away since the list was read.
            return HttpResponseRedirect(request.get_full_path())
    leads_to_host = urlsplit(leads_to).hostname
    context = {"program": client.name, "form": form, "memberships": memberships, "leads_to": leads_to_host}

    def page(request: HttpRequest) -> HttpResponse:
        return render(request, "programs/consent.html", context, status=422 if form.errors else 200)

    # A browser holds the redirect that answers a form to form-action too.
    return csp_update({"form-action": origin_of(leads_to)})(page)(request) if leads_to else page(request)


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
