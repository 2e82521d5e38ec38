"""Below ``/orgs/<slug>/settings/billing/``."""

from django.urls import path

from billing import views

urlpatterns = [
    path("", views.billing, name="billing"),
    path("card/", views.card, name="card"),
    path("card/return/", views.card_return, name="card_return"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", views.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>/pdf/", views.invoice_pdf, name="invoice_pdf"),
]
