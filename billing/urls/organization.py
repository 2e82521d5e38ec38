"""Below ``/orgs/<slug>/settings/billing/``."""

from django.urls import path

from billing.views import (
    cards,
    credit_hours,
    details,
    endings,
    invoices,
    methods,
    overview,
    payment_links,
    payments,
    plans,
    purchases,
    start,
    under_way,
)

urlpatterns = [
    path("", overview.billing, name="billing"),
    path("under-way/", under_way.under_way, name="billing_under_way"),
    path("activity/", overview.activity, name="billing_activity"),
    path("credits/", credit_hours.credits_used, name="credits"),
    path("start/", start.start_step, name="start_step"),
    path("warnings/hide/", start.warning_hide, name="warning_hide"),
    path("card/", cards.card, name="card"),
    path("card/return/", cards.card_return, name="card_return"),
    path("payment-links/", payment_links.payment_links, name="payment_links"),
    path("payment-links/card/", payment_links.card_link, name="card_link"),
    path("payment-links/<uuid:link_id>/copy/", payment_links.payment_link_copy, name="payment_link_copy"),
    path(
        "payment-links/<uuid:link_id>/revoke/", payment_links.payment_link_revoke, name="payment_link_revoke"
    ),
    path("plan/", plans.plan, name="plan"),
    path("plan/undo/", plans.undo, name="plan_undo"),
    path("seats/", plans.seats, name="seats"),
    path("editions/", purchases.editions, name="editions"),
    path("purchase/", purchases.purchase, name="purchase"),
    path("purchase/return/", purchases.purchase_return, name="purchase_return"),
    path(
        "subscriptions/<uuid:subscription_id>/cancel/",
        endings.subscription_cancel,
        name="subscription_cancel",
    ),
    path("subscriptions/<uuid:subscription_id>/keep/", endings.subscription_keep, name="subscription_keep"),
    path("pay/", payments.pay, name="owed_pay"),
    path("details/", details.billing_details, name="billing_details"),
    path("details/preview/", details.billing_details_preview, name="billing_details_preview"),
    path("details/tax-ids/", details.tax_id_add, name="tax_id_add"),
    path("details/tax-ids/<slug:tax_id>/remove/", details.tax_id_remove, name="tax_id_remove"),
    path("methods/", methods.methods, name="methods"),
    path("methods/add/", methods.method_add, name="method_add"),
    path("methods/<uuid:method_id>/choose/", methods.method_choose, name="method_choose"),
    path("methods/<uuid:method_id>/remove/", methods.method_remove, name="method_remove"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/pay/", payments.invoice_pay, name="invoice_pay"),
    path("invoices/<uuid:invoice_id>/link/", payment_links.invoice_link, name="invoice_link"),
    path("invoices/<uuid:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
]
