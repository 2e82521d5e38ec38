"""What support staff see of organizations and who belongs to them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orgs.models import AccessRequest, Membership, Organization


class MembershipInline(admin.TabularInline[Membership, Organization]):
    model = Membership
    fields = ["user", "role", "joined_at"]
    readonly_fields = ["joined_at"]
    show_change_link = True
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "organization")


class ClosingFilter(admin.SimpleListFilter):
    """Those that an admin has asked to close, closed or not yet."""

    title = _("closing")
    parameter_name = "closing"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("yes", str(_("closing or closed")))]

    def queryset(
        self, _request: HttpRequest, organizations: QuerySet[Organization]
    ) -> QuerySet[Organization]:
        if self.value() == "yes":
            return organizations.filter(closes_after__isnull=False)
        return organizations


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    list_display = ["name", "slug", "edition_code", "seats", "created_at", "closes_after", "closed_at"]
    list_filter = ["edition_code", "managers_manage_managers", ClosingFilter]
    search_fields = ["name", "slug", "memberships__user__email"]
    inlines = [MembershipInline]
    ordering = ["name"]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    list_display = ["user", "organization", "role", "joined_at"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name", "organization__name", "organization__slug"]
    ordering = ["-joined_at"]


@admin.register(AccessRequest)
class AccessRequestAdmin(admin.ModelAdmin[AccessRequest]):
    list_display = ["membership", "permission", "asked_at", "mail_at"]
    list_select_related = ["membership__user", "membership__organization"]
    search_fields = ["membership__user__email", "membership__organization__slug", "=permission"]
    ordering = ["-asked_at"]
