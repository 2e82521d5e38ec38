"""Below ``/orgs/<slug>/settings/tokens/``. The page itself stands in ``programs``: it lists those too."""

from django.urls import path

from tokens import views

urlpatterns = [
    path("new/", views.token_new, name="token_new"),
    path("organization/new/", views.organization_token_new, name="organization_token_new"),
    path("<uuid:token_id>/revoke/", views.token_revoke, name="token_revoke"),
]
