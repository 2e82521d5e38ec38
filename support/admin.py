"""What was done in staff sessions, the counted jobs; and records of the sign-in library without what would
open an account, or billing.
"""

from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from support.models import (
    AdminRequest,
    CountedMonth,
    JobCount,
    SettledRow,
    StaffRequest,
    StaffSession,
    StaffVisit,
)

admin.site.unregister([Authenticator, Client, Group, Token, UserSession])


@admin.register(UserSession)
class UserSessionAdmin(admin.ModelAdmin[UserSession]):
    list_display = ["user", "ip", "created_at", "last_seen_at", "user_agent"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name", "ip"]
    exclude = ["session_key", "data"]


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin[Authenticator]):
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    exclude = ["data"]


@admin.register(Client)
class ProgramAdmin(admin.ModelAdmin[Client]):
    """Registered by `manage.py register_program`."""

    list_display = ["name", "id", "type", "created_at"]
    list_filter = ["type"]
    search_fields = ["name", "id"]
    exclude = ["secret", "data"]


@admin.register(Token)
class CredentialAdmin(admin.ModelAdmin[Token]):
    list_display = ["type", "client", "user", "created_at", "expires_at"]
    list_filter = ["type"]
    list_select_related = ["client", "user"]
    search_fields = ["client__name", "user__email"]
    exclude = ["hash", "data"]


@admin.register(JobCount)
class JobCountAdmin(admin.ModelAdmin[JobCount]):
    list_display = ["month", "job", "done_by", "count"]
    list_filter = ["job", "done_by"]
    date_hierarchy = "month"


@admin.register(CountedMonth)
class CountedMonthAdmin(admin.ModelAdmin[CountedMonth]):
    list_display = ["month", "counted_until"]


@admin.register(StaffSession)
class StaffSessionAdmin(admin.ModelAdmin[StaffSession]):
    list_display = ["staff_mail", "ticket", "reason", "opened_at", "expires_at", "ended_at"]
    search_fields = ["staff_mail", "=ticket", "=id"]
    date_hierarchy = "opened_at"


@admin.register(StaffVisit)
class StaffVisitAdmin(admin.ModelAdmin[StaffVisit]):
    list_display = ["at", "session_id", "organization_id"]
    search_fields = ["=session_id", "=organization_id"]


@admin.register(StaffRequest)
class StaffRequestAdmin(admin.ModelAdmin[StaffRequest]):
    list_display = ["at", "session", "method", "path", "viewed_as"]
    list_select_related = ["session"]
    search_fields = ["session__staff_mail", "=session__ticket", "=session__id", "=viewed_as"]


@admin.register(AdminRequest)
class AdminRequestAdmin(admin.ModelAdmin[AdminRequest]):
    list_display = ["asked_at", "email", "organization", "proof", "state", "expires_at", "decided_at"]
    list_filter = ["state", "proof"]
    list_select_related = ["organization"]
    search_fields = ["email", "reference", "ticket", "organization__name", "organization__slug"]


@admin.register(SettledRow)
class SettledRowAdmin(admin.ModelAdmin[SettledRow]):
    list_display = ["settled_at", "source", "key", "session"]
    list_select_related = ["session"]
    list_filter = ["source"]
    search_fields = ["=key", "session__staff_mail", "=session__ticket"]
