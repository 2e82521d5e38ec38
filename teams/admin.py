"""What support staff see of teams."""

from django.contrib import admin

from teams.models import Team, TeamMembership


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    list_display = ["name", "organization", "created_at"]
    list_select_related = ["organization"]
    search_fields = ["name", "organization__slug"]
    ordering = ["-created_at"]


@admin.register(TeamMembership)
class TeamMembershipAdmin(admin.ModelAdmin[TeamMembership]):
    list_display = ["membership", "team", "added_at"]
    list_select_related = ["membership__user", "membership__organization", "team"]
    search_fields = ["team__name", "membership__user__email", "team__organization__slug"]
    ordering = ["-added_at"]
