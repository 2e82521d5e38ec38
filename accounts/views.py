"""Sign-up, a person's own page, and the end of one of their sessions."""

from allauth.account.views import SignupView
from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts.access import Audience, SignedInRequest, open_to
from accounts.forms import NameForm, PreferencesForm
from accounts.sessions import session_named
from accounts.templatetags.browsers import browser


class SignUpView(SignupView):
    """The account, its address and the mail that confirms it come at once, or not at all.

    So another sign-up with the same address waits for this one, or finds all of it: otherwise the mail that
    tells of an existing account would use up the address's limit, and the one that confirms it never leave.
    """

    def form_valid(self, form: Form) -> HttpResponse:
        with transaction.atomic():
            return super().form_valid(form)


@open_to(Audience.SIGNED_IN, "GET", "POST")
def profile(request: SignedInRequest) -> HttpResponse:
    """The name. Where it was written down before, as in the audit log, the former one stays."""
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        request.user.name = form.cleaned_data["name"]
        request.user.save(update_fields=["name"])
        messages.success(request, _("Your name is saved."))
        return redirect("profile")
    return _profile_page(request, form, PreferencesForm(instance=request.user))


@open_to(Audience.SIGNED_IN, "POST")
def preferences(request: SignedInRequest) -> HttpResponse:
    """The time zone and the language, from the same page."""
    form = PreferencesForm(request.POST, instance=request.user)
    if not form.is_valid():
        request.user.refresh_from_db()
        return _profile_page(request, NameForm(initial={"name": request.user.name}), form)
    request.user.save(update_fields=list(form.fields))
    with override(request.user.reader.known_language or get_language()):
        messages.success(request, _("Your preferences are saved."))
    return redirect("profile")


def _profile_page(request: SignedInRequest, name: NameForm, preferences: PreferencesForm) -> HttpResponse:
    context = {"form": name, "preferences": preferences}
    wrong = name.errors or preferences.errors
    return render(request, "accounts/profile.html", context, status=422 if wrong else 200)


@open_to(Audience.SIGNED_IN, "POST")
def end_session(request: SignedInRequest) -> HttpResponse:
    """Sign out one of the person's sessions. The present one is left to the page that asks first."""
    session = session_named(request.user, request.POST.get("session", ""))
    if session is None:
        messages.info(request, _("That session has ended already."))
    elif session.is_current():
        return redirect("account_logout")
    else:
        session.end()
        messages.success(request, _("%(browser)s is signed out.") % {"browser": browser(session.user_agent)})
    return redirect("usersessions_list")
