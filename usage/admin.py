"""Stacks and roll-ups for support staff. The admin can't show rows with a composite key."""

from django.contrib import admin

from usage.models import LabelHour, OrganizationDay, OrganizationHour, Stack

ORGANIZATION_SEARCH = ["organization__name", "organization__slug"]


@admin.register(Stack)
class StackAdmin(admin.ModelAdmin[Stack]):
    list_display = ["name", "organization", "created_at"]
    list_select_related = ["organization"]
    search_fields = ["name", *ORGANIZATION_SEARCH]
    ordering = ["organization__name", "name"]


@admin.register(OrganizationHour)
class OrganizationHourAdmin(admin.ModelAdmin[OrganizationHour]):
    list_display = ["organization", "hour", "resources"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-hour", "organization"]


@admin.register(OrganizationDay)
class OrganizationDayAdmin(admin.ModelAdmin[OrganizationDay]):
    list_display = ["organization", "day", "resource_hours", "hours_counted"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-day", "organization"]


@admin.register(LabelHour)
class LabelHourAdmin(admin.ModelAdmin[LabelHour]):
    list_display = ["organization", "hour", "label", "resources"]
    list_select_related = ["organization"]
    search_fields = ["=label", *ORGANIZATION_SEARCH]
    ordering = ["-hour", "organization", "label"]
