"""What support staff see of access tokens: nothing that could open anything."""

from django.contrib import admin

from tokens.models import AccessToken, ServiceToken


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin[AccessToken]):
    list_display = ["name", "organization", "maker_name", "start", "created_at", "expires_at", "last_used_at"]
    list_select_related = ["organization"]
    search_fields = ["name", "start", "maker_name", "organization__slug"]
    exclude = ["digest"]


@admin.register(ServiceToken)
class ServiceTokenAdmin(admin.ModelAdmin[ServiceToken]):
    list_display = ["name", "start", "created_at", "expires_at", "last_used_at"]
    search_fields = ["name", "start"]
    exclude = ["digest"]
