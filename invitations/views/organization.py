"""Pages of those who invite: the members page, and what the billing managers' panel leads to."""

import uuid
from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

import orgs.services
from accounts.models import display_name
from invitations import services
from invitations.forms import LastDayForm, shown_generation
from invitations.models import Invitation
from invitations.roles import list_of
from invitations.selectors import members_page
from invitations.selectors.continuity import people_warnings
from orgs.access import OrgRequest, confirm_before_giving, requires
from orgs.dates import day
from orgs.endings import what_ends, what_goes_on
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission, Role
from orgs.views import tell_of_removal


@requires(GET=Permission.MEMBERS_LIST)
def members(request: OrgRequest) -> HttpResponse:
    page = members_page(
        request.membership, before=request.GET.get("before", ""), after=request.GET.get("after", "")
    )
    return render(request, "invitations/members.html", {"page": page})


@requires(POST=Permission.MEMBERS_CHANGE_ROLE)
def members_warning_hide(request: OrgRequest) -> HttpResponse:
    """Hide a warning that the person has on the members page, from them alone."""
    code = request.POST.get("code", "")
    if code in {warning.code for warning in people_warnings(request.membership)}:
        orgs.services.dismiss(membership=request.membership, code=code)
    return redirect("members", request.organization.slug)


@requires(GET=Permission.BILLING_MANAGERS_REMOVE, POST=Permission.BILLING_MANAGERS_REMOVE)
def manager_remove(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Ask, then end a billing manager's membership."""
    managers = Membership.objects.for_org(request.organization).billing_managers().select_related("user")
    target = get_object_or_404(managers, pk=membership_id)
    home = list_of(request.organization.slug, Role.BILLING_MANAGER)
    if request.method != "POST":
        context = {
            "target": target,
            "ends": what_ends([target], request.membership),
            "goes_on": what_goes_on([target], request.membership),
            "cancel_url": home,
        }
        return render(request, "invitations/manager_remove.html", context)
    try:
        ended = orgs.services.remove_member(
            actor=request.membership,
            membership_id=target.pk,
            shown_role=request.POST.get("shown_role", ""),
        )
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        tell_of_removal(request, [display_name(target.user)], ended)
    return redirect(home)


@requires(GET=Permission.MEMBERS_CHANGE_ROLE, POST=Permission.MEMBERS_CHANGE_ROLE)
def manager_last_day(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Say until when a billing manager stays."""
    managers = Membership.objects.for_org(request.organization).billing_managers().select_related("user")
    target = get_object_or_404(managers, pk=membership_id)
    home = list_of(request.organization.slug, Role.BILLING_MANAGER)
    initial = {"last_day": target.last_day}
    form = LastDayForm(request.POST if request.method == "POST" else None, initial=initial)
    context = {"form": form, "target": target, "cancel_url": home}
    if not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "invitations/manager_last_day.html", context, status=status)
    try:
        orgs.services.change_last_day(
            actor=request.membership,
            membership_id=target.pk,
            last_day=form.cleaned_data["last_day"],
            shown=_shown_day(request.POST.get("shown_last_day", "")),
        )
    except PageOutdated as outdated:
        target.refresh_from_db(fields=["role", "last_day"])
        context |= {"form": LastDayForm(initial={"last_day": target.last_day}), "refusal": outdated.message}
        return render(request, "invitations/manager_last_day.html", context, status=409)
    messages.success(request, _last_day_saved(target, form.cleaned_data["last_day"]))
    return redirect(home)


def _last_day_saved(target: Membership, last_day: date | None) -> str:
    if last_day is None:
        return _("%(name)s stays for good.") % {"name": display_name(target.user)}
    return _("%(name)s stays until the end of %(day)s (UTC).") % {
        "name": display_name(target.user),
        "day": day(last_day),
    }


def _shown_day(text: str) -> date | None:
    """The last day that the form's page showed. What is no day is one that nobody has."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return date.min


# The next three serve both kinds of invitation. Their gate asks for the weakest permission; the verb asks for
# the one that the invitation's role needs, and a person who may not see the invitation gets 404.


@requires(POST=Permission.BILLING_MANAGERS_INVITE)
def invitation_resend(request: OrgRequest, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = _visible_or_404(request, invitation_id)
    confirm_before_giving(request, Role(invitation.role))
    try:
        services.resend(
            actor=request.membership,
            invitation_id=invitation.pk,
            shown=shown_generation(request.POST),
        )
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(
            request,
            _("Invitation sent to %(address)s again. The earlier link no longer works.")
            % {"address": invitation.email},
        )
    return redirect(list_of(request.organization.slug, Role(invitation.role)))


@requires(POST=Permission.BILLING_MANAGERS_LINK)
def invitation_copy_link(request: OrgRequest, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = _visible_or_404(request, invitation_id)
    confirm_before_giving(request, Role(invitation.role))
    home = list_of(request.organization.slug, Role(invitation.role))
    try:
        url = services.copy_link(
            actor=request.membership,
            invitation_id=invitation.pk,
            shown=shown_generation(request.POST),
        )
    except Refused as refused:
        context = {"message": refused.message, "cancel_url": home}
        return render(request, "invitations/link_refused.html", context, status=422)
    context = {"url": url, "role": Role(invitation.role), "address": invitation.email, "cancel_url": home}
    return render(request, "invitations/link.html", context)


@requires(GET=Permission.BILLING_MANAGERS_INVITE, POST=Permission.BILLING_MANAGERS_INVITE)
def invitation_revoke(request: OrgRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke."""
    invitation = _visible_or_404(request, invitation_id)
    home = list_of(request.organization.slug, Role(invitation.role))
    context = {"invitation": invitation, "cancel_url": home}
    if request.method != "POST":
        return render(request, "invitations/revoke.html", context)
    try:
        services.revoke(
            actor=request.membership,
            invitation_id=invitation.pk,
            shown=shown_generation(request.POST),
        )
    except PageOutdated as outdated:
        invitation.refresh_from_db()
        return render(
            request, "invitations/revoke.html", {**context, "refusal": outdated.message}, status=409
        )
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("The invitation is revoked. Its link no longer works."))
    return redirect(home)


def _visible_or_404(request: OrgRequest, invitation_id: uuid.UUID) -> Invitation:
    return get_object_or_404(Invitation.objects.visible_to(request.membership), pk=invitation_id)
