"""Below ``/orgs/<slug>/settings/billing/``."""

from django.urls import path

from billing.views import cards, endings, invoices, overview, payments, plans, purchases, start

urlpatterns = [
    path("", overview.billing, name="billing"),
    path("activity/", overview.activity, name="billing_activity"),
    path("start/", start.start_step, name="start_step"),
    path("card/", cards.card, name="card"),
    path("card/return/", cards.card_return, name="card_return"),
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
    path("pay/", payments.pay, name="pay"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/pay/", payments.invoice_pay, name="invoice_pay"),
    path("invoices/<uuid:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
]
