"""What support staff see of repeated writes."""

from django.contrib import admin

from api.models import KeptAnswer


@admin.register(KeptAnswer)
class KeptAnswerAdmin(admin.ModelAdmin[KeptAnswer]):
    list_display = ["created_at", "principal_id", "key", "status"]
    search_fields = ["=key"]
    ordering = ["-created_at"]
