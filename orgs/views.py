"""Roles, audit log, and the acts on one membership."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import display_name
from orgs import services
from orgs.access import OrgRequest, requires
from orgs.access_requests import refuse_access, request_access
from orgs.audit_export import export_audit_log
from orgs.endings import what_ends, what_goes_on
from orgs.errors import PageOutdated, Refused
from orgs.forms import AuditFilterForm, RoleForm
from orgs.models import Membership
from orgs.policy import OF_PEOPLE, Permission, Role
from orgs.role_questions import role_question
from orgs.rows import positive_int
from orgs.selectors import audit_page, roles_page


@requires(GET=Permission.ROLES_VIEW)
def roles(request: OrgRequest) -> HttpResponse:
    return render(request, "orgs/roles.html", {"page": roles_page(request.membership)})


@requires(GET=Permission.AUDIT_READ)
def audit_log(request: OrgRequest) -> HttpResponse:
    """The audit log, by action and by person, newest first."""
    page = audit_page(
        request.organization.pk,
        action=request.GET.get("action", "")[:60],
        person=request.GET.get("person", "")[:80].strip(),
        before=positive_int(request.GET.get("before")),
    )
    template = "orgs/_audit_events.html" if request.htmx else "orgs/audit_log.html"
    return render(request, template, {"page": page})


@requires(POST=Permission.AUDIT_EXPORT)
def audit_export(request: OrgRequest) -> HttpResponseBase:
    """What the filter finds, as a file."""
    form = AuditFilterForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    name = f"audit-{request.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        export_audit_log(actor=request.membership, **form.cleaned_data),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@requires(GET=Permission.MEMBERS_CHANGE_ROLE, POST=Permission.MEMBERS_CHANGE_ROLE, sensitive={"POST"})
def member_role(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Ask, then give a person another role. Asks for the password again: an admin can do everything.

    To undo it is the same act, the other way round: the banner that follows sends it.
    """
    form = RoleForm(request.POST if request.method == "POST" else request.GET)
    target = _membership_or_404(request, membership_id)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles: admin, member or billing manager."))
        return redirect("members", request.organization.slug)
    role = form.cleaned_data["role"]
    if request.method != "POST":
        return _ask_for_role(request, target, role)
    shown_role = request.POST.get("shown_role", "")
    try:
        services.change_role(
            actor=request.membership, membership_id=target.pk, shown_role=shown_role, role=role
        )
    except PageOutdated as outdated:
        return _ask_for_role(request, target, role, refusal=outdated)
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        _tell_of_new_role(request, target, role, shown_role)
    return _back_after_own_change(request, target)


def _ask_for_role(
    request: OrgRequest, target: Membership, role: Role, *, refusal: PageOutdated | None = None
) -> HttpResponse:
    """The question, about the role that the person has by now."""
    if refusal is not None:
        target.refresh_from_db(fields=["role"])
    own = target.pk == request.membership.pk
    question = role_question(
        name=display_name(target.user),
        today=Role(target.role),
        role=role,
        own=own,
        delegated=request.organization.managers_manage_managers,
    )
    context = {"target": target, "role": role, "question": question, "own": own}
    return _ask(request, "orgs/member_role.html", context, refusal=refusal)


def _tell_of_new_role(request: OrgRequest, target: Membership, role: Role, shown_role: str) -> None:
    """With the way back to the role that the page had shown. To one's own role there is none."""
    if target.pk == request.membership.pk:
        messages.success(request, _("Your role is %(role)s now.") % {"role": role.in_sentence})
        return
    context = {"target": target, "role": role, "shown_role": shown_role, "slug": request.organization.slug}
    _tell(request, "orgs/_role_changed.html", context)


@requires(GET=Permission.MEMBERS_REMOVE, POST=Permission.MEMBERS_REMOVE)
def member_remove(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Ask, then end a person's membership."""
    target = _membership_or_404(request, membership_id)
    if request.method != "POST":
        return _ask_to_remove(request, target)
    try:
        ended = services.remove_member(
            actor=request.membership,
            membership_id=target.pk,
            shown_role=request.POST.get("shown_role", ""),
        )
    except PageOutdated as outdated:
        return _ask_to_remove(request, target, refusal=outdated)
    except Refused as refused:
        messages.error(request, str(refused.message))
    else:
        tell_of_removal(request, [display_name(target.user)], ended)
    return redirect("members", request.organization.slug)


def _ask_to_remove(
    request: OrgRequest, target: Membership, *, refusal: PageOutdated | None = None
) -> HttpResponse:
    question = {
        "target": target,
        "ends": what_ends([target], request.membership),
        "goes_on": what_goes_on([target], request.membership),
    }
    return _ask(request, "orgs/member_remove.html", question, refusal=refusal)


def tell_of_removal(
    request: OrgRequest, people: list[str], ended: list[str], *, invited: Sequence[str] = ()
) -> None:
    """A banner that lists what ended. ``invited``: whom the invitations were for that were revoked."""
    _tell(request, "orgs/_removed.html", {"people": people, "invited": invited, "ends": ended})


def _tell(request: OrgRequest, template: str, context: dict[str, Any]) -> None:
    messages.success(request, render_to_string(template, context, request), extra_tags="banner")


def _ask(
    request: OrgRequest, template: str, question: dict[str, Any], *, refusal: PageOutdated | None = None
) -> HttpResponse:
    """The question before an act on ``target``, asked anew where the answer was to an earlier one."""
    if refusal is not None:
        question["target"].refresh_from_db(fields=["role"])
    context = {
        **question,
        "refusal": refusal and refusal.message,
        "cancel_url": reverse("members", args=[request.organization.slug]),
    }
    return render(request, template, context, status=200 if refusal is None else 409)


@requires(GET=Permission.ORGANIZATION_LEAVE, POST=Permission.ORGANIZATION_LEAVE)
def leave(request: OrgRequest) -> HttpResponse:
    """Ask, then end one's own membership."""
    if request.method != "POST":
        home = reverse("dashboard", args=[request.organization.slug])
        ends = what_ends([request.membership], request.membership)
        return render(request, "orgs/leave.html", {"cancel_url": home, "ends": ends, "own": True})
    try:
        ended = services.leave(membership=request.membership)
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect("leave", request.organization.slug)
    _tell(request, "orgs/_left.html", {"left": request.organization.name, "ends": ended, "own": True})
    return redirect("organizations")


@requires(POST=Permission.ACCESS_REQUEST)
def access_request(request: OrgRequest) -> HttpResponse:
    """The button of the 403 page: ask the admins for the permission that is missing."""
    asked = request.POST.get("permission", "")
    if asked not in OF_PEOPLE:
        raise Http404
    try:
        request_access(actor=request.membership, permission=Permission(asked))
    except Refused as refused:
        messages.info(request, str(refused.message))
    else:
        messages.success(
            request,
            _("Your request is noted. The admins get one mail a day that lists what was asked."),
        )
    return redirect("dashboard", request.organization.slug)


@requires(POST=Permission.MEMBERS_CHANGE_ROLE)
def access_refuse(request: OrgRequest, membership_id: uuid.UUID) -> HttpResponse:
    """Turn down what somebody asked for. Granting it is a change of their role: ``member_role``."""
    asked = request.POST.get("permission", "")
    if asked not in OF_PEOPLE:
        raise Http404
    try:
        person = refuse_access(
            actor=request.membership, membership_id=membership_id, permission=Permission(asked)
        )
    except Refused as refused:
        messages.info(request, str(refused.message))
    else:
        messages.success(
            request,
            _("The request is refused. %(name)s gets a mail that says so.")
            % {"name": display_name(person.user)},
        )
    return redirect("members", request.organization.slug)


def _membership_or_404(request: OrgRequest, membership_id: uuid.UUID) -> Membership:
    return get_object_or_404(
        Membership.objects.for_org(request.organization).select_related("user"), pk=membership_id
    )


def _back_after_own_change(request: OrgRequest, target: Membership) -> HttpResponse:
    """To the members page; after a change of one's own role to the dashboard, which every role sees."""
    own = target.pk == request.membership.pk
    return redirect("dashboard" if own else "members", request.organization.slug)
