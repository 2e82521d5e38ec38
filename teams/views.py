"""The pages of teams, and the acts on one."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import display_name
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission
from teams import services
from teams.forms import DeletionForm, NewTeamForm, PeopleForm, TeamChangeForm
from teams.models import Team, TeamMembership
from teams.selectors import candidates, members_of, team_page, teams_page

LIST, MANAGE = Permission.TEAMS_LIST, Permission.TEAMS_MANAGE


@requires(GET=LIST)
def teams(request: OrgRequest) -> HttpResponse:
    page = teams_page(
        request.organization,
        search=_search(request),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    return render(request, "teams/teams.html", {"page": page})


@requires(GET=MANAGE, POST=MANAGE)
def team_new(request: OrgRequest) -> HttpResponse:
    form = NewTeamForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = services.create_team(
                actor=request.membership, details=form.details, key=form.cleaned_data["key"]
            )
        except Refused as refused:
            form.add_error("name", str(refused.message))
        else:
            messages.success(
                request, _("The team %(name)s was created. Add its people.") % {"name": made.name}
            )
            return redirect("team", request.organization.slug, made.pk)
    context = {"form": form, "cancel_url": _home(request)}
    return render(request, "teams/form.html", context, status=422 if form.errors else 200)


@requires(GET=LIST)
def team(request: OrgRequest, team_id: uuid.UUID) -> HttpResponse:
    """One team with its people."""
    page = team_page(
        _team_or_404(request, team_id),
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    return render(request, "teams/team.html", {"page": page})


@requires(GET=MANAGE, POST=MANAGE)
def team_change(request: OrgRequest, team_id: uuid.UUID) -> HttpResponse:
    """Another name, or another description."""
    found = _team_or_404(request, team_id)
    form = TeamChangeForm(request.POST) if request.method == "POST" else TeamChangeForm.of(found)
    context = {"form": form, "team": found, "cancel_url": _page_of(request, found)}
    if form.is_valid():
        try:
            services.change_team(
                actor=request.membership, team_id=found.pk, shown=form.shown, **form.details._asdict()
            )
        except PageOutdated as outdated:
            found.refresh_from_db(fields=["name", "description"])
            context |= {"form": TeamChangeForm.of(found), "refusal": outdated.message}
            return render(request, "teams/form.html", context, status=409)
        except Refused as refused:
            form.add_error("name", str(refused.message))
        except Team.DoesNotExist:
            return _deleted_meanwhile(request, found)
        else:
            messages.success(request, _("Team saved."))
            return redirect(_page_of(request, found))
    return render(request, "teams/form.html", context, status=422 if form.errors else 200)


@requires(GET=MANAGE, POST=MANAGE)
def team_delete(request: OrgRequest, team_id: uuid.UUID) -> HttpResponse:
    """Ask, then delete."""
    found = _team_or_404(request, team_id)
    context = {"team": found, "cancel_url": _page_of(request, found)}
    if request.method != "POST":
        return render(request, "teams/delete.html", context)
    try:
        # Somebody else may have deleted it at the same time: that is what was wanted.
        with suppress(Team.DoesNotExist):
            services.delete_team(
                actor=request.membership, team_id=found.pk, shown=DeletionForm(request.POST).shown
            )
    except PageOutdated as outdated:
        context |= {"team": _team_or_404(request, team_id), "refusal": outdated.message}
        return render(request, "teams/delete.html", context, status=409)
    messages.success(request, _("The team %(name)s was deleted.") % {"name": found.name})
    return redirect(_home(request))


@requires(GET=MANAGE, POST=MANAGE)
def team_add(request: OrgRequest, team_id: uuid.UUID) -> HttpResponse:
    """Choose among the members, then add them."""
    found = _team_or_404(request, team_id)
    choice = candidates(found, search=_search(request))
    form = PeopleForm(
        request.POST if request.method == "POST" else None, members=members_of(found), shown=choice.shown
    )
    if form.is_valid():
        try:
            added = services.add_people(
                actor=request.membership,
                team_id=found.pk,
                membership_ids=[person.pk for person in form.cleaned_data["people"]],
            )
        except Refused as refused:
            form.add_error("people", str(refused.message))
        except Team.DoesNotExist:
            return _deleted_meanwhile(request, found)
        else:
            messages.success(request, _added(found, added))
            return redirect(_page_of(request, found))
    context = {"form": form, "team": found, "choice": choice, "cancel_url": _page_of(request, found)}
    return render(request, "teams/add.html", context, status=422 if form.errors else 200)


def _added(team: Team, added: list[Membership]) -> str:
    if not added:
        return _("Those whom you chose are in the team %(team)s already.") % {"team": team.name}
    sentence = ngettext(
        "%(names)s is in the team %(team)s now.",
        "%(count)s people are in the team %(team)s now: %(names)s.",
        len(added),
    )
    names = ", ".join(display_name(person.user) for person in added)
    return sentence % {"count": len(added), "names": names, "team": team.name}


@requires(GET=MANAGE, POST=MANAGE)
def team_remove(request: OrgRequest, team_id: uuid.UUID, membership_id: uuid.UUID) -> HttpResponse:
    """Ask, then take a person out of the team."""
    found = _team_or_404(request, team_id)
    person = get_object_or_404(members_of(found), pk=membership_id)
    if request.method != "POST":
        context = {"team": found, "person": person, "cancel_url": _page_of(request, found)}
        return render(request, "teams/remove.html", context)
    try:
        # Somebody else may have done so at the same time: that is what was wanted.
        with suppress(TeamMembership.DoesNotExist):
            services.remove_person(actor=request.membership, team_id=found.pk, membership_id=person.pk)
    except Team.DoesNotExist:
        return _deleted_meanwhile(request, found)
    messages.success(
        request,
        _("%(name)s is no longer in the team %(team)s.")
        % {"name": display_name(person.user), "team": found.name},
    )
    return redirect(_page_of(request, found))


def _deleted_meanwhile(request: OrgRequest, found: Team) -> HttpResponse:
    messages.error(
        request,
        _("Somebody deleted the team %(name)s meanwhile. Nothing was changed.") % {"name": found.name},
    )
    return redirect(_home(request))


def _search(request: OrgRequest) -> str:
    return request.GET.get("search", "")[:80].strip()


def _home(request: OrgRequest) -> str:
    return reverse("teams", args=[request.organization.slug])


def _page_of(request: OrgRequest, found: Team) -> str:
    return reverse("team", args=[request.organization.slug, found.pk])


def _team_or_404(request: OrgRequest, team_id: uuid.UUID) -> Team:
    return get_object_or_404(Team.objects.for_org(request.organization).counted(), pk=team_id)
