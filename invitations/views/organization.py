"""Pages of those who invite: the members page, and what the billing managers' panel leads to."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

import orgs.services
from accounts.models import display_name
from invitations import services
from invitations.forms import (
    InvitedRoleForm,
    ManagerInvitationForm,
    MemberInvitationForm,
    shown_generation,
)
from invitations.models import Invitation
from invitations.selectors import billing_managers_panel, members_page, pending_invitations
from orgs.access import OrgRequest, confirm_before_giving, requires
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission, Role


@requires(GET=Permission.MEMBERS_LIST)
def members(request: OrgRequest) -> HttpResponse:
    page = members_page(
        request.membership, before=request.GET.get("before", ""), after=request.GET.get("after", "")
    )
    return render(request, "invitations/members.html", {"page": page})


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
        return _invite(request, form, Role.BILLING_MANAGER)
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
    context = {"form": form, "cancel_url": _home_of(request, Role.MEMBER)}
    return render(request, "invitations/members_link.html", context, status=422 if form.errors else 200)


@requires(POST=Permission.BILLING_MANAGERS_LINK)
def managers_link(request: OrgRequest) -> HttpResponse:
    try:
        return _new_link(request, Role.BILLING_MANAGER)
    except Refused as refused:
        context = {"message": refused.message, "cancel_url": _home_of(request, Role.BILLING_MANAGER)}
        return render(request, "invitations/link_refused.html", context, status=422)


@requires(GET=Permission.BILLING_MANAGERS_REMOVE, POST=Permission.BILLING_MANAGERS_REMOVE)
def manager_remove(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Ask, then end a billing manager's membership."""
    managers = Membership.objects.for_org(request.organization).billing_managers().select_related("user")
    target = get_object_or_404(managers, pk=membership_id)
    home = _home_of(request, Role.BILLING_MANAGER)
    if request.method != "POST":
        return render(request, "invitations/manager_remove.html", {"target": target, "cancel_url": home})
    try:
        orgs.services.remove_member(
            actor=request.membership,
            membership_id=target.pk,
            shown_role=request.POST.get("shown_role", ""),
        )
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(
            request, _("%(name)s is no longer a billing manager.") % {"name": display_name(target.user)}
        )
    return redirect(home)


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
    return redirect(_home_of(request, Role(invitation.role)))


@requires(POST=Permission.BILLING_MANAGERS_LINK)
def invitation_copy_link(request: OrgRequest, invitation_id: uuid.UUID) -> HttpResponse:
    invitation = _visible_or_404(request, invitation_id)
    confirm_before_giving(request, Role(invitation.role))
    home = _home_of(request, Role(invitation.role))
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
    home = _home_of(request, Role(invitation.role))
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


def _invite(request: OrgRequest, form: forms.Form, role: Role) -> HttpResponse:
    confirm_before_giving(request, role)
    try:
        invitation = services.invite_by_mail(
            actor=request.membership, email=form.cleaned_data["email"], role=role
        )
    except services.BelongsAlready as refused:
        form.add_error("email", refused.fact)
        return _invite_page(request, form, role, belongs_to=refused.role)
    except Refused as refused:
        form.add_error("email", str(refused.message))
        return _invite_page(request, form, role)
    messages.success(request, _("Invitation sent to %(address)s.") % {"address": invitation.email})
    return redirect(_home_of(request, role))


def _invite_page(
    request: OrgRequest, form: forms.Form, role: Role, belongs_to: Role | None = None
) -> HttpResponse:
    context = {"form": form, "role": role, "cancel_url": _home_of(request, role), "belongs_to": belongs_to}
    return render(request, "invitations/invite.html", context, status=422 if form.errors else 200)


def _new_link(request: OrgRequest, role: Role) -> HttpResponse:
    """A page with the link; for htmx a dialog, and the list that has one row more now. Raises Refused."""
    confirm_before_giving(request, role)
    url = services.create_link(actor=request.membership, role=role)
    context: dict[str, object] = {"url": url, "role": role, "cancel_url": _home_of(request, role)}
    if request.htmx and role is Role.BILLING_MANAGER:
        context["panel"] = billing_managers_panel(request.membership)
    elif request.htmx:
        context["pending"] = pending_invitations(request.membership, role)
    return render(request, "invitations/link.html", context)


def _visible_or_404(request: OrgRequest, invitation_id: uuid.UUID) -> Invitation:
    return get_object_or_404(Invitation.objects.visible_to(request.membership), pk=invitation_id)


def _home_of(request: OrgRequest, role: Role) -> str:
    """The page that lists the people of that role."""
    name = "billing" if role is Role.BILLING_MANAGER else "members"
    return reverse(name, args=[request.organization.slug])
