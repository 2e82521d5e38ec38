"""What support staff see of people."""

from django.contrib import admin

from accounts.models import User


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    list_display = ["email", "name", "is_staff", "is_active", "created_at", "last_login"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_staff", "is_superuser", "is_active", "created_at", "last_login", "groups"]
    ordering = ["email"]
