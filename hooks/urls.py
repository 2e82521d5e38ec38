"""Below ``/orgs/<slug>/settings/webhooks/``."""

from django.urls import path

from hooks import views

urlpatterns = [
    path("", views.webhooks, name="webhooks"),
    path("new/", views.webhook_new, name="webhook_new"),
    path("<uuid:endpoint_id>/", views.webhook, name="webhook"),
    path("<uuid:endpoint_id>/change/", views.webhook_change, name="webhook_change"),
    path("<uuid:endpoint_id>/secret/", views.webhook_secret, name="webhook_secret"),
    path("<uuid:endpoint_id>/switch/", views.webhook_switch, name="webhook_switch"),
    path("<uuid:endpoint_id>/test/", views.webhook_test, name="webhook_test"),
    path("<uuid:endpoint_id>/remove/", views.webhook_remove, name="webhook_remove"),
    path("deliveries/<uuid:delivery_id>/", views.webhook_delivery, name="webhook_delivery"),
    path("deliveries/<uuid:delivery_id>/again/", views.webhook_again, name="webhook_again"),
]
