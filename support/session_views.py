"""The page that opens a staff session, and its end."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import Audience, open_to
from orgs.errors import Refused
from support.access import STAFF_SESSION, AdminRequest, needs_no_session
from support.models import SESSION_LIFE, ticket_number
from support.services import end_sessions, open_session


class SessionForm(forms.Form):
    ticket = forms.CharField(label=gettext_lazy("Ticket number"), max_length=40, validators=[ticket_number])
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Customers whose organization you open read both in their audit log."),
    )


@needs_no_session
@open_to(Audience.STAFF, "GET", "POST")
def staff_session(request: AdminRequest) -> HttpResponse:
    """Ask for ticket and reason, then open a session of an hour."""
    form = SessionForm(request.POST if request.method == "POST" else None)
    resume_at = _resume_at(request)
    if form.is_valid():
        try:
            session = open_session(user=request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused.message))
        else:
            request.session[STAFF_SESSION] = str(session.pk)
            return HttpResponseRedirect(resume_at)
    page = {"form": form, "next": resume_at, "minutes": SESSION_LIFE.seconds // 60}
    return render(request, "support/session.html", page, status=422 if form.errors else 200)


@needs_no_session
@open_to(Audience.STAFF, "POST")
def session_end(request: AdminRequest) -> HttpResponse:
    """End it before its hour is over."""
    end_sessions(user=request.user)
    request.session.pop(STAFF_SESSION, None)
    messages.success(request, _("Staff session ended."))
    return HttpResponseRedirect(reverse("admin:staff_session"))


def _resume_at(request: AdminRequest) -> str:
    """Where the person was going, inside the admin."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    front = reverse("admin:index")
    inside = asked.startswith(front) and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if inside else front
