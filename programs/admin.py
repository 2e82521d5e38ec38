"""What support staff see of connected programs: nothing that could open anything."""

from django.contrib import admin

from programs.models import Connection, DeviceRequest


@admin.register(Connection)
class ConnectionAdmin(admin.ModelAdmin[Connection]):
    list_display = ["client", "membership", "allowed_at", "last_used_at"]
    list_select_related = ["client", "membership__organization", "membership__user"]
    search_fields = ["client__name", "membership__user__email", "membership__organization__slug"]


@admin.register(DeviceRequest)
class DeviceRequestAdmin(admin.ModelAdmin[DeviceRequest]):
    list_display = ["client", "connection", "denied", "polled_at", "expires_at"]
    list_select_related = [
        "client",
        "connection__client",
        "connection__membership__organization",
        "connection__membership__user",
    ]
    exclude = ["digest", "user_code_digest"]
