"""Below ``/orgs/<slug>/``."""

from django.urls import path

from orgs import views

urlpatterns = [
    path("leave/", views.leave, name="leave"),
    path("ask/", views.access_request, name="access_request"),
    path("settings/roles/", views.roles, name="roles"),
    path("settings/audit/", views.audit_log, name="audit_log"),
    path("settings/members/<uuid:membership_id>/refuse/", views.access_refuse, name="access_refuse"),
    path("settings/audit/export/", views.audit_export, name="audit_export"),
    path("settings/members/<uuid:membership_id>/role/", views.member_role, name="member_role"),
    path("settings/members/<uuid:membership_id>/remove/", views.member_remove, name="member_remove"),
]
