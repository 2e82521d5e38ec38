"""Below ``/stripe/``."""

from django.urls import path

from billing.views import webhook

urlpatterns = [
    path("webhook/", webhook.webhook, name="stripe_webhook"),
]
