"""Below ``/stripe/``."""

from django.urls import path

from billing import views

urlpatterns = [
    path("webhook/", views.webhook, name="stripe_webhook"),
]
