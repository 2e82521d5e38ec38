from django.contrib import admin

from audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    list_display = ["created_at", "organization_name", "actor_name", "actor_kind", "action", "target_name"]
    list_filter = ["actor_kind", "action"]
    search_fields = ["organization_name", "actor_name", "target_name", "target_id"]
    show_full_result_count = False
