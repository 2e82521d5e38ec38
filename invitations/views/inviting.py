"""Inviting people, by mail and by link: the forms that open from the members page and the managers' panel."""

from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext

from accounts.addresses import Entry
from invitations import services
from invitations.forms import (
    AddressesForm,
    InvitedRoleForm,
    ManagerInvitationForm,
    ManagerOptionsForm,
    MemberInvitationForm,
)
from invitations.roles import list_of
from invitations.selectors import Way, billing_managers_panel, pending_invitations, ways_on
from orgs.access import OrgRequest, confirm_before_giving, requires
from orgs.errors import Refused
from orgs.policy import Permission, Role


@requires(GET=Permission.MEMBERS_INVITE, POST=Permission.MEMBERS_INVITE)
def members_invite(request: OrgRequest) -> HttpResponse:
    form = MemberInvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _invite(request, form, form.cleaned_data["role"])
    return _invite_page(request, form, Role.MEMBER)


@requires(GET=Permission.BILLING_MANAGERS_INVITE, POST=Permission.BILLING_MANAGERS_INVITE)
def managers_invite(request: OrgRequest) -> HttpResponse:
    form = ManagerInvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _invite(request, form, form.cleaned_data["role"])
    return _invite_page(request, form, Role.BILLING_MANAGER)


@requires(GET=Permission.MEMBERS_INVITE, POST=Permission.MEMBERS_INVITE)
def members_link(request: OrgRequest) -> HttpResponse:
    """Choose the role, then get a link."""
    form = InvitedRoleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return _new_link(request, form.cleaned_data["role"])
        except Refused as refused:
            form.add_error(None, str(refused.message))
    context = {"form": form, "cancel_url": list_of(request.organization.slug, Role.MEMBER)}
    return render(request, "invitations/members_link.html", context, status=422 if form.errors else 200)


@requires(POST=Permission.BILLING_MANAGERS_LINK)
def managers_link(request: OrgRequest) -> HttpResponse:
    """One press makes the link of a full billing manager; the form of an invitation says more."""
    form = ManagerOptionsForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(str(next(iter(form.errors.values()))[0]))
        return _new_link(request, form.cleaned_data["role"], form.cleaned_data["last_day"])
    except Refused as refused:
        context = {
            "message": refused.message,
            "ways": ways_on(request.membership, refused, Role.BILLING_MANAGER),
            "cancel_url": list_of(request.organization.slug, Role.BILLING_MANAGER),
        }
        return render(request, "invitations/link_refused.html", context, status=422)


def _invite(request: OrgRequest, form: AddressesForm, role: Role) -> HttpResponse:
    confirm_before_giving(request, role)
    outcomes = services.invite_each(
        actor=request.membership,
        entries=form.cleaned_data["email"],
        role=role,
        last_day=form.cleaned_data.get("last_day"),
    )
    sent = [outcome.invitation.email for outcome in outcomes if outcome.invitation]
    refused = [(outcome.entry, outcome.refused) for outcome in outcomes if outcome.refused]
    if refused:
        return _refused_page(request, form, role, refused, sent)
    messages.success(request, _told(sent))
    return redirect(list_of(request.organization.slug, role))


def _told(sent: list[str]) -> str:
    sentence = ngettext(
        "Invitation sent to %(addresses)s.", "%(count)s invitations sent: to %(addresses)s.", len(sent)
    )
    return sentence % {"count": len(sent), "addresses": ", ".join(sent)}


def _refused_page(
    request: OrgRequest,
    form: AddressesForm,
    role: Role,
    refused: list[tuple[Entry, Refused]],
    sent: list[str],
) -> HttpResponse:
    """The form again, with what was refused in it: a sentence for each, and what to do instead."""
    kept = request.POST.copy()
    kept["email"] = "\n".join(entry.typed for entry, _refusal in refused)
    again = type(form)(kept)
    ways: dict[Way, None] = {}
    for entry, refusal in refused:
        sentence = refusal.fact if isinstance(refusal, services.BelongsAlready) else str(refusal.message)
        again.add_error("email", f"{entry.typed}: {sentence}" if sent or len(refused) > 1 else sentence)
        ways |= dict.fromkeys(ways_on(request.membership, refusal, role))
    context: dict[str, object] = {"ways": list(ways), "told": _told(sent) if sent else ""}
    if sent and request.htmx:
        context |= _list_behind(request, role)
    return _invite_page(request, again, role, context)


def _invite_page(
    request: OrgRequest, form: forms.Form, role: Role, more: dict[str, object] | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "role": role,
        "cancel_url": list_of(request.organization.slug, role),
        **(more or {}),
    }
    return render(request, "invitations/invite.html", context, status=422 if form.errors else 200)


def _new_link(request: OrgRequest, role: Role, last_day: date | None = None) -> HttpResponse:
    """A page with the link; for htmx a dialog, and the list that has one row more now. Raises Refused."""
    confirm_before_giving(request, role)
    url = services.create_link(actor=request.membership, role=role, last_day=last_day)
    context: dict[str, object] = {
        "url": url,
        "role": role,
        "cancel_url": list_of(request.organization.slug, role),
    }
    if request.htmx:
        context |= _list_behind(request, role)
    return render(request, "invitations/link.html", context)


def _list_behind(request: OrgRequest, role: Role) -> dict[str, object]:
    """The list behind the dialog, which has more rows now."""
    if role.is_billing_manager:
        return {"panel": billing_managers_panel(request.membership)}
    return {"pending": pending_invitations(request.membership, role)}
