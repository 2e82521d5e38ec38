from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    list_display = ["created_at", "organization_name", "actor", "actor_kind", "action", "target"]
    list_filter = ["actor_kind", "action"]
    search_fields = ["organization_name", "actor_name", "target_name", "target_id"]

    @admin.display(description=_("actor name"), ordering="actor_name")
    def actor(self, event: AuditEvent) -> str:
        return event.actor

    @admin.display(description=_("target name"), ordering="target_name")
    def target(self, event: AuditEvent) -> str:
        return event.target
