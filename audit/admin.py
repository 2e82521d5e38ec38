from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    list_display = ["created_at", "organization_name", "actor", "sentence", "ticket"]
    list_filter = ["actor_kind", "action"]
    search_fields = ["organization_name", "actor_name", "target_name", "target_id"]
    exclude = ["data"]
    readonly_fields = ["sentence"]

    @admin.display(description=_("what happened"), ordering="action")
    def sentence(self, event: AuditEvent) -> str:
        return event.sentence

    @admin.display(description=_("actor name"), ordering="actor_name")
    def actor(self, event: AuditEvent) -> str:
        return event.actor
