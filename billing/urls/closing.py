"""Below ``/orgs/<slug>/settings/close/``."""

from django.urls import path

from billing.views import closing

urlpatterns = [
    path("", closing.organization_close, name="organization_close"),
    path("undo/", closing.closing_undo, name="closing_undo"),
    path("data/", closing.organization_data, name="organization_data"),
]
