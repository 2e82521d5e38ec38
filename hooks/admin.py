"""What support staff see of webhooks: never a secret."""

from django.contrib import admin

from hooks.models import Delivery, Endpoint


@admin.register(Endpoint)
class EndpointAdmin(admin.ModelAdmin[Endpoint]):
    list_display = ["host", "organization", "off_because", "failing_since", "created_at", "removed_at"]
    list_filter = ["off_because"]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "organization__slug", "url"]
    exclude = ["secret", "old_secret"]


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin[Delivery]):
    list_display = ["created_at", "event", "endpoint", "state", "attempts", "answer_status"]
    list_filter = ["state", "event"]
    list_select_related = ["endpoint"]
    search_fields = ["=id", "endpoint__organization__name", "endpoint__organization__slug"]
