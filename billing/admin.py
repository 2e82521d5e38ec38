"""What support staff see of billing. Stripe is the truth: mirrors are read here and changed there.

The admin site shows every model read-only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.dashboard import dashboard_url
from billing.failures import failure_words, outcome_in
from billing.models import (
    BillingAccount,
    FoundDrift,
    Invoice,
    OnDemandItem,
    OperationState,
    PaymentLink,
    PaymentMethod,
    Price,
    ReachedThreshold,
    StripeCustomer,
    StripeEvent,
    StripeOperation,
    Subscription,
    UnknownCustomer,
    UnreadableObject,
)
from billing.money import format_money
from billing.plan_offers import Offer

ORGANIZATION_SEARCH = ["organization__name", "organization__slug"]


def amount(column: str, label: Any) -> Callable[[object, Any], str]:
    """A column of minor units, with the currency of its row."""

    def shown(_page: object, row: Any) -> str:
        return format_money(getattr(row, column), row.currency)

    return cast("Callable[[object, Any], str]", admin.display(shown, description=label, ordering=column))


Row = TypeVar("Row", bound=Model)


class AtStripe(admin.ModelAdmin[Row]):
    """Records that stand in Stripe's dashboard, too: under the id in ``id_field``."""

    id_field = "stripe_id"
    readonly_fields = ["at_stripe"]

    @admin.display(description=_("at Stripe"))
    def at_stripe(self, row: Row) -> SafeString | str:
        stripe_id = getattr(row, self.id_field) or ""
        if not (url := dashboard_url(stripe_id)):
            return stripe_id or "–"
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, stripe_id)


@admin.register(BillingAccount)
class BillingAccountAdmin(AtStripe[BillingAccount]):
    id_field = "stripe_customer_id"
    list_display = ["organization", "at_stripe", "card_brand", "card_last4", "synced_at", "attempts", "error"]
    list_select_related = ["organization"]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_customer_id", "email", "=card_last4"]


@admin.register(StripeCustomer)
class StripeCustomerAdmin(AtStripe[StripeCustomer]):
    list_display = ["stripe_id", "organization", "at_stripe", "created_at"]
    list_select_related = ["organization"]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_id"]


@admin.register(Subscription)
class SubscriptionAdmin(AtStripe[Subscription]):
    list_display = ["organization", "at_stripe", "status", "period_end", "synced_at"]
    # What it charges is in words on the organization's page.
    exclude = ["items", "pays", "preview", "schedule"]
    list_select_related = ["organization"]
    list_filter = ["status"]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_id"]


INVOICE_AMOUNTS = ["total", "amount_due", "amount_paid", "amount_remaining", "refunded", "credited"]


@admin.register(Invoice)
class InvoiceAdmin(AtStripe[Invoice]):
    list_display = ["number", "organization", "at_stripe", "status", "total_amount", "created_at"]
    list_select_related = ["organization"]
    list_filter = ["status"]
    search_fields = ["number", "=stripe_id", *ORGANIZATION_SEARCH]
    exclude = ["document", "words", "currency", *INVOICE_AMOUNTS]
    readonly_fields = ["at_stripe", *(f"{column}_amount" for column in INVOICE_AMOUNTS)]
    total_amount = amount("total", _("total"))
    amount_due_amount = amount("amount_due", _("due"))
    amount_paid_amount = amount("amount_paid", _("paid"))
    amount_remaining_amount = amount("amount_remaining", _("remaining"))
    refunded_amount = amount("refunded", _("refunded"))
    credited_amount = amount("credited", _("credited"))


@admin.register(OnDemandItem)
class OnDemandItemAdmin(admin.ModelAdmin[OnDemandItem]):
    list_display = ["organization", "since", "credits", "money", "invoice_id", "gone_at"]
    exclude = ["amount", "currency"]
    readonly_fields = ["money"]
    money = amount("amount", _("amount"))
    list_select_related = ["organization"]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_id", "=invoice_id"]
    ordering = ["-since", "organization"]


@admin.register(PaymentMethod)
class PaymentMethodAdmin(AtStripe[PaymentMethod]):
    list_display = ["organization", "at_stripe", "kind", "brand", "last4", "exp_month", "exp_year"]
    list_select_related = ["organization"]
    search_fields = ["=stripe_id", *ORGANIZATION_SEARCH]


@admin.register(PaymentLink)
class PaymentLinkAdmin(admin.ModelAdmin[PaymentLink]):
    list_display = ["created_at", "organization", "invoice", "maker_name", "expires_at", "opened_at"]
    list_select_related = ["organization", "invoice"]
    search_fields = [*ORGANIZATION_SEARCH, "maker_name"]


@admin.register(Price)
class PriceAdmin(AtStripe[Price]):
    list_display = ["lookup_key", "at_stripe", "unit_amount", "currency", "interval", "synced_at"]
    search_fields = ["lookup_key", "=stripe_id"]


class DiffersFilter(admin.SimpleListFilter):
    """Changes of a plan whose invoice is not what the person accepted. There should be none."""

    title = _("invoice and accepted preview")
    parameter_name = "differs"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        return [("yes", str(_("differ")))]

    def queryset(
        self, _request: HttpRequest, operations: QuerySet[StripeOperation]
    ) -> QuerySet[StripeOperation]:
        return operations.filter(result__has_key="difference") if self.value() == "yes" else operations


@admin.register(StripeOperation)
class StripeOperationAdmin(admin.ModelAdmin[StripeOperation]):
    list_display = [
        "created_at",
        "organization",
        "kind",
        "step",
        "state",
        "difference",
        "actor_name",
        "attempts",
        "error",
    ]
    list_select_related = ["organization"]
    list_filter = ["state", "kind", DiffersFilter]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_id", "=idempotency_key", "actor_name"]
    ordering = ["-created_at"]
    exclude = ["params", "result"]
    readonly_fields = ["difference", "outcome"]

    @admin.display(description=_("outcome"))
    def outcome(self, operation: StripeOperation) -> str:
        """What became of one that failed, in words."""
        if operation.state != OperationState.FAILED:
            return operation.get_state_display()
        return failure_words(outcome_in(operation.result))

    @admin.display(description=_("invoice differs from preview"))
    def difference(self, operation: StripeOperation) -> str:
        """Both amounts, where they aren't the same."""
        invoiced = operation.result.get("difference")
        if not invoiced:
            return ""
        accepted = Offer(**operation.params["offer"]).charge
        return (
            f"{format_money(invoiced['amount_due'], invoiced['currency'])} ≠ "
            f"{format_money(accepted.amount_due, accepted.currency)}"
        )


@admin.register(StripeEvent)
class StripeEventAdmin(AtStripe[StripeEvent]):
    id_field = "event_id"
    list_display = ["received_at", "type", "at_stripe", "customer_id", "state", "attempts"]
    list_filter = ["state", "type"]
    search_fields = ["=event_id", "=object_id", "=customer_id", "type"]
    # Stripe's dashboard, to which it links, shows what is in it.
    exclude = ["payload"]


@admin.register(ReachedThreshold)
class ReachedThresholdAdmin(admin.ModelAdmin[ReachedThreshold]):
    list_display = ["organization", "period_start", "limit", "percent", "told_at"]
    list_select_related = ["organization"]
    list_filter = ["limit", "percent"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-told_at", "organization"]


@admin.register(FoundDrift)
class FoundDriftAdmin(admin.ModelAdmin[FoundDrift]):
    list_display = ["found_at", "organization", "customers", "subscriptions", "invoices", "on_demand"]
    list_select_related = ["organization"]
    search_fields = ORGANIZATION_SEARCH
    ordering = ["-found_at"]


@admin.register(UnreadableObject)
class UnreadableObjectAdmin(admin.ModelAdmin[UnreadableObject]):
    list_display = ["found_at", "organization", "stripe_id", "reason"]
    list_select_related = ["organization"]
    search_fields = [*ORGANIZATION_SEARCH, "=stripe_id"]
    ordering = ["-found_at"]


@admin.register(UnknownCustomer)
class UnknownCustomerAdmin(AtStripe[UnknownCustomer]):
    folder = "customers"
    list_display = ["stripe_id", "at_stripe", "event_type", "found_at"]
    search_fields = ["=stripe_id"]
    ordering = ["-found_at"]
