"""What support staff see of credits: how each figure came about."""

from django.contrib import admin

from credits.models import Entry, ExpiryWarning, Grant, Ledger, OnDemandCharge, Period, Voiding

ORGANIZATION_SEARCH = ["organization__name", "organization__slug"]


@admin.register(Ledger)
class LedgerAdmin(admin.ModelAdmin[Ledger]):
    list_display = ["organization", "settled_until", "closed_until", "attempts", "error"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH


@admin.register(Period)
class PeriodAdmin(admin.ModelAdmin[Period]):
    list_display = ["organization", "edition_code", "starts_at", "ends_at", "credits", "credit_price"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-starts_at", "organization"]


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin[Grant]):
    list_display = ["organization", "kind", "credits", "effective_at", "expires_at", "voided_at", "source"]
    list_filter = ["kind"]
    list_select_related = ["organization", "voiding"]
    search_fields = ["=source", *ORGANIZATION_SEARCH]
    ordering = ["-effective_at", "organization"]


@admin.register(Voiding)
class VoidingAdmin(admin.ModelAdmin[Voiding]):
    list_display = ["organization", "grant", "voided_at"]
    list_select_related = ["organization", "grant"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-voided_at", "organization"]


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin[Entry]):
    list_display = ["organization", "number", "hour", "booked_at", "credits", "grant", "left"]
    list_select_related = ["organization", "grant"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-id"]


@admin.register(OnDemandCharge)
class OnDemandChargeAdmin(admin.ModelAdmin[OnDemandCharge]):
    list_display = ["organization", "since", "until", "credits", "price", "amount"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-since", "organization"]


@admin.register(ExpiryWarning)
class ExpiryWarningAdmin(admin.ModelAdmin[ExpiryWarning]):
    list_display = ["organization", "expires_at", "days", "created_at"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-expires_at", "organization", "days"]
