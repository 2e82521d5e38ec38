"""What support staff see of invitations. No row holds a link that could be shown."""

from django.contrib import admin

from invitations.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin[Invitation]):
    list_display = [
        "organization",
        "role",
        "kind",
        "email",
        "state",
        "invited_by_name",
        "sent_at",
        "last_error",
    ]
    list_filter = ["state", "kind", "role", "last_error"]
    list_select_related = ["organization"]
    search_fields = ["email", "invited_by_name", "organization__name", "organization__slug", "last_error_by"]
    date_hierarchy = "sent_at"
    ordering = ["-sent_at"]
