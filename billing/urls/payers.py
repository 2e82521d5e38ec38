"""Below ``/pay/``."""

from django.urls import path

from billing.views import payers

urlpatterns = [
    path("thanks/", payers.pay_thanks, name="pay_thanks"),
    path("stopped/", payers.pay_stopped, name="pay_stopped"),
    path("<str:token>/", payers.pay, name="pay"),
    path("<str:token>/ask/", payers.pay_ask, name="pay_ask"),
]
